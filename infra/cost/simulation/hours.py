"""Hour by hour: what each lane costs and misses in every hour of the traffic, from the same rules as the simulated year.

One world, the measured one, without spread; dollars are of compute, as in `year`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infra.config import Stage
from infra.cost.capacity import cpu_share
from infra.cost.minimums import minimums
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.simulation.arrivals import Arrivals, Floats, Whole
from infra.cost.simulation.draws import LaneDraws, draw
from infra.cost.simulation.fleet import METRIC_DELAY_S, FleetRule, least_since, spot_among
from infra.cost.simulation.objective import ceiling
from infra.cost.simulation.year import Setup
from infra.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """One figure an hour of the profile: dollars and seconds missed on each lane, and instances billed in the mean.
    `on_demand_usd` and `spot_usd` are of one instance's hour with its volume and its address."""

    lambda_usd: Floats
    container_usd: Floats
    lambda_missed_s: Floats
    container_missed_s: Floats
    instances: Floats
    on_demand_usd: float
    spot_usd: float
    rule: FleetRule

    def fleet_usd(self, count: float) -> float:
        """What so many instances cost an hour."""
        spot = spot_among(round(count), self.rule)
        return (count - spot) * self.on_demand_usd + spot * self.spot_usd


def hour_by_hour(
    arrivals: Arrivals, profile: WorkloadProfile, book: PriceBook, setup: Setup, *, cpu_scale: float = 1.0
) -> Hours:
    """Every hour on both lanes, instances of the stage's first type; `InputError` for steps that do not fit an hour, and for
    functions that are not bought on demand."""
    bought = setup.stage.lambda_lane
    if bought.managed_concurrency is not None or bought.provisioned_concurrency or bought.snap_start:
        raise InputError(
            "the hours are of functions on demand: without Managed Instances, provisioned concurrency or SnapStart"
        )
    if 3600 % arrivals.step_s:
        raise InputError(f"traffic: steps of {arrivals.step_s} s do not fit an hour; give a series whose steps do")
    world, lane = draw(profile, 1, cpu_scale=cpu_scale), setup.stage.container_lane
    instance, rule = book.instance(lane.instance_types[0]), _rule(setup)
    rps = min(instance.vcpu, instance.vcpu * lane.workers_per_vcpu) / float(world.fleet.cpu_s[0])
    oldest = arrivals.steps(rule.scale_in_s)
    delay = min(arrivals.steps(rule.boot_s + METRIC_DELAY_S), oldest)
    least = np.asarray(minimums(lane, arrivals.traffic), dtype=np.int64)
    ready = least_since(least, arrivals.steps(rule.boot_s))
    billed, serving = (
        _count(arrivals.trailing_max(oldest, newest), rps * rule.target, low, rule)
        for newest, low in ((0, least), (delay, ready))
    )
    beside = float(book.price("AmazonEBS", "gp3_storage").usd) * lane.volume_gb / setup.month_hours
    beside += float(book.price("AmazonVPC", "public_ipv4").usd)
    on_demand = float(instance.on_demand.usd) + beside
    spot = on_demand if instance.spot is None else float(instance.spot.usd) + beside
    of_spot = np.array([spot_among(count, rule) for count in range(rule.maximum + 1)], dtype=np.float64)[
        billed.astype(np.int64)
    ]
    hours = arrivals.step_s / 3600
    a_search, seconds = _function(world.functions, book, setup.stage)
    within = float(np.maximum(ceiling(world.fleet.cpu_s, world.fleet.p99_s, setup.objective_s), 0.02)[0])
    reserved = setup.stage.lambda_lane.reserved_concurrency
    most = (setup.account_concurrency if reserved is None else reserved) / seconds
    return Hours(
        lambda_usd=_hourly(arrivals.rates * arrivals.step_s * a_search, arrivals),
        container_usd=_hourly(((billed - of_spot) * on_demand + of_spot * spot) * hours, arrivals),
        lambda_missed_s=_missed(arrivals, np.full_like(serving, most), float(world.functions.p99_s[0]), setup),
        container_missed_s=_missed(arrivals, serving * rps * within, float(world.fleet.p99_s[0]), setup),
        instances=_hourly(billed * hours, arrivals),
        on_demand_usd=on_demand,
        spot_usd=spot,
        rule=rule,
    )


def _rule(setup: Setup) -> FleetRule:
    lane = setup.stage.container_lane
    return FleetRule(
        minimum=lane.min_instances,
        maximum=lane.max_instances,
        on_demand_base=lane.on_demand_base,
        spot_share=lane.spot_percent / 100,
        target=lane.target_utilization,
        boot_s=setup.boot_s,
    )


def _function(figures: LaneDraws, book: PriceBook, stage: Stage) -> tuple[float, float]:
    """Dollars and seconds of one warm search."""
    memory = stage.lambda_lane.memory_mb
    gb_s = float(book.price("AWSLambda", f"duration_{stage.architecture}").usd) * memory / 1024
    seconds = float(figures.cpu_s[0]) / cpu_share(memory) + float(figures.wait_s[0]) + 0.0005
    return float(book.price("AWSLambda", "requests").usd) + gb_s * seconds, seconds


def _count(load: Floats, asked: float, least: Whole, rule: FleetRule) -> Floats:
    return np.asarray(np.clip(np.ceil(load / asked - 1e-9), least, rule.maximum))


def _missed(arrivals: Arrivals, capacity: Floats, p99_s: float, setup: Setup) -> Floats:
    """Seconds of each hour in which the load is above what is served within the objective; all, where nothing is."""
    if p99_s > setup.objective_s:
        return _hourly(np.full(len(arrivals.rates), float(arrivals.step_s)), arrivals)
    missed = np.zeros(len(arrivals.rates))
    for factor, share in arrivals.burst.phases:
        missed += (arrivals.rates * factor > capacity * (1 + 1e-12)) * share * arrivals.step_s
    return _hourly(missed, arrivals)


def _hourly(values: Floats, arrivals: Arrivals) -> Floats:
    """Sums of each hour; a last hour that is not whole is stretched to one."""
    each = 3600 // arrivals.step_s
    starts = np.arange(0, len(values), each)
    lengths = np.diff(np.append(starts, len(values)))
    return np.asarray(np.add.reduceat(values, starts) * each / lengths)
