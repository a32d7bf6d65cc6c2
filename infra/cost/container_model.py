"""The container lane's month: instances on demand and on spot, their volumes, their way out, and what stands around."""

from __future__ import annotations

from infra.config import ContainerLane, Stage
from infra.cost import capacity
from infra.cost.commitments import instance_usage
from infra.cost.egress import egress_need, price_egress
from infra.cost.free_tiers import with_free_tiers
from infra.cost.lane import CostOptions, LaneCost, Month, Served, edge_lines, unknown_transfer
from infra.cost.lines import ec2
from infra.cost.lines.line import LineItem, quantity, total
from infra.cost.minimums import lay_out, minimums, unknown_minimums
from infra.cost.prices.book import InstanceType, PriceBook
from infra.cost.profile import WorkloadProfile, check_measured
from infra.cost.savings import with_savings_plan
from infra.cost.surroundings import agent_lines, cache_lines, secret_reads, shared_lines, watch_lines
from infra.cost.traffic.profile import TrafficProfile
from infra.errors import InputError


def price_container(
    profile: WorkloadProfile,
    traffic: TrafficProfile,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    *,
    alone: bool = True,
) -> LaneCost:
    """The container lane's month; `InputError` for a missing price, mixed types, or memory that does not fit."""
    lane, fleet = profile.container_lane, stage.container_lane
    check_measured(lane, "container_lane")
    traffic = lay_out(traffic, fleet)
    month = Month(traffic=traffic, hours=options.month_hours)
    instance = fleet_instance(book, stage)
    for name in fleet.instance_types:
        capacity.check_memory(lane, fleet, book.instance(name))
    need = capacity.container_need(lane, traffic, fleet, instance, cpu_scale=options.cpu_scale)
    running = quantity(need.on_demand_hours * month.factor) + quantity(need.spot_hours * month.factor)
    egress = price_egress(stage.network.egress, egress_need(lane, month, running), book, stage, options)
    around = [
        watch_lines(book, stage, "container"),
        secret_reads(book, stage, None),
        cache_lines(profile, month, book, stage, options),
    ]
    edge: list[LineItem] = []
    if alone:
        edge = edge_lines([Served(lane, month, "instance")], book, stage, options)
        around.append(shared_lines(month, book, stage, options))
    bought = _fleet(month, book, stage, options, need, instance.name)
    each = instance.on_demand
    usd = total(line for line in bought if line.dimension == each.dimension)
    cost = LaneCost(
        lane="container",
        title=f"Containers, {min(minimums(fleet, traffic))} to {fleet.max_instances} × {instance.name} and alike",
        lines=(
            *bought,
            *egress.lines,
            *edge,
            *agent_lines(book, stage, running, options.month_hours),
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
        misses=_misses(need, month, fleet),
        not_priced=(
            *([unpriced] if (unpriced := unknown_minimums(fleet, traffic)) else []),
            *unknown_transfer(lane, "container"),
            *([egress.unknown] if egress.unknown else []),
            *(gap for _, gaps in around for gap in gaps),
        ),
        committable=(instance_usage(instance.name, each.usd, need.on_demand_by_step, traffic, usd),),
    )
    return with_savings_plan(with_free_tiers(cost, book, options), book, options.savings_plan) if alone else cost


def _misses(need: capacity.ContainerNeed, month: Month, fleet: ContainerLane) -> tuple[str, ...]:
    if not need.steps_over_capacity:
        return ()
    beyond = ""
    if need.searches_beyond_capacity:
        beyond = f"; {need.searches_beyond_capacity * month.factor:,.0f} searches a month are beyond all its CPU"
    return (
        f"{need.steps_over_capacity} of {len(month.traffic.rates)} steps need more than the {fleet.max_instances} "
        f"instances allowed at {fleet.target_utilization:.0%} CPU{beyond}",
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
