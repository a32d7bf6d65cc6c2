"""Price one lane: what it needs for the traffic (`capacity`), times what that costs (`lines`), for one month.

Each lane is priced as if it served all of the traffic, behind a load balancer of its own.
"""

from __future__ import annotations

from decimal import Decimal

from infra.config import Stage
from infra.cost import capacity
from infra.cost.egress import egress_need, price_egress
from infra.cost.lane import CostOptions, LaneCost, Month, check_measured, edge_lines, log_lines, unknown_transfer
from infra.cost.lines import ec2, lambda_
from infra.cost.lines.line import LineItem, quantity, total
from infra.cost.prices import InstanceType, PriceBook
from infra.cost.profile import LaneProfile, WorkloadProfile
from infra.cost.surroundings import agent_lines, cache_lines, front_lines, secret_lines, watch_lines
from infra.cost.traffic import TrafficProfile
from infra.errors import InputError


def price_lambda(
    profile: WorkloadProfile, traffic: TrafficProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> LaneCost:
    """The Lambda lane's month; `InputError` for a missing price or a memory size below the measured one."""
    lane, memory = profile.lambda_lane, stage.lambda_lane.memory_mb
    check_measured(lane, "lambda_lane")
    if stage.lambda_lane.managed_concurrency is not None:
        return price_managed(profile, traffic, book, stage, options)
    month = Month(traffic=traffic, hours=options.month_hours)
    reserved = stage.lambda_lane.reserved_concurrency
    limit = options.account_concurrency if reserved is None else reserved
    provisioned = stage.lambda_lane.provisioned_concurrency or 0
    need = capacity.lambda_need(lane, traffic, memory, cpu_scale=options.cpu_scale, limit=limit, provisioned=provisioned)
    cold = max(need.cold_starts * month.factor, need.peak_environments - provisioned, 0.0)
    free_tier = options.free_tier and not provisioned  # which functions with provisioned concurrency have no part in
    compute, init = _lambda_compute(lane, month, book, stage, options, need, cold)
    requests = lambda_.requests(book, month.searches, free_tier=free_tier, note="one request a search")
    lines, not_priced = _around_lambda(lane, month, book, stage, options, starts=quantity(cold))
    misses = []
    if need.steps_over_limit:
        misses.append(
            f"{need.steps_over_limit} of {len(traffic.rates)} steps need more than the {limit} concurrent environments "
            f"allowed (peak {need.peak_environments:.0f}); searches beyond are throttled"
        )
    return LaneCost(
        lane="lambda",
        title=f"Lambda, {memory} MB {stage.architecture}",
        lines=(*requests, *compute, *lines),
        searches_per_month=month.searches,
        month_hours=options.month_hours,
        capacity={
            "billed_ms_per_search": need.seconds_per_search * 1000,
            "peak_environments": need.peak_environments,
            "environment_limit": float(limit),
            "cold_starts_per_month": cold,
            "init_gb_seconds": float(init),
            "steps_over_capacity": float(need.steps_over_limit),
        },
        misses=tuple(misses),
        not_priced=not_priced,
    )


def price_managed(
    profile: WorkloadProfile, traffic: TrafficProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> LaneCost:
    """The Lambda lane's month on Lambda Managed Instances: EC2 instances on demand, Lambda's share for managing them, and
    requests. AWS chooses the instances; the fleet's first type stands for them."""
    lane, settings = profile.lambda_lane, stage.lambda_lane
    month = Month(traffic=traffic, hours=options.month_hours)
    instance = fleet_instance(book, stage)
    need = capacity.managed_need(lane, traffic, stage, instance, cpu_scale=options.cpu_scale)
    hours = quantity(need.instance_hours * month.factor)
    fleet = ec2.on_demand(book, instance.name, hours, note=f"at least {capacity.MANAGED_LEAST}; AWS chooses the type")
    lines, not_priced = _around_lambda(lane, month, book, stage, options, starts=None)
    limit = settings.managed_max_environments
    over = f"{need.steps_over_limit} of {len(traffic.rates)} steps need more than the {limit} environments allowed"
    return LaneCost(
        lane="lambda",
        title=f"Lambda Managed Instances, {settings.managed_concurrency} searches at once, {instance.name}",
        lines=(
            *lambda_.requests(book, month.searches, free_tier=options.free_tier, note="one request a search"),
            *fleet,
            *lambda_.managed_fee(book, total(fleet), note="of the instances' price on demand"),
            *lines,
        ),
        searches_per_month=month.searches,
        month_hours=options.month_hours,
        capacity={
            "billed_ms_per_search": need.seconds_per_search * 1000,
            "peak_environments": need.peak_environments,
            "environment_limit": float(limit),
            "cold_starts_per_month": 0.0,
            "init_gb_seconds": 0.0,
            "steps_over_capacity": float(need.steps_over_limit),
            "peak_instances": float(need.peak_instances),
        },
        misses=(over,) if need.steps_over_limit else (),
        not_priced=(*not_priced, "volumes, addresses and the way out of Lambda's managed instances"),
    )


def _around_lambda(
    lane: LaneProfile, month: Month, book: PriceBook, stage: Stage, options: CostOptions, *, starts: Decimal | None
) -> tuple[tuple[LineItem, ...], tuple[str, ...]]:
    """The front, transfer, logs and what stands around; beside it, what could not be priced."""
    log_items, unmeasured = log_lines(lane, month, book, stage, "Lambda")
    around = [
        watch_lines(book, stage, "lambda"),
        secret_lines(book, stage, starts),
        *([front_lines(month, book, stage, options)] if stage.lambda_lane.front == "load_balancer" else []),
    ]
    edge = edge_lines(lane, month, book, stage, options, target="lambda")
    return (
        (*edge, *log_items, *(line for lines, _ in around for line in lines)),
        (*unmeasured, *unknown_transfer(lane, "Lambda"), *(gap for _, gaps in around for gap in gaps)),
    )


def _lambda_compute(
    lane: LaneProfile,
    month: Month,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    need: capacity.LambdaNeed,
    cold: float,
) -> tuple[list[LineItem], Decimal]:
    """GB-seconds on demand and on provisioned concurrency, and what starts cost; the second is GB-seconds of Init."""
    settings, memory = stage.lambda_lane, stage.lambda_lane.memory_mb
    share = capacity.cpu_share(memory)
    running = lambda_.gb_seconds(month.searches, quantity(need.seconds_per_search), memory)
    used = min(running, quantity(float(running) * need.provisioned_share))
    restored = settings.snap_start
    starting = Decimal(0) if restored else lambda_.gb_seconds(quantity(cold), quantity(need.init_seconds), memory)
    note = (
        f"{need.seconds_per_search * 1000:.1f} ms a search ({lane.cpu_ms_per_search * options.cpu_scale / share:.1f} CPU "
        f"at {share:.2f} vCPU + {lane.wait_ms:.1f} waiting + 0.5 rounding) × {memory / 1024:.3f} GB; "
        f"of it {float(starting):,.0f} GB-s Init: {cold:,.0f} cold starts × {need.init_seconds * 1000:.0f} ms"
    )
    provisioned = settings.provisioned_concurrency
    lines = lambda_.duration(
        book, running - used + starting, stage.architecture, free_tier=options.free_tier and not provisioned, note=note
    )
    if provisioned:
        kept = lambda_.gb_seconds(Decimal(provisioned), options.month_hours * 3600, memory)
        note = f"{provisioned} environments, all month; they serve {need.provisioned_share:.1%} of the running time"
        lines += lambda_.provisioned_concurrency(book, kept, used, stage.architecture, note=note)
    if restored:
        cached = lambda_.gb_seconds(Decimal(1), options.month_hours * 3600, memory)
        gigabytes = quantity(cold) * memory / 1024
        note = f"one version's {memory} MB, kept all month; restored at each of {cold:,.0f} cold starts"
        lines += lambda_.snap_start(book, cached, gigabytes, note=note)
    return lines, starting


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
    running = quantity(need.on_demand_hours * month.factor) + quantity(need.spot_hours * month.factor)
    egress = price_egress(stage.network.egress, egress_need(lane, month, running), book, stage, options)
    around = [
        watch_lines(book, stage, "container"),
        secret_lines(book, stage, None),
        front_lines(month, book, stage, options),
        cache_lines(profile, month, book, stage, options),
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
        lines=(
            *_fleet(month, book, stage, options, need, instance.name),
            *egress.lines,
            *edge_lines(lane, month, book, stage, options, target="instance"),
            *log_items,
            *agent_lines(book, running),
            *(line for lines, _ in around for line in lines),
        ),
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
        not_priced=(
            *not_priced,
            *unknown_transfer(lane, "container"),
            *([egress.unknown] if egress.unknown else []),
            *(gap for _, gaps in around for gap in gaps),
        ),
    )


def _fleet(
    month: Month, book: PriceBook, stage: Stage, options: CostOptions, need: capacity.ContainerNeed, first_type: str
) -> list[LineItem]:
    """The instances on demand and on spot, and their volumes."""
    fleet = stage.container_lane
    on_demand, spot = quantity(need.on_demand_hours * month.factor), quantity(need.spot_hours * month.factor)
    running = on_demand + spot
    fit = f"{need.rps_per_instance:.1f} searches/s an instance at {fleet.target_utilization:.0%} CPU"
    return [
        *ec2.on_demand(
            book, first_type, on_demand, note=f"{fit}; base of {fleet.on_demand_base} and the rest above it; first type"
        ),
        *ec2.spot(book, fleet.instance_types, spot, note=f"{fleet.spot_percent}% of the capacity above the base"),
        *ec2.volumes(
            book,
            fleet.volume_gb,
            running,
            options.month_hours,
            note=f"{fleet.volume_gb} GB for each of {running:,.0f} instance-hours",
        ),
    ]


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
