"""A minute's counts as CloudWatch would have them of AWS: names, dimensions and units.

Sources: "CloudWatch metrics for your Application Load Balancer" and "Types of metrics for Lambda functions". Both publish
nothing for a count of zero; hosts are told of whenever a target is registered, requests or not. Bytes are those of bodies;
connections are callers' and those with a request on them. Not published, for nothing here reads them: figures by
availability zone, consumed LCUs, TLS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.lab.live.front.counts import Counts, FunctionCounts, GroupCounts

ELB, LAMBDA = "AWS/ApplicationELB", "AWS/Lambda"
OWN_STATUSES = (500, 502, 503, 504)
"""Those of the load balancer's own statuses that have a metric each beside their hundred's."""

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One metric in one minute: values and how often each was."""

    namespace: str
    name: str
    dimensions: Dimensions
    values: Mapping[float, int]
    unit: str = "Count"


def points(counts: Counts, load_balancer: str) -> Iterator[Point]:
    """Everything of one minute; `load_balancer` as CloudWatch names it, `app/<name>/<id>`."""
    yield from _balancer(counts, (("LoadBalancer", load_balancer),))
    for arn, group in counts.groups.items():
        target_group = (("TargetGroup", arn.rpartition(":")[2]),)
        yield from _group(group, target_group, (*target_group, ("LoadBalancer", load_balancer)))
    for name, of in _by_function(counts.functions).items():
        yield from _function(of, (("FunctionName", name),))
    for resource, of in counts.functions.items():
        if ":" in resource:
            yield from _function(of, (("FunctionName", resource.partition(":")[0]), ("Resource", resource)))


def _balancer(counts: Counts, of: Dimensions) -> Iterator[Point]:
    groups = counts.groups.values()
    yield from _counted("RequestCount", of, sum(group.requests for group in groups))
    for hundred in (3, 4, 5):
        total = sum(number for status, number in counts.elb_statuses.items() if status // 100 == hundred)
        yield from _counted(f"HTTPCode_ELB_{hundred}XX_Count", of, total)
    for status in OWN_STATUSES:
        yield from _counted(f"HTTPCode_ELB_{status}_Count", of, counts.elb_statuses[status])
    for hundred in (2, 3, 4, 5):
        yield from _counted(f"HTTPCode_Target_{hundred}XX_Count", of, sum(group.statuses[hundred] for group in groups))
    yield from _counted("TargetConnectionErrorCount", of, sum(group.connection_errors for group in groups))
    yield from _valued("TargetResponseTime", of, sum((group.waited_s for group in groups), Counter()), "Seconds")
    yield from _counted("HTTP_Fixed_Response_Count", of, counts.fixed_responses)
    yield from _counted("HTTP_Redirect_Count", of, counts.redirects)
    yield from _counted("NewConnectionCount", of, counts.new_connections)
    yield from _counted("ActiveConnectionCount", of, counts.most_connections)
    yield from _counted("ProcessedBytes", of, sum(group.size for group in groups), unit="Bytes")
    yield from _counted("LambdaTargetProcessedBytes", of, counts.functions_size, unit="Bytes")


def _group(group: GroupCounts, alone: Dimensions, of: Dimensions) -> Iterator[Point]:
    yield from _counted("RequestCount", of, group.requests)
    for hundred in (2, 3, 4, 5):
        yield from _counted(f"HTTPCode_Target_{hundred}XX_Count", of, group.statuses[hundred])
    yield from _valued("TargetResponseTime", of, group.waited_s, "Seconds")
    yield from _counted("TargetConnectionErrorCount", of, group.connection_errors)
    yield from _valued("HealthyHostCount", of, group.healthy, "Count")
    yield from _valued("UnHealthyHostCount", of, group.unhealthy, "Count")
    hosts = max((healthy for healthy in group.healthy), default=0.0)
    for dimensions in (alone, of):
        yield from _counted("LambdaUserError", dimensions, group.function_errors)
        yield from _counted("LambdaInternalError", dimensions, group.service_errors)
        if hosts:
            yield from _counted("RequestCountPerTarget", dimensions, group.requests / hosts)


def _function(counts: FunctionCounts, of: Dimensions) -> Iterator[Point]:
    yield from _counted("Invocations", of, counts.invocations, LAMBDA)
    yield from _counted("Errors", of, counts.errors, LAMBDA)
    yield from _counted("Throttles", of, counts.throttles, LAMBDA)
    yield from _counted("ProvisionedConcurrencyInvocations", of, counts.on_provisioned, LAMBDA)
    yield from _counted("ProvisionedConcurrencySpilloverInvocations", of, counts.spilled, LAMBDA)
    yield from _valued("Duration", of, counts.duration_ms, "Milliseconds", LAMBDA)
    yield from _valued("ConcurrentExecutions", of, counts.at_once, "Count", LAMBDA)


def _by_function(functions: Mapping[str, FunctionCounts]) -> dict[str, FunctionCounts]:
    """All aliases and versions of a function together."""
    together: dict[str, FunctionCounts] = {}
    for resource, counts in functions.items():
        whole = together.setdefault(resource.partition(":")[0], FunctionCounts())
        whole.invocations += counts.invocations
        whole.on_provisioned += counts.on_provisioned
        whole.spilled += counts.spilled
        whole.errors += counts.errors
        whole.throttles += counts.throttles
        whole.duration_ms += counts.duration_ms
        whole.at_once += counts.at_once
    return together


def _counted(name: str, of: Dimensions, value: float, namespace: str = ELB, unit: str = "Count") -> Iterator[Point]:
    if value:
        yield Point(namespace, name, of, {float(value): 1}, unit)


def _valued(name: str, of: Dimensions, values: Mapping[float, int], unit: str, namespace: str = ELB) -> Iterator[Point]:
    if values:
        yield Point(namespace, name, of, values, unit)
