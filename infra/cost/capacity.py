"""How much of each lane a traffic profile needs: Lambda environments and billed seconds, container instances.

Physics only, no prices. Figures are means within a step; queueing within a step is not simulated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from infra.config import ContainerLane, Stage
from infra.cost.minimums import minimums
from infra.cost.prices.book import InstanceType
from infra.cost.profile import LaneProfile
from infra.cost.traffic.profile import TrafficProfile
from infra.errors import InputError
from infra.sizing import cpu_share as cpu_share
from infra.sizing import environments, instances, seconds_on_lambda
from infra.sizing import rps_per_instance as sized

MANAGED_LEAST = 3
"""Lambda Managed Instances keep an environment, and so an instance, in each of three zones (AWS Lambda documentation)."""
OS_MEMORY_MIB = 512
"""Memory left to the operating system and the agent on an instance (an assumption, shown in the report)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaNeed:
    """What the Lambda lane needs over the whole profile.

    `seconds_per_search` and `init_seconds` are at the stage's memory. `cold_starts` counts environments that had to be
    added beyond the provisioned ones, over the profile taken as repeating. `provisioned_share` is the share of all running
    time that provisioned environments serve. `steps_over_limit` are steps that need more than `limit` environments.
    """

    seconds_per_search: float
    init_seconds: float
    peak_environments: float
    cold_starts: float
    provisioned_share: float
    limit: int
    steps_over_limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedNeed:
    """What Lambda Managed Instances need over the whole profile. `steps_over_limit` need more environments than the stage
    allows."""

    seconds_per_search: float
    instance_hours: float
    instances_by_step: tuple[int, ...]
    peak_instances: int
    peak_environments: float
    steps_over_limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerNeed:
    """What the container lane needs over the whole profile: instance-hours by way of paying, and what it cannot serve.

    `steps_over_capacity` are steps whose rate would push the largest fleet over its target utilization;
    `searches_beyond_capacity` are those above what the largest fleet can do at 100% CPU.
    """

    rps_per_instance: float
    peak_instances: int
    on_demand_hours: float
    spot_hours: float
    on_demand_by_step: tuple[int, ...]
    steps_over_capacity: int
    searches_beyond_capacity: float

    @property
    def instance_hours(self) -> float:
        return self.on_demand_hours + self.spot_hours


def lambda_seconds(lane: LaneProfile, memory_mb: int, cpu_scale: float) -> float:
    """Billed seconds of one search."""
    return seconds_on_lambda(cpu_ms=lane.cpu_ms_per_search, wait_ms=lane.wait_ms, memory_mb=memory_mb, cpu_scale=cpu_scale)


def lambda_need(
    lane: LaneProfile, traffic: TrafficProfile, memory_mb: int, *, cpu_scale: float, limit: int, provisioned: int = 0
) -> LambdaNeed:
    """Environments by Little's law (rate × duration); a rise from one step to the next is so many cold starts, of those
    that exceed the provisioned ones.

    Refuses (`InputError`) a memory size below what the measurement used.
    """
    if lane.memory_mb > memory_mb:
        raise InputError(f"lambda_lane.memory_mb: {memory_mb} MB is less than the {lane.memory_mb:g} MiB measured; choose more")
    seconds = lambda_seconds(lane, memory_mb, cpu_scale)
    at_work = [environments(rate, seconds) for rate in traffic.rates]
    beyond = [max(0.0, needed - provisioned) for needed in at_work]
    rises = (max(0.0, now - before) for before, now in zip([beyond[-1], *beyond], beyond, strict=False))
    return LambdaNeed(
        seconds_per_search=seconds,
        init_seconds=lane.cold_start_ms * cpu_scale / cpu_share(memory_mb) / 1000,
        peak_environments=max(at_work),
        cold_starts=math.fsum(rises),
        provisioned_share=1 - math.fsum(beyond) / math.fsum(at_work) if provisioned else 0.0,
        limit=limit,
        steps_over_limit=sum(needed > limit for needed in at_work),
    )


