"""Counts of searches and of each supplier's outcomes since the process started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from app.core.models import SupplierOutcome
from app.telemetry.metrics import Sample

BUCKETS_MS = (25, 50, 100, 200, 400, 800, 1_600, 3_200)


class SearchCounters:
    """Implements the core's `SearchObserver`; `in_flight` and `abandoned` are kept by whoever runs the searches."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.abandoned = 0
        self.searches = 0
        self.elapsed_ms_sum = 0.0
        self.elapsed_buckets = [0] * len(BUCKETS_MS)
        self.outcomes: Counter[tuple[str, str]] = Counter()

    def search_finished(self, elapsed_ms: float, outcomes: tuple[SupplierOutcome, ...]) -> None:
        self.searches += 1
        self.elapsed_ms_sum += elapsed_ms
        for index, bound in enumerate(BUCKETS_MS):
            if elapsed_ms <= bound:
                self.elapsed_buckets[index] += 1
        counted = self.outcomes
        for outcome in outcomes:
            if outcome.cached_age_ms is None:
                counted[outcome.supplier, outcome.status] += 1

    def samples(self) -> Iterator[Sample]:
        yield Sample("crossover_searches_in_flight", "gauge", "Searches that are being answered now.", self.in_flight)
        gone = "Searches whose caller went away before the answer."
        yield Sample("crossover_searches_abandoned_total", "counter", gone, self.abandoned)
        for (supplier, status), count in sorted(self.outcomes.items()):
            labels = ("supplier", supplier), ("status", status)
            yield Sample("crossover_supplier_outcomes_total", "counter", "What became of asking each supplier.", count, labels)
