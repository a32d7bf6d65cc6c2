"""Price one lane: what it needs for the traffic (`capacity`), times what that costs (`lines`), for one month.

Each lane is priced as if it served all of the traffic, behind a load balancer of its own.
"""

from __future__ import annotations

from infra.config import Stage
from infra.cost import capacity
from infra.cost.lane import CostOptions, LaneCost, Month, check_measured, edge_lines, log_lines, unknown_transfer
from infra.cost.lines import ec2, lambda_, network
from infra.cost.lines.line import quantity
from infra.cost.prices import InstanceType, PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.traffic import TrafficProfile
from infra.errors import InputError


def price_lambda(
    profile: WorkloadProfile, traffic: TrafficProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> LaneCost:
    """The Lambda lane's month; `InputError` for a missing price or a memory size below the measured one."""
    lane, memory = profile.lambda_lane, stage.lambda_lane.memory_mb
    check_measured(lane, "lambda_lane")
    month = Month(traffic=traffic, hours=options.month_hours)
    reserved = stage.lambda_lane.reserved_concurrency
    limit = options.account_concurrency if reserved is None else reserved
    need = capacity.lambda_need(lane, traffic, memory, cpu_scale=options.cpu_scale, limit=limit)
    cold = max(need.cold_starts * month.factor, need.peak_environments)
    running = lambda_.gb_seconds(month.searches, quantity(need.seconds_per_search), memory)
    starting = lambda_.gb_seconds(quantity(cold), quantity(need.init_seconds), memory)
    share = capacity.cpu_share(memory)
    cpu_ms = lane.cpu_ms_per_search * options.cpu_scale / share
    note = (
        f"{need.seconds_per_search * 1000:.1f} ms a search ({cpu_ms:.1f} CPU "
        f"at {share:.2f} vCPU + {lane.wait_ms:.1f} waiting + 0.5 rounding) × {memory / 1024:.3f} GB; "
        f"of it {float(starting):,.0f} GB-s Init: {cold:,.0f} cold starts × {need.init_seconds * 1000:.0f} ms"
    )
    lines = [
        *lambda_.requests(book, month.searches, free_tier=options.free_tier, note="one request a search"),
        *lambda_.duration(book, running + starting, stage.architecture, free_tier=options.free_tier, note=note),
        *edge_lines(lane, month, book, stage, options, target="lambda"),
    ]
    log_items, not_priced = log_lines(lane, month, book, stage, "Lambda")
    misses = []
    if need.steps_over_limit:
        misses.append(
            f"{need.steps_over_limit} of {len(traffic.rates)} steps need more than the {limit} concurrent environments "
            f"allowed (peak {need.peak_environments:.0f}); searches beyond are throttled"
        )
    return LaneCost(
        lane="lambda",
        title=f"Lambda, {memory} MB {stage.architecture}",
        lines=(*lines, *log_items),
        searches_per_month=month.searches,
        month_hours=options.month_hours,
        capacity={
            "billed_ms_per_search": need.seconds_per_search * 1000,
            "peak_environments": need.peak_environments,
            "environment_limit": float(limit),
            "cold_starts_per_month": cold,
            "init_gb_seconds": float(starting),
            "steps_over_capacity": float(need.steps_over_limit),
        },
        misses=tuple(misses),
        not_priced=(*not_priced, *unknown_transfer(lane, "Lambda")),
    )


def price_container(
    profile: WorkloadProfile, traffic: TrafficProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> LaneCost:
    """The container lane's month; `InputError` for a missing price, mixed types, or memory that does not fit."""
    lane, fleet = profile.container_lane, stage.container_lane
    check_measured(lane, "container_lane")
    month = Month(traffic=traffic, hours=options.month_hours)
    instance = fleet_instance(book, stage)
    for name in fleet.instance_types:
        capacity.check_memory(lane, fleet, book.instance(name))
    need = capacity.container_need(lane, traffic, fleet, instance, cpu_scale=options.cpu_scale)
    on_demand, spot = quantity(need.on_demand_hours * month.factor), quantity(need.spot_hours * month.factor)
    running = on_demand + spot
    fit = f"{need.rps_per_instance:.1f} searches/s an instance at {fleet.target_utilization:.0%} CPU"
    volume_note = f"{fleet.volume_gb} GB for each of {running:,.0f} instance-hours"
    lines = [
        *ec2.on_demand(
            book,
            instance.name,
            on_demand,
            note=f"{fit}; base of {fleet.on_demand_base} and the rest above it; first type",
        ),
        *ec2.spot(book, fleet.instance_types, spot, note=f"{fleet.spot_percent}% of the capacity above the base"),
        *ec2.volumes(book, fleet.volume_gb, running, options.month_hours, note=volume_note),
        *network.public_ipv4(book, running, of="instances", note="one address an instance"),
        *edge_lines(lane, month, book, stage, options, target="instance"),
    ]
    log_items, not_priced = log_lines(lane, month, book, stage, "container")
    misses = []
    if need.steps_over_capacity:
        beyond = (
            f"; {need.searches_beyond_capacity * month.factor:,.0f} searches a month are beyond all its CPU"
            if need.searches_beyond_capacity
            else ""
        )
        misses.append(
            f"{need.steps_over_capacity} of {len(traffic.rates)} steps need more than the {fleet.max_instances} "
            f"instances allowed at {fleet.target_utilization:.0%} CPU{beyond}"
        )
    return LaneCost(
        lane="container",
        title=f"Containers, {fleet.min_instances} to {fleet.max_instances} × {instance.name} and alike",
        lines=(*lines, *log_items),
        searches_per_month=month.searches,
        month_hours=options.month_hours,
        capacity={
            "rps_per_instance": need.rps_per_instance,
            "peak_instances": float(need.peak_instances),
            "mean_instances": need.instance_hours / traffic.hours,
            "steps_over_capacity": float(need.steps_over_capacity),
            "searches_beyond_capacity_per_month": need.searches_beyond_capacity * month.factor,
        },
        misses=tuple(misses),
        not_priced=(*not_priced, *unknown_transfer(lane, "container")),
    )


def fleet_instance(book: PriceBook, stage: Stage) -> InstanceType:
    """The first instance type, once all of them have its vCPU count and the stage's architecture."""
    types = [book.instance(name) for name in stage.container_lane.instance_types]
    for each in types:
        if each.vcpu != types[0].vcpu or each.architecture != stage.architecture:
            raise InputError(
                f"container_lane.instance_types: {each.name} has {each.vcpu} vCPU, {each.architecture}; all must have "
                f"{types[0].vcpu} as {types[0].name} and {stage.architecture} as the stage"
            )
    return types[0]
