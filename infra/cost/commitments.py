"""What of a lane a commitment can cover, hour by hour at list price: Lambda's running time, instances on demand."""

from __future__ import annotations

from decimal import Decimal

from infra.cost.exact import EXACT
from infra.cost.lane import CostOptions, Usage
from infra.cost.lines.line import LineItem, quantity, total
from infra.cost.traffic.profile import TrafficProfile, hourly_means


def lambda_usage(traffic: TrafficProfile, compute: list[LineItem], options: CostOptions) -> tuple[Usage, ...]:
    """Duration, and what provisioned concurrency costs, each dimension by itself as plans have rates for each; never requests.
    Hour by hour: what searches take is spread as they are, what is kept for them is kept in all hours alike."""
    mean = traffic.mean_rps
    found = []
    for dimension in dict.fromkeys(line.dimension for line in compute):
        if "duration" not in dimension and "concurrency" not in dimension:
            continue
        usd = total(line for line in compute if line.dimension == dimension)
        each = EXACT.divide(usd, options.month_hours)
        kept = "concurrency" in dimension
        hourly = tuple((quantity(float(each) * (1 if kept else rate / mean)), hours) for rate, hours in traffic.hourly())
        found.append(Usage(service="AWSLambda", what=dimension, hourly=hourly, usd=usd))
    return tuple(found)


def instance_usage(name: str, each: Decimal, by_step: tuple[int, ...], traffic: TrafficProfile, usd: Decimal) -> Usage:
    """Instances on demand, hour by hour."""
    hourly = tuple((quantity(count * float(each)), hours) for count, hours in hourly_means(by_step, traffic.step_s))
    return Usage(service="AmazonEC2", what=name, hourly=hourly, usd=usd, each_usd=each)
