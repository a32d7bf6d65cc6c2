"""What was published of a metric in a period, and the statistics of it ("CloudWatch statistics definitions", user guide).

A percentile is taken from what was published, exactly and without interpolation: the least value that at least so many
percent of the samples do not exceed (nearest rank). AWS does not document how it interpolates, only that such figures are
approximated; between two published values the two can differ.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

SIMPLE = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
PERCENTILE = re.compile(r"p(100(?:\.0+)?|\d{1,2}(?:\.\d{1,10})?)")


@dataclass(slots=True)
class Samples:
    """Values with how often each occurred, and statistic sets, of which only four figures are known."""

    counts: dict[float, float] = field(default_factory=dict)
    set_count: float = 0.0
    set_sum: float = 0.0
    set_minimum: float = math.inf
    set_maximum: float = -math.inf

    def add(self, value: float, count: float = 1.0) -> None:
        self.counts[value] = self.counts.get(value, 0.0) + count

    def add_set(self, *, count: float, total: float, minimum: float, maximum: float) -> None:
        """Of a set whose least and greatest are one, every sample is known."""
        if minimum == maximum:
            self.add(minimum, count)
            return
        self.set_count += count
        self.set_sum += total
        self.set_minimum = min(self.set_minimum, minimum)
        self.set_maximum = max(self.set_maximum, maximum)

    def merge(self, other: Samples) -> None:
        for value, count in other.counts.items():
            self.add(value, count)
        if other.set_count:
            self.add_set(count=other.set_count, total=other.set_sum, minimum=other.set_minimum, maximum=other.set_maximum)

    @property
    def count(self) -> float:
        return sum(self.counts.values()) + self.set_count

    def statistic(self, name: str) -> float | None:
        """None where there is none: nothing was published, or no percentile can be told of it."""
        if not self.counts and not self.set_count:
            return None
        if name == "SampleCount":
            return self.count
        if name == "Sum":
            return self._total()
        if name == "Average":
            return self._total() / self.count if self.count else None
        if name == "Minimum":
            return min([*self.counts, self.set_minimum])
        if name == "Maximum":
            return max([*self.counts, self.set_maximum])
        return self._percentile(float(name[1:]))

    def _total(self) -> float:
        return math.fsum(value * count for value, count in self.counts.items()) + self.set_sum

    def _percentile(self, percent: float) -> float | None:
        """There is none over sets of several samples, nor where a value is negative (user guide)."""
        if self.set_count or min(self.counts) < 0:
            return None
        rank = self.count * percent / 100 - 1e-9 * self.count  # 99.9% of 1,000 are 999, not 999.0000000000001
        passed = 0.0
        for value in sorted(self.counts):
            passed += self.counts[value]
            if passed >= rank:
                return value
        return max(self.counts)


def is_statistic(name: str) -> bool:
    return name in SIMPLE or is_percentile(name)


def is_percentile(name: str) -> bool:
    return PERCENTILE.fullmatch(name) is not None


def merged(parts: Iterable[Samples]) -> Samples | None:
    """One period's samples; the part itself where there is only one, so that nothing is copied. None of nothing."""
    found = list(parts)
    if len(found) < 2:
        return found[0] if found else None
    whole = Samples()
    for part in found:
        whole.merge(part)
    return whole
