"""The traffic as every lane meets it: rates by step, the highest of the last steps, and the order of both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from infra.cost.traffic.profile import TrafficProfile
from infra.errors import InputError

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What happens within a step: for `share` of it the rate is `factor` times the step's mean, and less for the rest."""

    factor: float = 1.0
    share: float = 0.1

    def __post_init__(self) -> None:
        if not (math.isfinite(self.factor) and self.factor >= 1 and 0 < self.share < 1 and self.factor * self.share <= 1):
            raise InputError("burst: factor must be 1 or more, share above 0 and below 1, and factor × share at most 1")

    @property
    def phases(self) -> tuple[tuple[float, float], ...]:
        """(rate as a multiple of the step's mean, share of the step) of the burst and of the rest; one phase without burst."""
        if self.factor == 1:
            return ((1.0, 1.0),)
        rest = (1 - self.factor * self.share) / (1 - self.share)
        return tuple(phase for phase in ((self.factor, self.share), (rest, 1 - self.share)) if phase[0] > 0)


class Arrivals:
    """One profile of traffic, taken as repeating, with what is needed of it more than once.

    `rates` are mean requests a second of steps of `step_s` seconds; `burst` is what happens within each step.
    """

    def __init__(self, traffic: TrafficProfile, burst: Burst | None = None) -> None:
        self.rates: Floats = np.asarray(traffic.rates, dtype=np.float64)
        self.step_s, self.traffic = traffic.step_s, traffic
        self.burst = burst or Burst()
        self.ordered = OrderedRates(self.rates)
        self.trailing_max = lru_cache(maxsize=32)(self._trailing_max)

    @property
    def hours(self) -> float:
        return len(self.rates) * self.step_s / 3600

    @property
    def requests(self) -> float:
        return float(self.rates.sum()) * self.step_s

    def steps(self, seconds: float) -> int:
        """How many steps cover so many seconds."""
        return math.ceil(seconds / self.step_s - 1e-9)

    def _trailing_max(self, oldest: int, newest: int) -> Floats:
        """At each step the highest rate of the steps from `oldest` to `newest` steps ago, both included."""
        width = min(oldest - newest + 1, len(self.rates))
        found, covered = self.rates, 1
        while covered < width:  # each round doubles what is covered
            more = min(covered, width - covered)
            found = np.maximum(found, np.roll(found, more))
            covered += more
        return np.roll(found, newest)


class OrderedRates:
    """Values in order, with the sums of the highest: counts and sums above a threshold without looking at each."""

    def __init__(self, values: Floats) -> None:
        self.values = np.sort(values)
        self._sums = np.concatenate([np.cumsum(self.values[::-1])[::-1], [0.0]])

    def above(self, thresholds: Floats) -> Whole:
        """How many values are above each threshold."""
        return len(self.values) - np.searchsorted(self.values, thresholds, side="right")

    def excess(self, thresholds: Floats) -> Floats:
        """The sum of what is above each threshold: Σ max(0, value − threshold)."""
        first = np.searchsorted(self.values, thresholds, side="right")
        return self._sums[first] - (len(self.values) - first) * thresholds
