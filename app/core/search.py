"""The search flow: fan out, consolidate, rank, and answer with the hotels plus one outcome per supplier."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from app.core.crosswalk import Consolidator
from app.core.errors import AllSuppliersFailed
from app.core.fanout import Clock, SupplierAnswer, fan_out
from app.core.models import OutcomeStatus, SearchQuery, SearchResult, SupplierOutcome
from app.core.ports import ExchangeRates, SearchObserver, Supplier
from app.core.rank import Rules, rank


class SearchService:
    """Runs searches over a fixed set of suppliers; one instance serves them all. All it keeps between searches is what
    `consolidator` decided about hotels that are known beforehand."""

    def __init__(
        self,
        suppliers: Sequence[Supplier],
        *,
        rates: ExchangeRates,
        rules: Rules,
        deadline_ms: int,
        consolidator: Consolidator | None = None,
        observer: SearchObserver | None = None,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.suppliers = tuple(suppliers)
        self._rates = rates
        self._rules = rules
        self._deadline_ms = deadline_ms
        self._consolidator = consolidator or Consolidator()
        self._observer = observer
        self._clock = clock

    async def search(
        self, query: SearchQuery, *, limit: int, on_answer: Callable[[SupplierAnswer], None] | None = None
    ) -> SearchResult:
        """Search every supplier; at most `limit` hotels are returned, best first. `on_answer` hears suppliers as they answer.

        Raises `AllSuppliersFailed` when none of the suppliers that were asked answered. A supplier that answers with no
        hotels has answered.
        """
        started = self._clock()
        answers = await fan_out(self.suppliers, query, deadline_ms=self._deadline_ms, clock=self._clock, on_answer=on_answer)
        hotels = self._consolidator.consolidate(query.place, [hotel for answer in answers for hotel in answer.hotels])
        ranked = rank(hotels, currency=query.currency, rules=self._rules, rates=self._rates, limit=limit)
        outcomes = _outcomes(answers, ranked.unpriceable)
        elapsed_ms = round((self._clock() - started) * 1000, 3)
        if self._observer is not None:
            self._observer.search_finished(elapsed_ms, outcomes)
        asked = [outcome for outcome in outcomes if outcome.status is not OutcomeStatus.SKIPPED]
        answered = sum(outcome.status is OutcomeStatus.OK for outcome in asked)
        if not answered:
            raise AllSuppliersFailed(outcomes)
        return SearchResult(
            search=query,
            hotels_found=ranked.found,
            hotels=tuple(ranked.hotels),
            outcomes=outcomes,
            complete=answered == len(asked),
            elapsed_ms=elapsed_ms,
        )


def _outcomes(answers: Sequence[SupplierAnswer], unpriceable: dict[str, int]) -> tuple[SupplierOutcome, ...]:
    """Every supplier's outcome; one whose offers could not all be priced says how many were dropped."""
    return tuple(
        replace(answer.outcome, detail=f"{dropped} offer{'s' * (dropped > 1)} dropped: no exchange rate for their currency")
        if (dropped := unpriceable.get(answer.outcome.supplier))
        else answer.outcome
        for answer in answers
    )
