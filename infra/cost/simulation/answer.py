"""The simulated lanes as an answer: of each lane the cheapest instance type that holds the objective, with its bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infra.cost.simulation.arrivals import Floats
from infra.cost.simulation.year import LANES, Outcome

BAND = (5, 50, 95)
TITLES = {
    "lambda": "Lambda",
    "on_demand": "Containers, on demand",
    "mixed": "Containers, on demand and spot",
    "hybrid": "Hybrid: containers, overflow to Lambda",
    "fargate": "what if: Fargate",
    "fargate_spot": "what if: Fargate, and Fargate Spot",
    "app_runner": "what if: App Runner",
    "managed": "what if: Lambda Managed Instances",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """5th percentile, median and 95th percentile over the draws."""

    low: float
    typical: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """One lane at its cheapest instance type. `feasible`: the objective is missed for no more than the budget in the typical
    draw; where no type is, the one that misses least stands here. `tried` types, `fit` of them feasible."""

    lane: str
    instance_type: str | None
    usd_per_month: Band
    missed_s_per_month: Band
    lost_per_month: Band
    feasible: bool
    tried: int
    fit: int


def best_of_each_lane(outcomes: Sequence[Outcome], *, month_s: float, budget: float) -> list[Best]:
    """`budget` is the share of the month for which the objective may be missed. A lane that was not tried is left out."""
    answer = []
    for lane in LANES:
        own = [each for each in outcomes if each.lane == lane]
        if not own:  # no type that was tried is of a size that this lane has
            continue
        fit = [each for each in own if float(np.median(each.missed_s)) <= budget * month_s]
        if fit:
            chosen = min(fit, key=lambda each: (float(np.median(each.usd)), each.instance_type or ""))
        else:
            chosen = min(own, key=lambda each: (float(np.median(each.missed_s)), float(np.median(each.usd))))
        answer.append(
            Best(
                lane=lane,
                instance_type=chosen.instance_type,
                usd_per_month=band_of(chosen.usd),
                missed_s_per_month=band_of(chosen.missed_s),
                lost_per_month=band_of(chosen.lost),
                feasible=bool(fit),
                tried=len(own),
                fit=len(fit),
            )
        )
    return answer


def band_of(values: Floats) -> Band:
    low, typical, high = (float(each) for each in np.percentile(values, BAND))
    return Band(low=low, typical=typical, high=high)
