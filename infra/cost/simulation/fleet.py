"""The container lane over the whole profile: instances in service, instances billed, steps and requests beyond them.

Target tracking as AWS documents it: a load above the target adds instances at once, which serve once they have booted; they
go again when the load has been low for 15 minutes. (EC2 Auto Scaling User Guide, "Target tracking scaling policies".)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from infra.cost.simulation.arrivals import Arrivals, Floats, OrderedRates, Whole
from infra.errors import InputError

SCALE_IN_S = 900
"""A target tracking policy's scale-in alarm looks at 15 minutes."""
METRIC_DELAY_S = 60
"""A minute's metric is there when the minute is over."""
MANY_STEPS = 4_000
"""Beyond so many steps at risk, like ones are counted together: to a quarter of a percent, or as finely as it takes."""
RESOLUTIONS = (400, 200, 100, 50, 25)
"""Groups for each factor e of the rate; 400 are 0.25% wide, 25 are 4%."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRule:
    """How the group scales. `target` is the share of an instance's capacity that scaling keeps in use, `headroom` what is
    kept beyond that, as a share; `boot_s` is launch to serving."""

    minimum: int
    maximum: int
    on_demand_base: int
    spot_share: float
    target: float
    boot_s: float = 60.0
    headroom: float = 0.0
    scale_in_s: float = SCALE_IN_S

    def __post_init__(self) -> None:
        checks = (
            (0 < self.minimum <= self.maximum, "minimum: must be 1 to maximum"),
            (self.on_demand_base >= 0, "on_demand_base: must be 0 or more"),
            (0 <= self.spot_share <= 1, "spot_share: must be 0 to 1"),
            (0 < self.target <= 1, "target: must be above 0, at most 1"),
            (self.boot_s >= 0 and math.isfinite(self.boot_s), "boot_s: must be 0 or more"),
            (self.headroom >= 0, "headroom: must be 0 or more"),
            (self.scale_in_s >= 60, "scale_in_s: must be 60 or more"),
        )
        for right, reason in checks:
            if not right:
                raise InputError(f"fleet: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOutcome:
    """One figure a draw. `missed_s` are the seconds in which load is above what the fleet serves within the objective,
    `beyond` the requests above that: late, refused, or for another lane to take."""

    on_demand_hours: Floats
    spot_hours: Floats
    missed_s: Floats
    beyond: Floats
    most: Floats


class Fleet:
    """One rule on one traffic. `run` answers for any number of capacities at once."""

    def __init__(self, arrivals: Arrivals, rule: FleetRule) -> None:
        self._arrivals, self.rule = arrivals, rule
        delay = min(arrivals.steps(rule.boot_s + METRIC_DELAY_S), arrivals.steps(rule.scale_in_s))
        oldest = max(arrivals.steps(rule.scale_in_s), delay)
        billed = arrivals.trailing_max(oldest, 0)
        self._serving = arrivals.trailing_max(oldest, delay)
        self._billed = OrderedRates(billed)
        self._at_risk = lru_cache(maxsize=16)(self._steps_at_risk)

    def run(self, rps: Floats, ceiling: Floats | float = 1.0) -> FleetOutcome:
        """`rps` is one instance's capacity at full use in each draw; `ceiling` the share that is within the objective."""
        rps = np.atleast_1d(np.asarray(rps, dtype=np.float64))
        ceiling = np.broadcast_to(np.asarray(ceiling, dtype=np.float64), rps.shape)
        if not (np.all(rps > 0) and np.all(ceiling > 0)):
            raise InputError("fleet: an instance must serve more than 0 requests a second")
        on_demand, spot, most = self._hours(rps)
        missed, beyond = self._misses(rps, rps * ceiling, math.floor(float(ceiling.min()) * 50) / 50)
        return FleetOutcome(on_demand_hours=on_demand, spot_hours=spot, missed_s=missed, beyond=beyond, most=most)

    def _step_up(self, rps: Floats) -> Floats:
        """The load at which one more instance is asked for, for each one there is."""
        return rps * self.rule.target / (1 + self.rule.headroom)

    def _hours(self, rps: Floats) -> tuple[Floats, Floats, Floats]:
        rule, steps = self.rule, len(self._arrivals.rates)
        each = np.arange(rule.minimum, rule.maximum, dtype=np.float64)  # instance number n + 1 runs in steps that ask for it
        asked = (
            self._billed.above(np.outer(self._step_up(rps), each)).astype(np.float64) if len(each) else np.zeros((len(rps), 0))
        )
        hours = self._arrivals.step_s / 3600
        total = (rule.minimum * steps + asked.sum(axis=1)) * hours
        spot_of = np.diff([spot_among(n, rule) for n in range(rule.minimum, rule.maximum + 1)])
        spot = (spot_among(rule.minimum, rule) * steps + asked @ spot_of) * hours
        return total - spot, spot, rule.minimum + (asked > 0).sum(axis=1).astype(np.float64)

    def instances(self, rps: Floats, steps: Whole) -> Floats:
        """Instances in service at the given steps; `rps` is of the same shape."""
        asked = np.ceil(self._serving[steps] / self._step_up(rps) - 1e-9)
        return np.clip(asked, self.rule.minimum, self.rule.maximum)

    def _misses(self, rps: Floats, served: Floats, lowest: float) -> tuple[Floats, Floats]:
        arrivals, rule = self._arrivals, self.rule
        missed, beyond = np.zeros_like(rps), np.zeros_like(rps)
        for factor, share in arrivals.burst.phases:
            seconds = share * arrivals.step_s
            top = rule.maximum * served / factor  # a mean rate above this is beyond the largest fleet, whatever it has now
            missed += arrivals.ordered.above(top) * seconds
            beyond += arrivals.ordered.excess(top) * factor * seconds
            # And what a fleet lacks that is not yet the largest.
            rate, serving, weight = self._at_risk(lowest, factor)
            enough = rate * factor <= rule.minimum * float(served.min())
            rate, serving, weight = rate[~enough], serving[~enough], weight[~enough]
            asked = np.ceil(serving / self._step_up(rps)[:, None] - 1e-9)
            have = np.clip(asked, rule.minimum, rule.maximum) * served[:, None]
            load = np.minimum(rate * factor, rule.maximum * served[:, None])
            missed += ((load > have * (1 + 1e-12)) & (rate <= top[:, None])) @ weight * seconds
            beyond += np.maximum(load - have, 0.0) @ weight * seconds
        return missed, beyond

    def _steps_at_risk(self, lowest: float, factor: float) -> tuple[Floats, Floats, Floats]:
        """Rate, served maximum and count of the steps whose load can be above a fleet that is not the largest yet: those
        that rise above what the last minutes made the group ready for. `lowest` is the lowest ceiling of the draws."""
        ready = self._serving * (1 + self.rule.headroom) / self.rule.target
        risky = self._arrivals.rates * factor > ready * lowest
        rate, before = self._arrivals.rates[risky], self._serving[risky]
        return _grouped(rate, before)


def _grouped(rate: Floats, before: Floats) -> tuple[Floats, Floats, Floats]:
    """The points themselves, or, of many, the means of like ones and their counts."""
    if len(rate) <= MANY_STEPS:
        return rate, before, np.ones_like(rate)
    rate, before = np.maximum(rate, 1e-9), np.maximum(before, 1e-9)
    for resolution in RESOLUTIONS:
        keys = np.round(np.log(rate) * resolution).astype(np.int64) * 1_000_000 + np.round(np.log(before) * resolution).astype(
            np.int64
        )
        _, group, counts = np.unique(keys, return_inverse=True, return_counts=True)
        if len(counts) <= MANY_STEPS:
            break
    weight = counts.astype(np.float64)
    return np.bincount(group, rate) / weight, np.bincount(group, before) / weight, weight


def spot_among(count: int, rule: FleetRule) -> int:
    """Spot instances among so many: on demand is the base, and of the rest its share, rounded up (as EC2 Auto Scaling does)."""
    above = max(0, count - rule.on_demand_base)
    return above - math.ceil(above * (1 - rule.spot_share) - 1e-9)
