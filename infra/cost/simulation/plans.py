"""What a commitment changes of the simulated lanes: Savings Plans and reserved instances, bought for the measured world.

The first draw decides how much is committed, the cheapest for its steps; every world then pays it, and loses what it does not
use. Of a fleet that is whole instances: one is worth it that runs for more of the time than the plan's price is of the list
price. A plan is held against each step, not each hour as AWS does, which makes a fleet that changes within an hour a little
dearer. What a plan covers (AWS Savings Plans User Guide): Fargate's tasks, not Fargate Spot's; the instances that Lambda
manages, not the fee; never App Runner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from infra.config import Stage
from infra.cost.prices.book import PriceBook
from infra.cost.savings import check_plan, covers
from infra.cost.simulation.arrivals import Arrivals, Floats
from infra.cost.simulation.what_if import GB_PER_VCPU

SERVICES = {
    "lambda": "AWSLambda",
    "on_demand": "AmazonEC2",
    "mixed": "AmazonEC2",
    "hybrid": "AmazonEC2",
    "managed": "AmazonEC2",
    "fargate": "AmazonECS",
    "fargate_spot": "AmazonECS",
}
"""Which service's usage of a lane a plan may cover; of the hybrid its instances alone."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A purchase option of the book, or none (`name` None)."""

    book: PriceBook
    stage: Stage
    name: str | None

    def __post_init__(self) -> None:
        if self.name is not None:
            check_plan(self.book, self.name)

    def covers(self, lane: str) -> bool:
        return self.name is not None and lane in SERVICES and covers(self.name, SERVICES[lane])

    def discount(self, lane: str, instance_type: str | None = None) -> float | None:
        """The share off the list price of what is covered of a lane; 0 where nothing is, None where the book has no rate."""
        if not self.covers(lane):
            return 0.0
        architecture = self.stage.architecture
        if SERVICES[lane] == "AmazonECS":
            return self._task(architecture)
        if lane != "lambda":
            return self.rate(SERVICES[lane], str(instance_type))
        kept = ("provisioned_concurrency", "provisioned_duration") if self.stage.lambda_lane.provisioned_concurrency else ()
        rates = [self.rate(SERVICES[lane], f"{name}_{architecture}") for name in ("duration", *kept)]
        return None if None in rates else rates[0]

    def rate(self, service: str, what: str) -> float | None:
        """The share off the list price of one thing; None where the book has no rate."""
        rate = self.book.plan_rate(str(self.name), service, what)
        return None if rate is None else float(rate.discount)

    def _task(self, architecture: str) -> float | None:
        """Of a vCPU with its memory, as `what_if` has them; the two may have rates of their own."""
        listed = paid = 0.0
        for dimension, each in ((f"fargate_vcpu_{architecture}", 1), (f"fargate_memory_{architecture}", GB_PER_VCPU)):
            rate, usd = self.rate("AmazonECS", dimension), each * float(self.book.price("AmazonECS", dimension).usd)
            if rate is None:
                return None
            listed, paid = listed + usd, paid + usd * (1 - rate)
        return 1 - paid / listed


def paid_hours(each: Floats, whole: float, discount: float) -> Floats:
    """Hours at list price that instances come to under a plan, of each draw. `each` has the hours of every instance on demand,
    the busiest first; `whole` are those of the profile."""
    if not discount:
        return np.asarray(each.sum(axis=1))
    committed = int((each[0] > (1 - discount) * whole).sum())
    return np.asarray(committed * (1 - discount) * whole + each[:, committed:].sum(axis=1))


def paid_seconds(
    arrivals: Arrivals, seconds: Floats, discount: float, *, above: float = 0.0, up_to: float = math.inf
) -> Floats:
    """Seconds of running at list price that functions come to under a plan, of each draw; `seconds` is a search's, and counted
    is what runs on environments beyond `above` of them, up to `up_to`. What is committed to is what runs for more of the time
    than the plan's price is of the list price."""
    rates, level = arrivals.ordered, above
    if discount:
        often = float(rates.values[max(0, math.ceil(discount * len(rates.values) - 1e-9) - 1)])
        level = min(max(often * float(seconds[0]), above), up_to)
    beyond = rates.excess(level / seconds) - (rates.excess(up_to / seconds) if up_to < math.inf else 0.0)
    return np.asarray((1 - discount) * (level - above) * arrivals.hours * 3600 + beyond * arrivals.step_s * seconds)
