"""What the engine says that the month needs, for the values that stand beside the workbook's formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass

from infra.cost import capacity
from infra.cost.compare import Comparison
from infra.cost.minimums import minimums
from infra.cost.model import fleet_instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """`steps` has, of each step: environments, those beyond provisioned ones, new ones (or environments, instances and 0 with
    Lambda Managed Instances), then instances wanted, running, and on demand."""

    container: capacity.ContainerNeed
    lambda_: capacity.LambdaNeed | None
    managed: capacity.ManagedNeed | None
    seconds: float
    steps: tuple[tuple[float, ...], ...]


def needs_of(comparison: Comparison) -> Needs:
    profile, traffic, stage, options = comparison.profile, comparison.traffic, comparison.stage, comparison.options
    fleet, settings, instance = stage.container_lane, stage.lambda_lane, fleet_instance(comparison.prices, stage)
    container = capacity.container_need(profile.container_lane, traffic, fleet, instance, cpu_scale=options.cpu_scale)
    managed = lambda_need = None
    if settings.managed_concurrency is not None:
        managed = capacity.managed_need(profile.lambda_lane, traffic, stage, instance, cpu_scale=options.cpu_scale)
        seconds = managed.seconds_per_search
    else:
        lambda_need = capacity.lambda_need(
            profile.lambda_lane,
            traffic,
            settings.memory_mb,
            cpu_scale=options.cpu_scale,
            limit=options.account_concurrency,
            provisioned=settings.provisioned_concurrency or 0,
        )
        seconds = lambda_need.seconds_per_search
    provisioned = settings.provisioned_concurrency or 0
    environments = [rate * seconds for rate in traffic.rates]
    beyond = [max(0.0, each - provisioned) for each in environments]
    rises = [max(0.0, now - before) for before, now in zip([beyond[-1], *beyond], beyond, strict=False)]
    first: list[tuple[float, float, float]] = list(zip(environments, beyond, rises, strict=True))
    if managed is not None:
        least, each = capacity.MANAGED_LEAST, managed_rps(comparison)
        at_once = settings.managed_concurrency or 1
        first = [(max(least, rate * seconds / at_once), max(least, _ceil(rate / each)), 0.0) for rate in traffic.rates]
    second = []
    for rate, low in zip(traffic.rates, minimums(fleet, traffic), strict=True):
        wanted = _ceil(rate / container.rps_per_instance)
        running = min(max(low, wanted), fleet.max_instances)
        base = min(running, fleet.on_demand_base)
        second.append((wanted, running, base + math.ceil((running - base) * (100 - fleet.spot_percent) / 100)))
    steps = tuple((*ours, *theirs) for ours, theirs in zip(first, second, strict=True))
    return Needs(container=container, lambda_=lambda_need, managed=managed, seconds=seconds, steps=steps)


def managed_rps(comparison: Comparison) -> float:
    """Searches a second that one instance under Lambda's management serves."""
    instance = fleet_instance(comparison.prices, comparison.stage)
    cpu_s = comparison.profile.lambda_lane.cpu_ms_per_search * comparison.options.cpu_scale / 1000
    return instance.vcpu * comparison.stage.container_lane.target_utilization / cpu_s


def _ceil(value: float) -> int:
    return math.ceil(value - 1e-9)
