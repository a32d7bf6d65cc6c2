"""The search flow: recent answers, fan out for the others, consolidate, rank; hotels plus one outcome per supplier."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from app.core.cache import AnswerCache
from app.core.crosswalk import Consolidator
from app.core.errors import AllSuppliersFailed
from app.core.fanout import Clock, SupplierAnswer, fan_out
from app.core.models import Hotel, OutcomeStatus, SearchQuery, SearchResult, SupplierOutcome
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
        cache: AnswerCache | None = None,
        observer: SearchObserver | None = None,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.suppliers = tuple(suppliers)
        self._rates = rates
        self._rules = rules
        self.deadline_ms = deadline_ms
        self._consolidator = consolidator or Consolidator()
        self._cache = cache
        self._observer = observer
        self._clock = clock

    async def search(
        self,
        query: SearchQuery,
        *,
        limit: int,
        deadline_ms: int | None = None,
        on_answer: Callable[[SupplierAnswer], None] | None = None,
        on_asking: Callable[[], None] | None = None,
    ) -> SearchResult:
        """Search every supplier; at most `limit` hotels are returned, best first. `on_answer` hears suppliers as they answer,
        `on_asking` is called when they are asked. `deadline_ms` shortens the service's own deadline for a caller that cannot
        wait so long.

        Raises `AllSuppliersFailed` when none of the suppliers that were asked answered. A supplier that answers with no
        hotels has answered.
        """
        started = self._clock()
        deadline_ms = self.deadline_ms if deadline_ms is None else min(deadline_ms, self.deadline_ms)
        answers = await self._answers(query, started, deadline_ms, on_answer, on_asking)
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

    def preview(self, query: SearchQuery, answer: SupplierAnswer, *, limit: int) -> list[Hotel]:
        """One supplier's hotels, priced as in the whole answer, best first; to show before the others have answered."""
        hotels = self._consolidator.consolidate(query.place, list(answer.hotels))
        return rank(hotels, currency=query.currency, rules=self._rules, rates=self._rates, limit=limit).hotels

    async def _answers(
        self,
        query: SearchQuery,
        started: float,
        deadline_ms: int,
        on_answer: Callable[[SupplierAnswer], None] | None,
        on_asking: Callable[[], None] | None,
    ) -> Sequence[SupplierAnswer]:
        """One answer per supplier, in their order: the recent one where it still counts, else asked for now."""
        cache = self._cache
        if cache is None:
            if on_asking is not None:
                on_asking()
            return await fan_out(self.suppliers, query, deadline_ms=deadline_ms, clock=self._clock, on_answer=on_answer)
        recent = await cache.recent(query, [supplier.id for supplier in self.suppliers])
        if on_answer is not None:
            for answer in recent.answers.values():
                on_answer(answer)
        stale = [supplier for supplier in self.suppliers if supplier.id not in recent.answers]
        if on_asking is not None:
            on_asking()
        left_ms = max(1, deadline_ms - int((self._clock() - started) * 1000))
        asked = await fan_out(stale, query, deadline_ms=left_ms, clock=self._clock, on_answer=on_answer)
        cache.keep(query, asked, recent, failures=deadline_ms == self.deadline_ms)
        answers = {**recent.answers, **{answer.outcome.supplier: answer for answer in asked}}
        return [answers[supplier.id] for supplier in self.suppliers]


def _outcomes(answers: Sequence[SupplierAnswer], unpriceable: dict[str, int]) -> tuple[SupplierOutcome, ...]:
    """Every supplier's outcome; one whose offers could not all be priced says how many were dropped."""
    return tuple(
        replace(answer.outcome, detail=f"{dropped} offer{'s' * (dropped > 1)} dropped: no exchange rate for their currency")
        if (dropped := unpriceable.get(answer.outcome.supplier))
        else answer.outcome
        for answer in answers
    )
