"""Every lane on every instance type in every draw: what a month costs, and for how long the objective is missed.

Eight lanes: Lambda; the container lane on demand, and with the stage's spot share; the hybrid, whose fleet hands what it
cannot serve to Lambda instead of refusing it; and, priced without being deployed (`what_if`), AWS Fargate, Fargate Spot, App
Runner and Lambda Managed Instances.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from infra.config import Stage
from infra.cost.capacity import MANAGED_LEAST, check_memory, cpu_share
from infra.cost.minimums import minimums
from infra.cost.prices.book import InstanceType, PriceBook
from infra.cost.profile import LaneProfile
from infra.cost.simulation.arrivals import Arrivals, Floats
from infra.cost.simulation.draws import Draws
from infra.cost.simulation.fleet import Fleet, FleetOutcome, FleetRule
from infra.cost.simulation.function_bill import FunctionBill
from infra.cost.simulation.functions import FunctionRule, Functions
from infra.cost.simulation.losses import draw_losses, missed_by_losses
from infra.cost.simulation.objective import ceiling
from infra.cost.simulation.plans import Plan, paid_hours
from infra.cost.simulation.what_if import TASK_VCPUS, Hours, Prices, task_usd
from infra.errors import InputError

LANES = ("lambda", "on_demand", "mixed", "hybrid", "fargate", "fargate_spot", "app_runner", "managed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What is tried: `objective_s` is the 99th percentile of a search; hybrid fleets run at `hybrid_target` of their
    capacity, for what is beyond goes to Lambda. `boot_s` is launch to serving of an instance, `task_s` of a Fargate task or an
    App Runner instance. `savings_plan` is a purchase option of the book, which the lanes that it covers buy (`plans`);
    `free_tier` takes Lambda's free GB-seconds off."""

    stage: Stage
    objective_s: float
    month_hours: float = 730.0
    account_concurrency: int = 1_000
    boot_s: float = 60.0
    task_s: float = 60.0
    hybrid_target: float = 0.8
    savings_plan: str | None = None
    free_tier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One lane on one instance type (None: Lambda): one figure a draw. Dollars are of compute a month: what both lanes
    have in front of them is the same and not in it. `missed_s` are seconds a month, `lost` searches a month not served
    within the objective."""

    lane: str
    instance_type: str | None
    usd: Floats
    missed_s: Floats
    lost: Floats


def suitable_types(book: PriceBook, stage: Stage, lane: LaneProfile) -> list[str]:
    """Types of the stage's architecture with a spot price that hold the workers in memory, by name. Burstable
    ones (t2, t3, t4g) are not among them: they sustain only a share of their vCPUs, and are billed for more."""
    found = []
    for name, instance in sorted(book.instances.items()):
        if instance.architecture != stage.architecture or instance.spot is None or re.match(r"t\d", name):
            continue
        with contextlib.suppress(InputError):
            check_memory(lane, stage.container_lane, instance)
            found.append(name)
    return found


def simulate(
    arrivals: Arrivals,
    draws: Draws,
    book: PriceBook,
    types: Sequence[str],
    setup: Setup,
    *,
    lanes: Sequence[str] = LANES,
) -> list[Outcome]:
    """The lanes asked for, all by default, but for those under a plan of which the book has no rate (`without_rate`);
    `InputError` for a missing price or an instance type of another architecture."""
    simulation = _Simulation(arrivals, draws, book, setup, lanes)
    outcomes = [simulation.functions_alone()] if "lambda" in lanes and simulation.plan.discount("lambda") is not None else []
    for name in types:
        instance = book.instance(name)
        if instance.architecture != setup.stage.architecture:
            raise InputError(f"{name}: is {instance.architecture}, the stage {setup.stage.architecture}")
        outcomes += simulation.fleets(instance)
    return outcomes


def without_rate(book: PriceBook, types: Sequence[str], setup: Setup, lanes: Sequence[str] = LANES) -> dict[str, list[str]]:
    """Of each lane that the plan covers, the instance types that it has no known rate of: they are not simulated. Empty: the
    lane is wholly priced; of Lambda and Fargate the rate is one for all."""
    plan = Plan(book, setup.stage, setup.savings_plan)
    found = {name: [each for each in types if plan.discount(name, each) is None] for name in lanes}
    return {name: missing for name, missing in found.items() if missing}


class _Simulation:
    def __init__(self, arrivals: Arrivals, draws: Draws, book: PriceBook, setup: Setup, lanes: Sequence[str]) -> None:
        self.arrivals, self.draws, self.book, self.setup = arrivals, draws, book, setup
        self.plan = Plan(book, setup.stage, setup.savings_plan)
        lane = setup.stage.container_lane
        mixed = FleetRule(
            minimum=lane.min_instances,
            maximum=lane.max_instances,
            on_demand_base=lane.on_demand_base,
            spot_share=lane.spot_percent / 100,
            target=lane.target_utilization,
            boot_s=setup.boot_s,
        )
        on_demand = replace(mixed, spot_share=0.0)
        self.rules = {
            "on_demand": on_demand,
            "mixed": mixed,
            "hybrid": replace(mixed, target=setup.hybrid_target),
            "fargate": replace(on_demand, boot_s=setup.task_s),
            "fargate_spot": replace(mixed, boot_s=setup.task_s),
            "app_runner": replace(on_demand, boot_s=setup.task_s),
            "managed": replace(on_demand, minimum=MANAGED_LEAST, maximum=max(MANAGED_LEAST, lane.max_instances)),
        }
        self.rules = {name: rule for name, rule in self.rules.items() if name in lanes}
        least = minimums(lane, arrivals.traffic)
        self.least: Floats = np.asarray(least, dtype=np.float64)
        self.running = {name: Fleet(arrivals, rule, None if name == "managed" else least) for name, rule in self.rules.items()}
        self.month = setup.month_hours / arrivals.hours
        self.bill = FunctionBill(
            draws.functions, book, setup.stage, self.plan, month_hours=setup.month_hours, free_tier=setup.free_tier
        )

    def functions_alone(self) -> Outcome:
        figures, objective, settings = self.draws.functions, self.setup.objective_s, self.setup.stage.lambda_lane
        cold_p99 = figures.p99_s + figures.cold_s / cpu_share(settings.memory_mb)
        misses = (cold_p99 > objective).astype(np.float64)
        quota = settings.reserved_concurrency
        quota = max(1, self.setup.account_concurrency if quota is None else quota)
        functions = Functions(self.arrivals, FunctionRule(quota=quota, provisioned=settings.provisioned_concurrency or 0))
        run = functions.run(self.bill.search_s, cold_misses=misses)
        always = np.where(figures.p99_s > objective, self.arrivals.hours * 3600, 0.0)
        usd = self.bill.usd(self.arrivals, run) / self.month
        return self._outcome("lambda", None, usd, np.maximum(run.missed_s, always), run.throttled)

    def fleets(self, instance: InstanceType) -> list[Outcome]:
        names = [
            name
            for name in self.rules
            if instance.vcpu in TASK_VCPUS.get(name, (instance.vcpu,)) and self.plan.discount(name, instance.name) is not None
        ]
        return [self._fleet(name, instance) for name in names]

    def _fleet(self, name: str, instance: InstanceType) -> Outcome:
        fleet, lane, figures = self.running[name], self.setup.stage.container_lane, self.draws.fleet
        workers = min(instance.vcpu, instance.vcpu * lane.workers_per_vcpu)
        if name == "managed":
            figures, workers = self.draws.functions, instance.vcpu
        rps = workers / figures.cpu_s
        within = np.maximum(ceiling(figures.cpu_s, figures.p99_s, self.setup.objective_s), 0.02)
        run = fleet.run(rps, within)
        missed, beyond = run.missed_s, run.beyond
        if fleet.rule.spot_share > 0:
            kinds = 1 if name == "fargate_spot" else len(self.setup.stage.container_lane.instance_types)
            pools = kinds * len(self.setup.stage.network.availability_zones)
            losses = draw_losses(
                self.arrivals,
                self.draws.count,
                pools=pools,
                losses_per_pool_month=self.draws.uncertainty.losses_per_pool_month,
                random=self.draws.random(1),
            )
            more_missed, more = missed_by_losses(fleet, self.arrivals, losses, rps, within, pools=pools)
            missed, beyond = missed + more_missed, beyond + more
        usd = self._hours_usd(name, instance, run, rps)
        if name == "hybrid":
            bill = self.bill
            usd = usd + beyond * (
                bill.usd_per_search + bill.usd_per_start * np.minimum(1.0, bill.search_s / self.arrivals.step_s)
            )
            cold = np.where(self.draws.functions.p99_s > self.setup.objective_s, missed, 0.0)
            missed, beyond = cold, np.zeros_like(beyond)
        missed = np.where(figures.p99_s >= self.setup.objective_s, self.arrivals.hours * 3600, missed)
        return self._outcome(name, instance.name, usd, missed, beyond)

    def _hours_usd(self, name: str, instance: InstanceType, run: FleetOutcome, rps: Floats) -> Floats:
        book, setup = self.book, self.setup
        paid, discount = run.on_demand_hours, self.plan.discount(name, instance.name)
        if discount:
            paid = paid_hours(self.running[name].on_demand_each(rps), self.arrivals.hours, discount)
        hours = run.on_demand_hours + run.spot_hours
        address = float(book.price("AmazonVPC", "public_ipv4").usd)
        if name in TASK_VCPUS:
            running = Hours(
                on_demand=run.on_demand_hours,
                paid=paid,
                spot=run.spot_hours,
                idle=self._idle_hours(),
                spot_factor=self.draws.spot_factor,
            )
            return task_usd(name, instance.vcpu, running, Prices(book, setup.stage.architecture), address)
        on_demand = float(instance.on_demand.usd)
        if name == "managed":
            fee, request = (float(book.price("AWSLambda", each).usd) for each in ("managed_instances_fee", "requests"))
            return paid * on_demand + hours * on_demand * fee + self.arrivals.requests * request
        volume = float(book.price("AmazonEBS", "gp3_storage").usd) * setup.stage.container_lane.volume_gb / setup.month_hours
        spot = float(instance.spot.usd) if instance.spot is not None else on_demand
        return (
            paid * on_demand
            + run.spot_hours * np.minimum(spot * self.draws.spot_factor, on_demand)
            + hours * (volume + address)
        )

    def _idle_hours(self) -> float:
        """Instance-hours in which the smallest fleet has nothing to do for a whole minute; a larger one always has."""
        quiet = np.exp(-60 * self.arrivals.rates / self.least)
        return float((quiet * self.least).sum()) * self.arrivals.step_s / 3600

    def _outcome(self, lane: str, instance_type: str | None, usd: Floats, missed_s: Floats, lost: Floats) -> Outcome:
        return Outcome(
            lane=lane, instance_type=instance_type, usd=usd * self.month, missed_s=missed_s * self.month, lost=lost * self.month
        )
