"""The crossover as a surface: both lanes' months over rate × burstiness × waiting, as arrays, from the exact model.

Traffic here has a mean rate and, once an hour, a burst (`Burst`: a factor for a share of the hour). What of a month depends on
the mean rate alone is linear in it between the boundaries of price tiers, so the exact model is asked at those boundaries only
and read off in between; what bursts and waiting change (Lambda's running time and cold starts, instances, LCUs) is computed for
the whole array. Tested to agree with the exact model on the same traffic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from infra.cost import capacity
from infra.cost.crossover import LOWEST_RPS
from infra.cost.lane import LaneCost
from infra.cost.lines import ec2, load_balancer
from infra.cost.lines.lambda_ import SERVICE as LAMBDA
from infra.cost.minimums import weekly_shares
from infra.cost.model import fleet_instance, price_container, price_lambda
from infra.cost.prices.book import Price
from infra.cost.profile import LaneProfile
from infra.cost.simulation.arrivals import Burst, Floats
from infra.cost.simulation.function_bill import tiered
from infra.cost.traffic.profile import flat_rate
from infra.cost.world import World
from infra.errors import InputError

SCAN = 400
"""Rates at which the cheaper lane is looked at before a change is placed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeOf:
    """What of a price is `free` a month, of so much: `fixed`, and `each_hour` of an instance."""

    price: Price
    free: float
    fixed: float
    each_hour: float


