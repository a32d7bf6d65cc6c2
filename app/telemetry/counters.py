"""Counts of searches and of each supplier's outcomes and latencies since the process started."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from app.core.models import OutcomeStatus, SupplierOutcome
from app.telemetry.histogram import Series
from app.telemetry.metrics import Sample

NOT_ASKED = (OutcomeStatus.SKIPPED, OutcomeStatus.HELD_BACK)


class SearchCounters:
    """Implements the core's `SearchObserver`; `in_flight` and `abandoned` are kept by whoever runs the searches.

    `durations` is of whole searches; `supplier_durations` of calls made, until answered, failed or given up.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.abandoned = 0
        self.durations = Series()
        self.supplier_durations: defaultdict[str, Series] = defaultdict(Series)
        self.outcomes: Counter[tuple[str, str]] = Counter()

    def search_finished(self, elapsed_ms: float, outcomes: tuple[SupplierOutcome, ...]) -> None:
        self.durations.add(elapsed_ms)
        counted, durations = self.outcomes, self.supplier_durations
        for outcome in outcomes:
            if outcome.cached_age_ms is None:
                counted[outcome.supplier, outcome.status] += 1
                if outcome.status not in NOT_ASKED:
                    durations[outcome.supplier].add(outcome.elapsed_ms)

    def samples(self) -> Iterator[Sample]:
        yield Sample("crossover_searches_in_flight", "gauge", "Searches that are being answered now.", self.in_flight)
        gone = "Searches whose caller went away before the answer."
        yield Sample("crossover_searches_abandoned_total", "counter", gone, self.abandoned)
        for (supplier, status), count in sorted(self.outcomes.items()):
            labels = ("supplier", supplier), ("status", status)
            yield Sample("crossover_supplier_outcomes_total", "counter", "What became of asking each supplier.", count, labels)
