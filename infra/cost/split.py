"""A weighted split: two lanes behind one load balancer, each with its share of the traffic, as one bill.

What a lane has of its own is priced for its share by the model; what both share, for all of the traffic, once: the load
balancer, whose dimensions add up before the largest is billed, and transfer out, whose monthly tiers the lanes fill together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from infra.config import Stage
from infra.cost.free_tiers import with_free_tiers
from infra.cost.lane import CostOptions, LaneCost, Month, Served, edge_lines
from infra.cost.lines.line import LineItem
from infra.cost.minimums import lay_out
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.savings import with_savings_plan
from infra.cost.surroundings import shared_lines
from infra.cost.traffic.profile import TrafficProfile
from infra.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """`whole` is the bill; `own` what each lane has of its own, and `shared` what they have together. Lines of `whole` are
    those of the three, so they add up to it exactly, but for a savings plan's, which covers both lanes together."""

    lambda_percent: int
    whole: LaneCost
    own: tuple[LaneCost, LaneCost]
    shared: tuple[LineItem, ...]


def price_split(
    profile: WorkloadProfile,
    traffic: TrafficProfile,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    *,
    lambda_percent: int,
) -> Split:
    """The month of a split; `InputError` where the lanes cannot stand behind one load balancer, or a share is 0 or 100."""
    if not 0 < lambda_percent < 100:
        raise InputError(f"split: {lambda_percent}/{100 - lambda_percent}: each lane must have at least 1%")
    if stage.lambda_lane.front != "load_balancer":
        raise InputError(f"split: lambda_lane.front is {stage.lambda_lane.front}; lanes share traffic behind a load_balancer")
    traffic = lay_out(traffic, stage.container_lane)
    parts = share(traffic, lambda_percent / 100), share(traffic, 1 - lambda_percent / 100)
    on_lambda = price_lambda(profile, parts[0], book, stage, options, alone=False)
    on_containers = price_container(profile, parts[1], book, stage, options, alone=False)
    month = Month(traffic=traffic, hours=options.month_hours)
    served = [
        Served(lane, Month(traffic=part, hours=options.month_hours), target)
        for lane, part, target in zip((profile.lambda_lane, profile.container_lane), parts, ("lambda", "instance"), strict=True)
    ]
    around, gaps = shared_lines(month, book, stage, options)
    shared = (*edge_lines(served, book, stage, options), *around)
    whole = LaneCost(
        lane="split",
        title=f"Split {lambda_percent}/{100 - lambda_percent}: Lambda and containers behind one load balancer",
        lines=(*on_lambda.lines, *on_containers.lines, *shared),
        searches_per_month=month.searches,
        month_hours=options.month_hours,
        capacity={
            **{f"lambda_{name}": value for name, value in on_lambda.capacity.items()},
            **{f"container_{name}": value for name, value in on_containers.capacity.items()},
        },
        misses=(*on_lambda.misses, *on_containers.misses),
        not_priced=tuple(dict.fromkeys((*on_lambda.not_priced, *on_containers.not_priced, *gaps))),
        committable=(*on_lambda.committable, *on_containers.committable),
    )
    whole = with_free_tiers(whole, book, options)
    first, second = len(on_lambda.lines), len(on_lambda.lines) + len(on_containers.lines)
    own = replace(on_lambda, lines=whole.lines[:first]), replace(on_containers, lines=whole.lines[first:second])
    shared = whole.lines[second:]
    return Split(
        lambda_percent=lambda_percent, whole=with_savings_plan(whole, book, options.savings_plan), own=own, shared=shared
    )


def share(traffic: TrafficProfile, part: float) -> TrafficProfile:
    """The same shape with a share of each step."""
    return replace(traffic, rates=tuple(rate * part for rate in traffic.rates), source=f"{part:.0%} of {traffic.source}")


def read_split(text: str) -> int:
    """`70/30` as percent to the Lambda lane, the first; `InputError` says what is right."""
    found = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text)
    if found is None or int(found[1]) + int(found[2]) != 100 or 0 in (int(found[1]), int(found[2])):
        raise InputError(f"--split: {text!r} must be two whole percentages that make 100, Lambda's first, as 70/30")
    return int(found[1])