class Surface:
    """Both lanes' months for arrays of rates; each method takes arrays that broadcast. `wait` multiplies measured waiting."""

    def __init__(self, world: World) -> None:
        if not self.knows(world):
            raise InputError(
                "the surface is of functions and instances at list price: without Managed Instances, provisioned concurrency, "
                "SnapStart or a savings plan"
            )
        self.world = world
        self.fleet = world.stage.container_lane
        self.minimums = weekly_shares(self.fleet, flat_rate(LOWEST_RPS))
        self.instance = fleet_instance(world.book, world.stage)
        self.per_instance = capacity.rps_per_instance(
            world.profile.container_lane, self.fleet, self.instance, cpu_scale=world.options.cpu_scale
        )
        self.highest = self.per_instance * self.fleet.max_instances
        self.knots = self._knots()
        self._hours = float(world.options.month_hours)
        self._instance_hour, self._free = self._per_instance_hour()
        # The rest of a month: what the exact model has beyond what is computed here, at the knots.
        self._lambda_rest, self._container_rest = np.zeros(len(self.knots)), np.zeros(len(self.knots))
        computed = self.lambda_usd(self.knots, Burst()), self.container_usd(self.knots, Burst())
        exact = [[self._exact(price, rps) for rps in self.knots] for price in (price_lambda, price_container)]
        self._lambda_rest = np.array([float(each.usd_per_month) for each in exact[0]]) - computed[0]
        self._container_rest = np.array([float(each.usd_per_month) for each in exact[1]]) - computed[1]

    @staticmethod
    def knows(world: World) -> bool:
        settings = world.stage.lambda_lane
        special = settings.managed_concurrency is not None or bool(settings.provisioned_concurrency) or settings.snap_start
        return not special and world.options.savings_plan is None

    def lambda_usd(self, rates: Floats, burst: Burst, wait: Floats | float = 1.0) -> Floats:
        world, lane = self.world, self.world.profile.lambda_lane
        memory = world.stage.lambda_lane.memory_mb
        share = capacity.cpu_share(memory)
        seconds = (lane.cpu_ms_per_search * world.options.cpu_scale / share + lane.wait_ms * np.asarray(wait) + 0.5) / 1000
        init_s = lane.cold_start_ms * world.options.cpu_scale / share / 1000
        peak = rates * burst.factor * seconds
        lowest = min(factor for factor, _ in burst.phases)
        rises = rates * (burst.factor - lowest) * seconds * self._hours
        cold = np.maximum(rises, peak)
        gb_s = (rates * 3600 * self._hours * seconds + cold * init_s) * memory / 1024
        if world.options.free_tier:
            gb_s = np.maximum(0.0, gb_s - float(world.book.free_tier(LAMBDA, "duration").quantity))
        usd = tiered(world.book.price(LAMBDA, f"duration_{world.stage.architecture}"), gb_s)
        if world.stage.secret is not None:
            usd = usd + cold * float(world.book.price("AWSSecretsManager", "requests").usd)
        if world.stage.lambda_lane.front == "load_balancer":
            usd = usd + self._lcu_usd(rates, lane, "lambda", wait)
        return np.asarray(np.interp(rates, self.knots, self._lambda_rest) + usd)

    def container_usd(self, rates: Floats, burst: Burst, wait: Floats | float = 1.0) -> Floats:
        usd = np.interp(rates, self.knots, self._container_rest)
        usd = usd + self._lcu_usd(rates, self.world.profile.container_lane, "instance", wait)
        hours = np.zeros_like(usd)
        for (factor, share), (least, time) in product(burst.phases, self.minimums):
            asked = np.ceil(rates * factor / self.per_instance - 1e-9)
            used = np.clip(asked, least, self.fleet.max_instances)
            usd = usd + (self._bought_usd(used) + used * self._instance_hour) * share * time * self._hours
            hours = hours + used * share * time * self._hours
        for of in self._free:
            amount = of.fixed + of.each_hour * hours
            usd = usd - tiered(of.price, amount) + tiered(of.price, np.maximum(0.0, amount - of.free))
        return np.asarray(usd)

    def _bought_usd(self, used: Floats) -> Floats:
        """What so many instances cost an hour, on demand and spot."""
        fleet = self.fleet
        base = np.minimum(used, fleet.on_demand_base)
        bought = base + np.ceil((used - base) * (100 - fleet.spot_percent) / 100)
        spot = float(ec2.mean_spot(self.world.book, fleet.instance_types).usd) if fleet.spot_percent else 0.0
        return np.asarray(bought * float(self.instance.on_demand.usd) + (used - bought) * spot)

    def crossover(self, burst: Burst, wait: float = 1.0) -> float | None:
        """The lowest mean rate at which the cheaper lane changes, or None; searched as far as the fleet serves the burst."""
        top = self.highest / burst.factor
        edges = self.per_instance * np.arange(1, self.fleet.max_instances)
        phases = [factor for factor, _ in burst.phases]
        steps = np.concatenate([edges / factor * side for factor in phases for side in (1.0, 1.000001)])
        rates = np.unique(np.concatenate([steps[(steps > LOWEST_RPS) & (steps < top)], np.geomspace(LOWEST_RPS, top, SCAN)]))
        dearer = self._lambda_is_dearer(rates, burst, wait)
        changes = np.flatnonzero(dearer[1:] != dearer[:-1])
        if not len(changes):
            return None
        low, high = float(rates[changes[0]]), float(rates[changes[0] + 1])
        while high / low > 1 + 1e-7:
            middle = (low * high) ** 0.5
            if bool(self._lambda_is_dearer(np.array([middle]), burst, wait)[0]) == bool(dearer[0]):
                low = middle
            else:
                high = middle
        return high

    def _lambda_is_dearer(self, rates: Floats, burst: Burst, wait: float) -> Floats:
        return np.asarray(self.lambda_usd(rates, burst, wait) > self.container_usd(rates, burst, wait))

    def _lcu_usd(self, rates: Floats, lane: LaneProfile, target: str, wait: Floats | float) -> Floats:
        """The hour's mean rate decides, so bursts do not."""
        options, stage = self.world.options, self.world.stage
        connections = rates / options.requests_per_connection
        open_s = (lane.cpu_ms_per_search + lane.wait_ms * np.asarray(wait)) / 1000 + stage.traffic.idle_timeout_s
        size = (lane.request_bytes or 0) + (lane.response_bytes or 0)
        dimensions = (
            connections / load_balancer.NEW_CONNECTIONS_PER_S,
            connections * open_s / load_balancer.ACTIVE_CONNECTIONS,
            rates * size * 3600 / 1e9 / float(load_balancer.GB_PER_HOUR[target]),
            rates * max(0, options.listener_rules - load_balancer.FREE_RULES) / load_balancer.RULE_EVALUATIONS_PER_S,
        )
        largest = np.maximum.reduce([np.broadcast_to(each, np.broadcast(rates, open_s).shape) for each in dimensions])
        return np.asarray(largest * self._hours * float(self.world.book.price("AWSELB", "alb_lcu").usd))

    def _exact(self, price: object, rps: float) -> LaneCost:
        world = self.world
        assert callable(price)
        cost = price(world.profile, flat_rate(rps), world.book, world.stage, world.options)
        assert isinstance(cost, LaneCost)
        return cost

    def _knots(self) -> Floats:
        """The lowest and the highest rate, and where a tier or a free allowance ends in between."""
        found = {LOWEST_RPS, self.highest}
        busiest = [self._exact(price, self.highest) for price in (price_lambda, price_container)]
        for cost in busiest:
            sums: dict[tuple[str, str], float] = {}
            for line in cost.lines:
                key = (line.service, line.dimension)
                sums[key] = sums.get(key, 0.0) + float(line.used)
            for key, quantity in sums.items():
                price, free = self.world.book.prices.get(key), self.world.book.free_tiers.get(key)
                start = float(free.quantity) if free is not None and self.world.options.free_tier else 0.0
                ends = [] if price is None else [float(tier.end) for tier in price.tiers if tier.end is not None]
                if not quantity:
                    continue
                for end in (*([0.0] if start else []), *ends):
                    found.add(self.highest * (end + start) / quantity)
        return np.array(sorted(rate for rate in found if LOWEST_RPS <= rate <= self.highest))

    def _per_instance_hour(self) -> tuple[float, list[FreeOf]]:
        """What an instance's hour costs beside the instance (volume, address, its metrics), at list price: what one more adds;
        and what of it is free up to an amount."""
        least = self.fleet.min_instances
        months, used = [], []
        options = replace(self.world.options, free_tier=False)
        for count in (least, least + 1):
            most = max(self.fleet.max_instances, least + 2)
            fleet = replace(self.fleet, min_instances=count, max_instances=most, schedules=())
            stage = replace(self.world.stage, container_lane=fleet)
            month = price_container(self.world.profile, flat_rate(LOWEST_RPS), self.world.book, stage, options)
            months.append(float(month.usd_per_month))
            used.append({key: sum(float(each.used) for each in month.lines if key == (each.service, each.dimension))
                         for key in self.world.book.free_tiers})  # fmt: skip
        instances = self._bought_usd(np.array([least, least + 1], dtype=np.float64))
        each = (months[1] - months[0]) / self._hours - float(instances[1] - instances[0])
        if not self.world.options.free_tier:
            return each, []
        free = []
        for key, allowance in self.world.book.free_tiers.items():
            more = (used[1][key] - used[0][key]) / self._hours
            if more > 0:
                fixed = used[0][key] - least * more * self._hours
                price = self.world.book.price(*key)
                free.append(FreeOf(price=price, free=float(allowance.quantity), fixed=fixed, each_hour=more))
        return each, free
