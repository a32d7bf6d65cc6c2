"""Compare the lanes: both months side by side, and the rate at which the cheaper lane changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.config import Stage
from infra.cost.crossover import Crossover, CurvePoint, find_crossover, log_spaced
from infra.cost.egress import Egress, egress_choices
from infra.cost.free_tiers import take_free
from infra.cost.lane import CostOptions, LaneCost
from infra.cost.lines.line import LineItem
from infra.cost.minimums import lay_out
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.savings import check_plan
from infra.cost.split import Split, price_split
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.cost.world import World
from infra.errors import InputError

if TYPE_CHECKING:
    from infra.cost.likely import Likely
    from infra.cost.sensitivity import Sensitivity

CURVE_FROM_RPS = 0.1
CURVE_POINTS = 60


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
    def world(self) -> World:
        """What it was made of."""
        return World(profile=self.profile, traffic=self.traffic, book=self.prices, stage=self.stage, options=self.options)

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


def _curve(crossover: Crossover, traffic: TrafficProfile, at: Callable[[float], CurvePoint]) -> tuple[CurvePoint, ...]:
    highest = min(crossover.searched_to_rps, max(10 * (crossover.rps or 1.0), 2 * traffic.peak_rps))
    rates = set(log_spaced(min(CURVE_FROM_RPS, highest / 10), highest, CURVE_POINTS)) | set(crossover.rates[:1])
    return tuple(at(rate) for rate in sorted(rates))
