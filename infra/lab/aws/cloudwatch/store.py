"""The metrics of one account and region: kept by the minute (by the second where they were published so), for some lab hours.

CloudWatch keeps minutes for fifteen days; a lab whose minutes pass in a second would fill the memory with them.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from infra.lab.aws.cloudwatch.statistics import Samples, merged

MINUTE = 60
KEPT_S = 6 * 3600
"""Lab seconds for which a data point is kept: twice what the stage's dashboard shows."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's identity; dimensions are in the order of their names."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
        return cls(namespace, name, tuple(sorted(dimensions.items())))


@dataclass(slots=True)
class Series:
    """Samples by the moment at which their minute, or second, begins; never changed once they are here."""

    moments: dict[int, Samples] = field(default_factory=dict)
    step: int = MINUTE
    unit: str = "None"


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    """What was published and cannot be asked for yet."""

    visible_at: float
    number: int
    metric: Metric = field(compare=False)
    moment: float = field(compare=False)
    samples: Samples = field(compare=False)
    step: int = field(compare=False)
    unit: str = field(compare=False)


class MetricStore:
    """`now` is lab time. `delay_s` lab seconds pass until what is published can be asked for, as in AWS some do."""

    def __init__(self, now: Callable[[], float], delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self._now = now
        self._series: dict[Metric, Series] = {}
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._pruned = now()
        self._lock = threading.RLock()

    def put(self, metric: Metric, moment: float, samples: Samples, *, step: int = MINUTE, unit: str = "None") -> None:
        with self._lock:
            visible_at = self._now() + self.delay_s
            heapq.heappush(self._waiting, _Waiting(visible_at, next(self._numbers), metric, moment, samples, step, unit))
            self._settle()

    def samples(self, metric: Metric, start: int, end: int, period: int) -> dict[int, Samples]:
        """By the beginning of each period from `start` on, before `end`; periods of which nothing is known are left out."""
        with self._lock:
            self._settle()
            series = self._series.get(metric)
            if series is None:
                return {}
            found: dict[int, list[Samples]] = {}
            for moment in self._moments(series, start, end):
                found.setdefault(start + (moment - start) // period * period, []).append(series.moments[moment])
            return {begin: whole for begin, parts in found.items() if (whole := merged(parts)) is not None}

    def forget(self) -> None:
        """Everything, what is still to come into sight included."""
        with self._lock:
            self._series.clear()
            self._waiting.clear()

    def metrics(self) -> list[Metric]:
        with self._lock:
            self._settle()
            return sorted(self._series, key=lambda metric: (metric.namespace, metric.name, metric.dimensions))

    def unit(self, metric: Metric) -> str:
        with self._lock:
            return self._series[metric].unit if metric in self._series else "None"

    def newest(self, metric: Metric) -> int | None:
        """When the last of its data points begins."""
        with self._lock:
            self._settle()
            return max(self._series[metric].moments) if metric in self._series else None

    def _moments(self, series: Series, start: int, end: int) -> Iterator[int]:
        """Looked up one by one where that is shorter than looking through all."""
        if (end - start) // series.step < len(series.moments):
            first = -(-start // series.step) * series.step
            return (moment for moment in range(first, end, series.step) if moment in series.moments)
        return (moment for moment in sorted(series.moments) if start <= moment < end)

    def _settle(self) -> None:
        now = self._now()
        while self._waiting and self._waiting[0].visible_at <= now:
            self._keep(heapq.heappop(self._waiting))
        if now - self._pruned >= MINUTE:
            self._prune(now)

    def _keep(self, told: _Waiting) -> None:
        series = self._series.setdefault(told.metric, Series())
        series.step, series.unit = min(series.step, told.step), told.unit
        moment = int(told.moment // told.step) * told.step
        there = [series.moments[moment]] if moment in series.moments else []
        series.moments[moment] = merged([*there, told.samples]) or told.samples  # anew: others may be reading what is there

    def _prune(self, now: float) -> None:
        self._pruned = now
        for metric, series in list(self._series.items()):
            for moment in [moment for moment in series.moments if moment < now - KEPT_S]:
                del series.moments[moment]
            if not series.moments:
                del self._series[metric]
