"""The steady rates at which the cheaper lane changes, searched for with the exact model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from infra.config import Stage
from infra.cost import capacity
from infra.cost.lane import LANE_NAMES, CostOptions
from infra.cost.model import fleet_instance
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile

LOWEST_RPS = 0.001


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a month at one steady rate costs on each lane."""

    rps: float
    lambda_usd: Decimal
    container_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossover:
    """Steady rates at which the cheaper lane changes, lowest first; `reason` explains none, or more than one."""

    rates: tuple[float, ...]
    searched_to_rps: float
    cheaper_below: str
    reason: str | None

    @property
    def rps(self) -> float | None:
        return self.rates[0] if self.rates else None


def find_crossover(
    profile: WorkloadProfile,
    prices: PriceBook,
    stage: Stage,
    options: CostOptions,
    at: Callable[[float], CurvePoint],
) -> Crossover:
    """Search every rate the container fleet can serve, from 0.001/s up to its maximum at target utilization.

    Between two instance counts both lanes' costs are continuous, so looking at both sides of each added instance, and
    at points between, finds each change; bisection then places it.
    """
    fleet = stage.container_lane
    per_instance = capacity.rps_per_instance(
        profile.container_lane, fleet, fleet_instance(prices, stage), cpu_scale=options.cpu_scale
    )
    highest = per_instance * fleet.max_instances
    edges = {per_instance * n * side for n in range(1, fleet.max_instances) for side in (1.0, 1.000001)}
    rates = sorted({rate for rate in edges if rate > LOWEST_RPS} | set(log_spaced(LOWEST_RPS, highest, 200)))
    dearer = [_lambda_is_dearer(at(rate)) for rate in rates]
    found = [
        _bisect(low, high, was, at)
        for low, high, was, now in zip(rates, rates[1:], dearer, dearer[1:], strict=False)
        if was != now
    ]
    below = "container" if dearer[0] else "lambda"
    reason = None
    if not found:
        reason = (
            f"the {LANE_NAMES[below]} lane is the cheaper one at every steady rate up to {highest:,.0f}/s, "
            f"which is what {fleet.max_instances} instances serve"
        )
    elif len(found) > 1:
        others = ", ".join(f"{rate:,.2f}" for rate in found[1:4])
        more = f" and at {len(found) - 4} higher rates" if len(found) > 4 else ""
        reason = (
            f"the cheaper lane changes {len(found)} times, as each added instance is a step in cost; also at {others}/s{more}"
        )
    return Crossover(rates=tuple(found), searched_to_rps=highest, cheaper_below=below, reason=reason)


def _lambda_is_dearer(point: CurvePoint) -> bool:
    return point.lambda_usd > point.container_usd


def _bisect(low: float, high: float, below: bool, at: Callable[[float], CurvePoint]) -> float:
    while high / low > 1 + 1e-7:
        middle = math.sqrt(low * high)
        if _lambda_is_dearer(at(middle)) == below:
            low = middle
        else:
            high = middle
    return high


def log_spaced(low: float, high: float, count: int) -> list[float]:
    """`count` rates from `low` to `high`, each the same factor above the one before."""
    return [low * (high / low) ** (i / (count - 1)) for i in range(count)]