def managed_need(
    lane: LaneProfile, traffic: TrafficProfile, stage: Stage, instance: InstanceType, *, cpu_scale: float
) -> ManagedNeed:
    """Instances of each step, by CPU at the container lane's target and never fewer than three; environments by Little's
    law, each taking the stage's number of searches at once."""
    settings = stage.lambda_lane
    assert settings.managed_concurrency is not None
    cpu_s = lane.cpu_ms_per_search * cpu_scale / 1000
    seconds = cpu_s + lane.wait_ms / 1000
    per_instance = instance.vcpu * stage.container_lane.target_utilization / cpu_s
    instances = [max(MANAGED_LEAST, math.ceil(rate / per_instance - 1e-9)) for rate in traffic.rates]
    environments = [max(float(MANAGED_LEAST), rate * seconds / settings.managed_concurrency) for rate in traffic.rates]
    return ManagedNeed(
        seconds_per_search=seconds,
        instance_hours=sum(instances) * traffic.step_s / 3600,
        instances_by_step=tuple(instances),
        peak_instances=max(instances),
        peak_environments=max(environments),
        steps_over_limit=sum(needed > settings.managed_max_environments for needed in environments),
    )


def container_need(
    lane: LaneProfile, traffic: TrafficProfile, fleet: ContainerLane, instance: InstanceType, *, cpu_scale: float
) -> ContainerNeed:
    """Instances of each step: what the target utilization asks for, within the fleet's minimum and maximum. Traffic is laid
    out, where schedules set the minimum (`infra.cost.minimums`).

    `on_demand_base` instances and the on-demand share above it, rounded up, are on demand; the rest is spot.
    """
    per_instance = rps_per_instance(lane, fleet, instance, cpu_scale=cpu_scale)
    step_hours = traffic.step_s / 3600
    wanted = [instances(rate, per_instance) for rate in traffic.rates]
    least = minimums(fleet, traffic)
    used = [min(max(low, count), fleet.max_instances) for low, count in zip(least, wanted, strict=True)]
    on_demand = [_on_demand(count, fleet) for count in used]
    full = fleet.max_instances * per_instance / fleet.target_utilization
    return ContainerNeed(
        rps_per_instance=per_instance,
        peak_instances=max(used),
        on_demand_hours=sum(on_demand) * step_hours,
        spot_hours=(sum(used) - sum(on_demand)) * step_hours,
        on_demand_by_step=tuple(on_demand),
        steps_over_capacity=sum(count > fleet.max_instances for count in wanted),
        searches_beyond_capacity=math.fsum(max(0.0, rate - full) for rate in traffic.rates) * traffic.step_s,
    )


def rps_per_instance(lane: LaneProfile, fleet: ContainerLane, instance: InstanceType, *, cpu_scale: float) -> float:
    """Searches a second one instance serves at the target utilization; a worker uses at most one vCPU."""
    return sized(
        cpu_ms=lane.cpu_ms_per_search,
        vcpu=instance.vcpu,
        workers_per_vcpu=fleet.workers_per_vcpu,
        utilization=fleet.target_utilization,
        cpu_scale=cpu_scale,
    )


def check_memory(lane: LaneProfile, fleet: ContainerLane, instance: InstanceType) -> None:
    """Refuse (`InputError`) a fleet whose workers do not fit the instance's memory."""
    workers = instance.vcpu * fleet.workers_per_vcpu
    needed = Decimal(repr(workers * lane.memory_mb + OS_MEMORY_MIB))
    if needed > instance.memory_gib * 1024:
        raise InputError(
            f"container_lane.instance_types: {workers} workers of {lane.memory_mb:g} MiB and {OS_MEMORY_MIB} MiB for "
            f"the system do not fit the {instance.memory_gib:f} GiB of {instance.name}; "
            "choose a larger type or fewer workers"
        )


def _on_demand(count: int, fleet: ContainerLane) -> int:
    base = min(count, fleet.on_demand_base)
    return base + math.ceil((count - base) * (100 - fleet.spot_percent) / 100)
