"""Latency histograms: counts in fixed buckets, cheap to add to, in Prometheus' form; quantiles are read off the buckets."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

BOUNDS_MS = (25, 50, 100, 150, 200, 300, 400, 600, 800, 1_200, 1_600, 3_200)


class Series:
    """Counts of one histogram: `counts[i]` lie above bound i - 1 and up to bound i, the last above all; `sum_ms` is of all."""

    __slots__ = ("counts", "sum_ms")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_MS) + 1)
        self.sum_ms = 0.0

    def add(self, elapsed_ms: float) -> None:
        self.counts[bisect_left(BOUNDS_MS, elapsed_ms)] += 1
        self.sum_ms += elapsed_ms

    def lines(self, name: str, label: str = "") -> Iterator[str]:
        """Prometheus' lines; `label` is such as `supplier="a"`."""
        comma = "," if label else ""
        total = 0
        for bound, count in zip((*BOUNDS_MS, "+Inf"), self.counts, strict=True):
            total += count
            yield f'{name}_bucket{{{label}{comma}le="{bound}"}} {total}'
        braces = f"{{{label}}}" if label else ""
        yield f"{name}_sum{braces} {self.sum_ms:.3f}"
        yield f"{name}_count{braces} {total}"


def quantile_ms(counts: Sequence[int], quantile: float) -> float | None:
    """A quantile (0 to 1) of these counts in ms, interpolated within its bucket as Prometheus' `histogram_quantile` does;
    `None` of nothing. What lies above the last bound is told as the last bound."""
    total = sum(counts)
    if not total:
        return None
    rank, below = quantile * total, 0
    for index, count in enumerate(counts[:-1]):
        if count and below + count >= rank:
            low = BOUNDS_MS[index - 1] if index else 0
            return low + (BOUNDS_MS[index] - low) * (rank - below) / count
        below += count
    return float(BOUNDS_MS[-1])
