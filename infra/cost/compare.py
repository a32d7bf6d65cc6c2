"""Compare the lanes: both months side by side, and the rate at which the cheaper lane changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infra.config import Stage
from infra.cost import capacity
from infra.cost.egress import Egress, egress_choices
from infra.cost.free_tiers import take_free
from infra.cost.lane import CostOptions, LaneCost
from infra.cost.lines.line import LineItem
from infra.cost.minimums import lay_out
from infra.cost.model import fleet_instance, price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.savings import check_plan
from infra.cost.split import Split, price_split
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.errors import InputError

if TYPE_CHECKING:
    from infra.cost.likely import Likely
    from infra.cost.sensitivity import Sensitivity

LOWEST_RPS = 0.001
CURVE_FROM_RPS = 0.1
CURVE_POINTS = 60


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything a report is made of; the inputs stand beside the results.

    `stated` are assumptions that the inputs brought with them (name, value, why); `unpriced` what templates deploy and no line
    stands for; `billed` what `crossover cost actuals --json` said of a bill.
    """

    profile: WorkloadProfile
    traffic: TrafficProfile
    prices: PriceBook
    stage: Stage
    options: CostOptions
    lambda_lane: LaneCost
    container_lane: LaneCost
    crossover: Crossover
    curve: tuple[CurvePoint, ...]
    egress: tuple[Egress, ...]
    split: Split | None = None
    sensitivity: Sensitivity | None = None
    likely: Likely | None = None
    billed: Mapping[str, Any] | None = None
    stated: tuple[tuple[str, str, str], ...] = ()
    unpriced: tuple[str, ...] = ()

    @property
    def lanes(self) -> tuple[LaneCost, LaneCost]:
        return self.lambda_lane, self.container_lane

    @property
    def bills(self) -> tuple[LaneCost, ...]:
        """The lanes, and the split where one was asked for."""
        return self.lanes if self.split is None else (*self.lanes, self.split.whole)

    @property
    def cheaper(self) -> LaneCost:
        return min(self.lanes, key=lambda lane: lane.usd_per_month)

    @property
    def dearer(self) -> LaneCost:
        return self.lambda_lane if self.cheaper is self.container_lane else self.container_lane


@dataclass(frozen=True, slots=True)
class Beside:
    """Lines of each lane that stand beside what the model prices, the same whatever the traffic."""

    on_lambda: tuple[LineItem, ...] = ()
    on_containers: tuple[LineItem, ...] = ()


def compare(
    profile: WorkloadProfile,
    traffic: TrafficProfile,
    prices: PriceBook,
    stage: Stage,
    *,
    options: CostOptions,
    lambda_percent: int | None = None,
    beside: Beside | None = None,
) -> Comparison:
    """Price both lanes for one month of the traffic, and find the crossover with the same model at steady rates; with
    `lambda_percent` also the split of the traffic that gives the Lambda lane so much, with `beside` what else each lane has.

    Raises `InputError` for a missing price, a stage that does not fit the measurement, or a book of another region.
    """
    if prices.region != stage.region:
        raise InputError(f"region: the stage is in {stage.region}, the price book is for {prices.region}")

    besides = beside or Beside()
    traffic = lay_out(traffic, stage.container_lane)

    def priced(over: TrafficProfile) -> tuple[LaneCost, LaneCost]:
        on_lambda = price_lambda(profile, over, prices, stage, options)
        on_containers = price_container(profile, over, prices, stage, options)
        both = zip((on_lambda, on_containers), (besides.on_lambda, besides.on_containers), strict=True)
        first, second = (
            lane.with_lines(take_free(lines, prices, beside=lane.lines) if options.free_tier else lines) for lane, lines in both
        )
        return first, second

    def at(rps: float) -> CurvePoint:
        return CurvePoint(rps, *(lane.usd_per_month for lane in priced(flat_rate(rps))))

    if options.savings_plan is not None:
        check_plan(prices, options.savings_plan)
    split = None
    if lambda_percent is not None:
        split = price_split(profile, traffic, prices, stage, options, lambda_percent=lambda_percent)
    lambda_cost, container_cost = priced(traffic)
    crossover = find_crossover(profile, prices, stage, options, at)
    return Comparison(
        profile=profile,
        traffic=traffic,
        prices=prices,
        stage=stage,
        options=options,
        lambda_lane=lambda_cost,
        container_lane=container_cost,
        crossover=crossover,
        curve=_curve(crossover, traffic, at),
        egress=egress_choices(profile.container_lane, traffic, prices, stage, options),
        split=split,
    )


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
    rates = sorted({rate for rate in edges if rate > LOWEST_RPS} | set(_log_spaced(LOWEST_RPS, highest, 200)))
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
            f"the {below} lane is the cheaper one at every steady rate up to {highest:,.0f}/s, "
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


def _curve(crossover: Crossover, traffic: TrafficProfile, at: Callable[[float], CurvePoint]) -> tuple[CurvePoint, ...]:
    highest = min(crossover.searched_to_rps, max(10 * (crossover.rps or 1.0), 2 * traffic.peak_rps))
    rates = set(_log_spaced(min(CURVE_FROM_RPS, highest / 10), highest, CURVE_POINTS)) | set(crossover.rates[:1])
    return tuple(at(rate) for rate in sorted(rates))


def _log_spaced(low: float, high: float, count: int) -> list[float]:
    return [low * (high / low) ** (i / (count - 1)) for i in range(count)]
