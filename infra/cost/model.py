"""Price one lane: what it needs for the traffic (`capacity`), times what that costs (`lines`), for one month.

Each lane is priced as if it served all of the traffic, behind a load balancer of its own; with `alone` False without what
two lanes share (`split`).
"""

from __future__ import annotations

from decimal import Decimal

from infra.config import Stage
from infra.cost import capacity
from infra.cost.commitments import instance_usage, lambda_usage
from infra.cost.container_model import fleet_instance, price_container
from infra.cost.free_tiers import with_free_tiers
from infra.cost.lane import CostOptions, LaneCost, Month, Served, edge_lines, log_lines, unknown_transfer
from infra.cost.lines import ec2, lambda_
from infra.cost.lines.lambda_ import INCLUDED_MB
from infra.cost.lines.line import LineItem, quantity, total
from infra.cost.prices.book import PriceBook
from infra.cost.profile import LaneProfile, WorkloadProfile, check_measured
from infra.cost.savings import with_savings_plan
from infra.cost.surroundings import secret_reads, shared_lines, watch_lines
from infra.cost.traffic.profile import TrafficProfile

__all__ = ["fleet_instance", "price_container", "price_lambda"]


def price_lambda(
    profile: WorkloadProfile,
    traffic: TrafficProfile,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    *,
    alone: bool = True,
) -> LaneCost:
    """The Lambda lane's month; `InputError` for a missing price or a memory size below the measured one."""
    lane, memory = profile.lambda_lane, stage.lambda_lane.memory_mb
    check_measured(lane, "lambda_lane")
    if stage.lambda_lane.managed_concurrency is not None:
        return price_managed(profile, traffic, book, stage, options, alone=alone)
    month = Month(traffic=traffic, hours=options.month_hours)
    reserved = stage.lambda_lane.reserved_concurrency
    limit = options.account_concurrency if reserved is None else reserved
    provisioned = stage.lambda_lane.provisioned_concurrency or 0
    need = capacity.lambda_need(lane, traffic, memory, cpu_scale=options.cpu_scale, limit=limit, provisioned=provisioned)
    cold = max(need.cold_starts * month.factor, need.peak_environments - provisioned, 0.0)
    free_tier = options.free_tier and not provisioned  # which functions with provisioned concurrency have no part in
    compute, init = _lambda_compute(lane, month, book, stage, options, need, cold)
    requests = lambda_.requests(book, month.searches, free_tier=free_tier, note="one request a search")
    lines, not_priced = _around_lambda(lane, month, book, stage, options, starts=quantity(cold), alone=alone)
    misses = []
    if need.steps_over_limit:
        misses.append(
            f"{need.steps_over_limit} of {len(traffic.rates)} steps need more than the {limit} concurrent environments "
            f"allowed (peak {need.peak_environments:.0f}); searches beyond are throttled"
        )
    cost = LaneCost(
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
        committable=lambda_usage(traffic, compute, options),
    )
    return with_savings_plan(with_free_tiers(cost, book, options), book, options.savings_plan) if alone else cost


def price_managed(
    profile: WorkloadProfile,
    traffic: TrafficProfile,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    *,
    alone: bool = True,
) -> LaneCost:
    """The Lambda lane's month on Lambda Managed Instances: EC2 instances on demand, Lambda's share for managing them, and
    requests. AWS chooses the instances; the fleet's first type stands for them."""
    lane, settings = profile.lambda_lane, stage.lambda_lane
    month = Month(traffic=traffic, hours=options.month_hours)
    instance = fleet_instance(book, stage)
    need = capacity.managed_need(lane, traffic, stage, instance, cpu_scale=options.cpu_scale)
    hours = quantity(need.instance_hours * month.factor)
    fleet = ec2.on_demand(book, instance.name, hours, note=f"at least {capacity.MANAGED_LEAST}; AWS chooses the type")
    lines, not_priced = _around_lambda(lane, month, book, stage, options, starts=None, alone=alone)
    limit = settings.managed_max_environments
    over = f"{need.steps_over_limit} of {len(traffic.rates)} steps need more than the {limit} environments allowed"
    cost = LaneCost(
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
        committable=(instance_usage(instance.name, instance.on_demand.usd, need.instances_by_step, traffic, total(fleet)),),
    )
    return with_savings_plan(with_free_tiers(cost, book, options), book, options.savings_plan) if alone else cost


def _around_lambda(
    lane: LaneProfile,
    month: Month,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    *,
    starts: Decimal | None,
    alone: bool,
) -> tuple[tuple[LineItem, ...], tuple[str, ...]]:
    """The front and transfer where the lane is alone, logs and what stands around; beside it, what could not be priced."""
    log_items, unmeasured = log_lines(lane, month, book, stage)
    around = [watch_lines(book, stage, "lambda"), secret_reads(book, stage, starts)]
    edge: list[LineItem] = []
    if alone:
        edge = edge_lines([Served(lane, month, "lambda")], book, stage, options)
        balanced = stage.lambda_lane.front == "load_balancer"
        around.append(shared_lines(month, book, stage, options, balanced=balanced))
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
    if settings.ephemeral_mb > INCLUDED_MB:
        seconds = quantity(need.seconds_per_search)
        note = f"{settings.ephemeral_mb:,} MB, {INCLUDED_MB} included, for as long as searches run (lambda_lane.ephemeral_mb)"
        lines += lambda_.ephemeral_storage(book, month.searches, seconds, settings.ephemeral_mb, note=note)
    if restored:
        cached = lambda_.gb_seconds(Decimal(1), options.month_hours * 3600, memory)
        gigabytes = quantity(cold) * memory / 1024
        note = f"one version's {memory} MB, kept all month; restored at each of {cold:,.0f} cold starts"
        lines += lambda_.snap_start(book, cached, gigabytes, note=note)
    return lines, starting
