"""What containers without machines of one's own would cost: AWS Fargate, Fargate Spot, App Runner. None is deployed.

Tasks are as large as the instance that is tried has vCPUs, with 2 GB each, the least that all three allow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infra.cost.prices.book import PriceBook
from infra.cost.simulation.arrivals import Floats

TASK_VCPUS = {"fargate": (1, 2, 4, 8, 16), "fargate_spot": (1, 2, 4, 8, 16), "app_runner": (1, 2, 4)}
"""Whole vCPUs that a task or an instance may have (Amazon ECS Developer Guide, "Task definition parameters for Fargate"; AWS
App Runner Developer Guide, "Service configuration")."""
GB_PER_VCPU = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Task-hours of each draw; of those on demand `idle` without a request for a minute, and `paid` what they come to at list
    price, the same where no plan covers them."""

    on_demand: Floats
    paid: Floats
    spot: Floats
    idle: float
    spot_factor: Floats


@dataclass(frozen=True, slots=True)
class Prices:
    """The hour of one vCPU with its 2 GB."""

    book: PriceBook
    architecture: str

    def fargate(self, kind: str) -> float:
        vcpu, memory = (self._usd("AmazonECS", f"{kind}_{part}_{self.architecture}") for part in ("vcpu", "memory"))
        return 3600 * (vcpu + GB_PER_VCPU * memory)

    def app_runner(self) -> tuple[float, float]:
        """Of its CPU, which is paid while it serves, and of its memory."""
        return self._usd("AmazonAppRunner", "vcpu"), GB_PER_VCPU * self._usd("AmazonAppRunner", "memory")

    def _usd(self, service: str, dimension: str) -> float:
        return float(self.book.price(service, dimension).usd)


def task_usd(lane: str, vcpu: int, hours: Hours, prices: Prices, address_usd: float) -> Floats:
    """Dollars of the profile. Fargate's tasks have a public address each; App Runner's have none, and bring their own load
    balancer, which the other lanes have in front of them."""
    if lane == "app_runner":
        cpu, memory = prices.app_runner()
        active = np.maximum(0.0, hours.on_demand - hours.idle)
        return vcpu * (active * cpu + hours.on_demand * memory)
    full = prices.fargate("fargate")
    usd = hours.paid * vcpu * full + hours.on_demand * address_usd
    if lane == "fargate_spot":
        each = np.minimum(prices.fargate("fargate_spot") * hours.spot_factor, full)
        usd = usd + hours.spot * (vcpu * each + address_usd)
    return usd
