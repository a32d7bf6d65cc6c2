"""The metrics that the dashboard and the alarms read, as plain data: what AWS publishes, and what the service does.

AWS publishes a metric for certain sets of dimensions only, so each names the kind of place (`of`) that it is published for;
`places` gives those dimensions their values. Sources: "CloudWatch metrics for your Application Load Balancer", "Types of
metrics for Lambda functions", "Amazon CloudWatch metrics for Amazon EC2 Auto Scaling" and "List the available CloudWatch
metrics for your instances", all of the AWS documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Places = Mapping[str, Mapping[str, str]]
"""Dimensions by kind of place; a stage has those of what it deploys."""

BALANCER = "balancer"
GROUP = "group"
FUNCTION = "function"
DEAD_LETTERS = "dead_letters"
# The two metrics of a Lambda target are documented with the target group alone.
LAMBDA_TARGET_GROUP = "lambda_target_group"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric and the statistic that is read of it."""

    namespace: str
    name: str
    of: str
    stat: str = "Sum"


def targets(lane: str) -> str:
    """The place of a lane's target group behind the load balancer."""
    return f"{lane}_targets"


def service(lane: str) -> str:
    """The place of what the service itself tells on a lane, where `search.emf_s` is set (app/telemetry/emf.py)."""
    return f"{lane}_service"


def balancer(name: str, stat: str = "Sum") -> Metric:
    return Metric("AWS/ApplicationELB", name, BALANCER, stat)


def target(lane: str, name: str, stat: str = "Sum") -> Metric:
    return Metric("AWS/ApplicationELB", name, targets(lane), stat)


def lambda_target(name: str) -> Metric:
    return Metric("AWS/ApplicationELB", name, LAMBDA_TARGET_GROUP)


def function(name: str, stat: str = "Sum") -> Metric:
    return Metric("AWS/Lambda", name, FUNCTION, stat)


def dead_letters(name: str, stat: str = "Maximum") -> Metric:
    """Of the queue of what could not be started, or failed, at its scheduled time."""
    return Metric("AWS/SQS", name, DEAD_LETTERS, stat)


def group(name: str, stat: str = "Average") -> Metric:
    return Metric("AWS/AutoScaling", name, GROUP, stat)


def instances(name: str, stat: str = "Average") -> Metric:
    return Metric("AWS/EC2", name, GROUP, stat)


def agent(name: str, stat: str = "Average") -> Metric:
    """Published each minute by the agent on every instance: `EventLoopBusy` (percent), `EventLoopLagP99` (ms),
    `SearchesInFlight`, `SuppliersHeldBack`."""
    return Metric("Crossover", name, GROUP, stat)


def told(lane: str, name: str, stat: str = "Sum") -> Metric:
    return Metric("Crossover", name, service(lane), stat)
