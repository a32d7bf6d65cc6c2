"""What of a lane a commitment can cover, hour by hour at list price: Lambda's running time, instances on demand."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.lane import CostOptions, Usage
from infra.cost.lines.line import EXACT, LineItem, quantity, total
from infra.cost.traffic import TrafficProfile, hourly_means


def lambda_usage(traffic: TrafficProfile, compute: list[LineItem], options: CostOptions) -> Usage:
    """Duration and provisioned concurrency hour by hour, spread as the searches are; never requests."""
    usd = total(line for line in compute if "duration" in line.dimension or "concurrency" in line.dimension)
    each = EXACT.divide(usd, options.month_hours)
    mean = traffic.mean_rps
    hourly = tuple((quantity(float(each) * rate / mean), hours) for rate, hours in traffic.hourly())
    return Usage(service="AWSLambda", what="duration", hourly=hourly, usd=usd)


def instance_usage(name: str, each: Decimal, by_step: tuple[int, ...], traffic: TrafficProfile, usd: Decimal) -> Usage:
    """Instances on demand, hour by hour."""
    hourly = tuple((quantity(count * float(each)), hours) for count, hours in hourly_means(by_step, traffic.step_s))
    return Usage(service="AmazonEC2", what=name, hourly=hourly, usd=usd, each_usd=each)
