"""Which lane in which hour: the cheaper one each hour, and the best day of switches that an operator would make.

A schedule repeats every day and switches lanes at most so many times. While Lambda serves, the container lane keeps a few
instances; before it takes over its fleet boots, after it hands over its fleet lingers until it has scaled in; both are paid.
The best schedule is found exactly, by dynamic programming over the hours of the day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from infra.cost.simulation.arrivals import Floats
from infra.cost.simulation.fleet import METRIC_DELAY_S
from infra.cost.simulation.hours import Hours

LANES = ("lambda", "container")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`lanes` of the 24 hours (UTC where the traffic has times, else from its start); dollars of compute and seconds missed a
    month. `switches` are (hour, lane that takes over)."""

    lanes: tuple[str, ...]
    usd_per_month: float
    missed_s_per_month: float

    @property
    def switches(self) -> tuple[tuple[int, str], ...]:
        return tuple((hour, lane) for hour, lane in enumerate(self.lanes) if lane != self.lanes[hour - 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """For each hour of the week (or of the day, where the traffic is shorter than a week) the mean dollars on each lane."""

    lambda_usd: tuple[float, ...]
    container_usd: tuple[float, ...]

    @property
    def best(self) -> tuple[str, ...]:
        pairs = zip(self.lambda_usd, self.container_usd, strict=True)
        return tuple("container" if instances < functions else "lambda" for functions, instances in pairs)


def week(hours: Hours, start: datetime | None) -> Week:
    """Means by the hour of the week from Monday 0 h where the traffic has times, else from its start."""
    many = len(hours.lambda_usd) >= 168
    period = 168 if many else 24
    first = 0 if start is None else (start.weekday() * 24 if many else 0) + start.hour
    return Week(
        lambda_usd=tuple(_by_hour(hours.lambda_usd, first, period).tolist()),
        container_usd=tuple(_by_hour(hours.container_usd, first, period).tolist()),
    )


def best_schedule(hours: Hours, start: datetime | None, *, switches: int, keep: int, month_hours: float) -> Schedule:
    """The cheapest day with at most so many switches; with 0 it is the cheaper lane alone, which keeps nothing of the other."""
    first = 0 if start is None else start.hour
    functions, instances = (_by_hour(each, first, 24) for each in (hours.lambda_usd, hours.container_usd))
    fleet = _by_hour(hours.instances, first, 24)
    an_instance = instances / np.maximum(fleet, 1e-9)
    kept = hours.fleet_usd(keep)
    boot_h = (hours.rule.boot_s + METRIC_DELAY_S) / 3600
    linger_h = hours.rule.scale_in_s / 3600
    more = np.maximum(fleet - keep, 0.0)
    takes_over = more * an_instance * boot_h  # the hour's fleet, up before the hour
    hands_over = np.roll(more * an_instance, 1) * linger_h  # the fleet of the hour before, until it has scaled in
    costs = {"lambda": functions + kept, "container": instances}
    alone = [("lambda",) * 24, ("container",) * 24]
    plans = alone + [_cheapest_day(costs, takes_over, hands_over, lane, switches) for lane in LANES if switches >= 2]

    def day_usd(lanes: Sequence[str]) -> float:
        if set(lanes) == {"lambda"}:
            return float(functions.sum())
        return math.fsum(
            float(costs[lane][hour]) + _switch_usd(lanes[hour - 1], lane, hour, takes_over, hands_over)
            for hour, lane in enumerate(lanes)
        )

    chosen = min(plans, key=lambda lanes: (day_usd(lanes), lanes))
    missed = {
        "lambda": _by_hour(hours.lambda_missed_s, first, 24),
        "container": _by_hour(hours.container_missed_s, first, 24),
    }
    days = month_hours / 24
    return Schedule(
        lanes=tuple(chosen),
        usd_per_month=day_usd(chosen) * days,
        missed_s_per_month=math.fsum(float(missed[lane][hour]) for hour, lane in enumerate(chosen)) * days,
    )


def _cheapest_day(
    costs: dict[str, Floats], takes_over: Floats, hands_over: Floats, first: str, switches: int
) -> tuple[str, ...]:
    """The cheapest 24 hours that begin with `first`, by lane and switches made so far; the day closes upon itself."""
    known: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {(first, 0): (float(costs[first][0]), (first,))}
    for hour in range(1, 24):
        following: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {}
        for (lane, made), (usd, path) in known.items():
            for then in LANES:
                count = made + (then != lane)
                total = usd + float(costs[then][hour]) + _switch_usd(lane, then, hour, takes_over, hands_over)
                if count <= switches and (total, path) < following.get((then, count), (math.inf, ())):
                    following[then, count] = (total, (*path, then))
        known = following
    closed = []
    for (lane, made), (usd, path) in known.items():
        if made + (lane != first) <= switches:
            closed.append((usd + _switch_usd(lane, first, 0, takes_over, hands_over), path))
    return min(closed)[1]


def _switch_usd(before: str, lane: str, hour: int, takes_over: Floats, hands_over: Floats) -> float:
    if before == lane:
        return 0.0
    return float((takes_over if lane == "container" else hands_over)[hour])


def _by_hour(values: Floats, first: int, period: int) -> Floats:
    """Means by position in the period; what has no hour of its own (traffic shorter than the period) repeats."""
    repeated = np.resize(values, max(period, len(values)))
    position = (np.arange(len(repeated)) + first) % period
    return np.asarray(
        np.bincount(position, repeated, minlength=period) / np.maximum(1, np.bincount(position, minlength=period))
    )
