"""Which input moves the answer: each one varied by the same share, the others as they are, and what that does to each lane's
month and to the crossover.

The same exact model answers each time. Inputs come in order of what they move, the widest first (a tornado).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec

from infra.cost.crossover import CurvePoint, find_crossover
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import InstanceType, Price
from infra.cost.simulation.arrivals import Burst
from infra.cost.surface import Surface
from infra.cost.traffic.profile import flat_rate
from infra.cost.world import World
from infra.errors import InputError


@dataclass(frozen=True, slots=True)
class Point:
    """Both lanes' months and the lowest crossover (None: there is none, or the input has no bearing on it)."""

    lambda_usd: Decimal
    container_usd: Decimal
    crossover_rps: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One input at `low` and `high`, in words, and the answer there. `refused` says why one side cannot be (None: it can)."""

    name: str
    low: str
    high: str
    at_low: Point | None
    at_high: Point | None
    refused: str | None = None

    def swing(self, base: Point) -> Decimal:
        """The most that either lane's month moves from `base`."""
        points = [point for point in (self.at_low, self.at_high) if point is not None]
        moves = [abs(p.lambda_usd - base.lambda_usd) for p in points] + [
            abs(p.container_usd - base.container_usd) for p in points
        ]
        return max(moves, default=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """`effects`, widest first; `share` is by how much each input was varied."""

    base: Point
    share: float
    effects: tuple[Effect, ...]


Vary = Callable[[World, float], tuple[World, str]]


def sensitivity(world: World, share: float = 0.2) -> Sensitivity:
    """Every input at its value × (1 − share) and × (1 + share); `InputError` for a share that is not between 0 and 1."""
    if not 0 < share < 1:
        raise InputError(f"share: {share:g} must be above 0 and below 1")
    base = answer(world)
    effects = [_effect(world, name, vary, share) for name, vary in INPUTS.items()]
    order = sorted(effects, key=lambda effect: (-effect.swing(base), effect.name))
    return Sensitivity(base=base, share=share, effects=tuple(order))


def answer(world: World) -> Point:
    """Both lanes' months, exactly, and the lowest crossover of steady rates."""
    given = world.profile, world.traffic, world.book, world.stage, world.options
    return Point(
        lambda_usd=price_lambda(*given).usd_per_month,
        container_usd=price_container(*given).usd_per_month,
        crossover_rps=_crossover(world),
    )


def _crossover(world: World) -> float | None:
    """The surface is quick; what it does not know (`Surface.knows`) the exact model searches."""
    if Surface.knows(world):
        return Surface(world).crossover(Burst())

    def at(rps: float) -> CurvePoint:
        given = world.profile, flat_rate(rps), world.book, world.stage, world.options
        return CurvePoint(rps, price_lambda(*given).usd_per_month, price_container(*given).usd_per_month)

    return find_crossover(world.profile, world.book, world.stage, world.options, at).rps


def sensitivity_document(found: Sensitivity) -> dict[str, object]:
    """As JSON values, rounded."""
    return {
        "vary": found.share,
        "base": _point(found.base),
        "inputs": [
            {
                "name": each.name,
                "low": {"value": each.low, **_point(each.at_low)},
                "high": {"value": each.high, **_point(each.at_high)},
                "swing_usd_per_month": round(float(each.swing(found.base)), 2),
                "refused": each.refused,
            }
            for each in found.effects
        ],
    }


def _point(point: Point | None) -> dict[str, float | None]:
    if point is None:
        return {"lambda_usd_per_month": None, "container_usd_per_month": None, "crossover_rps": None}
    rps = point.crossover_rps
    return {
        "lambda_usd_per_month": round(float(point.lambda_usd), 2),
        "container_usd_per_month": round(float(point.container_usd), 2),
        "crossover_rps": None if rps is None else round(rps, 4),
    }


def _effect(world: World, name: str, vary: Vary, share: float) -> Effect:
    sides: list[tuple[str, Point | None]] = []
    refused = None
    for factor in (1 - share, 1 + share):
        try:
            changed, said = vary(world, factor)
            sides.append((said, answer(changed)))
        except InputError as error:
            refused = str(error)
            sides.append(("cannot be", None))
    (low, at_low), (high, at_high) = sides
    return Effect(name=name, low=low, high=high, at_low=at_low, at_high=at_high, refused=refused)


def _measured(*fields: str) -> Vary:
    """The same field of both lanes' measurements."""

    def vary(world: World, factor: float) -> tuple[World, str]:
        lanes = []
        for lane in (world.profile.lambda_lane, world.profile.container_lane):
            known = {field: getattr(lane, field) for field in fields if getattr(lane, field) is not None}
            lanes.append(msgspec.structs.replace(lane, **{field: value * factor for field, value in known.items()}))
        if all(getattr(lanes[0], field) is None for field in fields):
            raise InputError(f"{fields[0]}: was not measured")
        figures = (sum(getattr(lane, field) or 0 for field in fields) for lane in lanes)
        said = " / ".join(dict.fromkeys(f"{value:,.0f}" if value >= 1_000 else f"{value:.4g}" for value in figures))
        profile = msgspec.structs.replace(world.profile, lambda_lane=lanes[0], container_lane=lanes[1])
        return replace(world, profile=profile), said

    return vary


def _rate(world: World, factor: float) -> tuple[World, str]:
    traffic = replace(world.traffic, rates=tuple(rate * factor for rate in world.traffic.rates))
    return replace(
        world, traffic=traffic
    ), f"{traffic.mean_rps:.4g}/s" if traffic.mean_rps < 1_000 else f"{traffic.mean_rps:,.0f}/s"


def _memory(world: World, factor: float) -> tuple[World, str]:
    memory = math.floor(world.stage.lambda_lane.memory_mb * factor + 0.5)
    lane = replace(world.stage.lambda_lane, memory_mb=memory)
    return replace(world, stage=replace(world.stage, lambda_lane=lane)), f"{memory} MB"


def _target(world: World, factor: float) -> tuple[World, str]:
    target = world.stage.container_lane.target_utilization * factor
    lane = replace(world.stage.container_lane, target_utilization=target)
    return replace(world, stage=replace(world.stage, container_lane=lane)), f"{target:.0%}"


def _spot_share(world: World, factor: float) -> tuple[World, str]:
    percent = min(100, math.floor(world.stage.container_lane.spot_percent * factor + 0.5))
    lane = replace(world.stage.container_lane, spot_percent=percent)
    return replace(world, stage=replace(world.stage, container_lane=lane)), f"{percent}%"


def _instances(change: Callable[[InstanceType, Decimal], InstanceType]) -> Vary:
    def vary(world: World, factor: float) -> tuple[World, str]:
        by = Decimal(repr(factor))
        instances: Mapping[str, InstanceType] = {name: change(each, by) for name, each in world.book.instances.items()}
        return replace(world, book=replace(world.book, instances=instances)), f"× {factor:g}"

    return vary


def _price(service: str, *dimensions: str) -> Vary:
    def vary(world: World, factor: float) -> tuple[World, str]:
        by = Decimal(repr(factor))
        changed = {(service, name): _times(world.book.price(service, name), by) for name in dimensions}
        return replace(world, book=replace(world.book, prices={**world.book.prices, **changed})), f"× {factor:g}"

    return vary


def _times(price: Price, factor: Decimal) -> Price:
    return replace(price, tiers=tuple(replace(tier, usd=tier.usd * factor) for tier in price.tiers))


def _spot_price(instance: InstanceType, factor: Decimal) -> InstanceType:
    return instance if instance.spot is None else replace(instance, spot=_times(instance.spot, factor))


def _on_demand_price(instance: InstanceType, factor: Decimal) -> InstanceType:
    return replace(instance, on_demand=_times(instance.on_demand, factor))


INPUTS: dict[str, Vary] = {
    "CPU a search, ms": _measured("cpu_ms_per_search"),
    "waiting a search, ms": _measured("wait_ms"),
    "cold start, ms": _measured("cold_start_ms"),
    "bytes out a search": _measured("response_bytes", "upstream_bytes_out"),
    "log bytes a search": _measured("log_bytes_per_search"),
    "rate": _rate,
    "Lambda memory": _memory,
    "target utilization": _target,
    "spot share": _spot_share,
    "spot price": _instances(_spot_price),
    "on-demand price": _instances(_on_demand_price),
    "Lambda duration price": _price("AWSLambda", "duration_arm64", "duration_x86_64"),
    "transfer out price": _price("AWSDataTransfer", "out_internet"),
}
