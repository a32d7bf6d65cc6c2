"""The container lane over the whole profile: instances in service, instances billed, steps and requests beyond them.

Target tracking as AWS documents it: a load above the target adds instances at once, which serve once they have booted; they
go again when the load has been low for 15 minutes. (EC2 Auto Scaling User Guide, "Target tracking scaling policies".)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    """One rule on one traffic. `run` answers for any number of capacities at once.

    `minimums` are the fewest instances of each step, where they are not the rule's at all times; one more is billed from the
    step on that has it, and serves once it has booted. Steps of the same minimum are counted together.
    """

    def __init__(self, arrivals: Arrivals, rule: FleetRule, minimums: Sequence[int] | None = None) -> None:
        self._arrivals, self.rule = arrivals, rule
        delay = min(arrivals.steps(rule.boot_s + METRIC_DELAY_S), arrivals.steps(rule.scale_in_s))
        oldest = max(arrivals.steps(rule.scale_in_s), delay)
        billed = arrivals.trailing_max(oldest, 0)
        self._serving = arrivals.trailing_max(oldest, delay)
        least = np.full(len(arrivals.rates), rule.minimum, dtype=np.int64)
        if minimums is not None:
            least = np.asarray(minimums, dtype=np.int64)
            if least.min() < 1 or least.max() > rule.maximum:
                raise InputError("fleet: minimums: must be 1 to maximum")
        self.least = least
        """Instances that are paid for at least, of each step."""
        self.least_serving = least_since(least, arrivals.steps(rule.boot_s))
        self._billed = [(int(each), OrderedRates(billed[least == each])) for each in np.unique(least)]
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
        asked = self.asked(rps)
        lowest, hours = rule.maximum - asked.shape[1], self._arrivals.step_s / 3600
        total = (lowest * steps + asked.sum(axis=1)) * hours
        spot_of = np.diff([spot_among(n, rule) for n in range(lowest, rule.maximum + 1)])
        spot = (spot_among(lowest, rule) * steps + asked @ spot_of) * hours
        return total - spot, spot, lowest + (asked > 0).sum(axis=1).astype(np.float64)

    def asked(self, rps: Floats) -> Floats:
        """For each instance beyond the lowest minimum, up to the largest fleet, in how many steps it runs: those whose load or
        whose minimum asks for it."""
        lowest = self._billed[0][0]
        found = np.zeros((len(rps), self.rule.maximum - lowest))
        for least, billed in self._billed:
            found[:, : least - lowest] += len(billed.values)
            each = np.arange(least, self.rule.maximum, dtype=np.float64)  # instance number n + 1 runs in steps that ask for it
            if len(each):
                found[:, least - lowest :] += billed.above(np.outer(self._step_up(rps), each))
        return found

    def on_demand_each(self, rps: Floats) -> Floats:
        """Hours of every instance on demand, the busiest first, in each draw."""
        rule, asked = self.rule, self.asked(rps)
        lowest, hours = rule.maximum - asked.shape[1], self._arrivals.step_s / 3600
        bought = 1 - np.diff([spot_among(n, rule) for n in range(lowest, rule.maximum + 1)])
        always = np.full((len(rps), lowest - spot_among(lowest, rule)), float(len(self._arrivals.rates)))
        return np.asarray(np.hstack([always, asked[:, bought.astype(bool)]]) * hours)

    def instances(self, rps: Floats, steps: Whole) -> Floats:
        """Instances in service at the given steps; `rps` is of the same shape."""
        asked = np.ceil(self._serving[steps] / self._step_up(rps) - 1e-9)
        return np.asarray(np.clip(asked, self.least_serving[steps], self.rule.maximum))

    def _misses(self, rps: Floats, served: Floats, lowest: float) -> tuple[Floats, Floats]:
        arrivals, rule = self._arrivals, self.rule
        missed, beyond = np.zeros_like(rps), np.zeros_like(rps)
        for factor, share in arrivals.burst.phases:
            seconds = share * arrivals.step_s
            top = rule.maximum * served / factor  # a mean rate above this is beyond the largest fleet, whatever it has now
            missed += arrivals.ordered.above(top) * seconds
            beyond += arrivals.ordered.excess(top) * factor * seconds
            # And what a fleet lacks that is not yet the largest.
            for least, rate, serving, weight in self._at_risk(lowest, factor):
                risky = rate * factor > least * float(served.min())
                load = np.minimum(rate[risky] * factor, rule.maximum * served[:, None])
                asked = np.ceil(serving[risky] / self._step_up(rps)[:, None] - 1e-9)
                have = np.clip(asked, least, rule.maximum) * served[:, None]
                missed += ((load > have * (1 + 1e-12)) & (rate[risky] <= top[:, None])) @ weight[risky] * seconds
                beyond += np.maximum(load - have, 0.0) @ weight[risky] * seconds
        return missed, beyond

    def _steps_at_risk(self, lowest: float, factor: float) -> list[tuple[int, Floats, Floats, Floats]]:
        """Minimum, and of its steps rate, served maximum and count of those whose load can be above a fleet that is not the
        largest yet: those that rise above what the last minutes made the group ready for. `lowest` is the lowest ceiling of
        the draws."""
        ready = self._serving * (1 + self.rule.headroom) / self.rule.target
        risky = self._arrivals.rates * factor > ready * lowest
        found = []
        for least in np.unique(self.least_serving):
            own = risky & (self.least_serving == least)
            found.append((int(least), *_grouped(self._arrivals.rates[own], self._serving[own])))
        return found


def least_since(values: Whole, steps: int) -> Whole:
    """At each step the lowest value of this and of so many steps before it; the profile repeats."""
    found = values
    for back in range(1, min(steps, len(values) - 1) + 1):
        found = np.minimum(found, np.roll(values, back))
    return found


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
