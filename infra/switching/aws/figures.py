"""What the lanes did, from CloudWatch: whole minutes only, and only those that CloudWatch can have by now.

The load balancer and Lambda publish each minute once it is over, with a delay. A count that was zero is not published at all
(CloudWatch metrics for your Application Load Balancer: "Reporting criteria: there is a nonzero value"), so nothing is no proof
of nothing: a missing count is 0 only in a minute for which something of the load balancer is there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.switching.aws.calls import Aws, asked
from infra.switching.aws.resources import Resources
from infra.switching.ports import Unreachable
from infra.switching.verdict import Figures

MINUTE = 60
SETTLE_S = 30.0
"""How long after its end a minute is left alone: the load balancer's nodes do not all report at once."""
ELB, LAMBDA = "AWS/ApplicationELB", "AWS/Lambda"
SERVICE = "Crossover"
"""Namespace of what each instance's agent publishes."""

Series = Mapping[str, Mapping[float, float]]
"""By metric, the value of each minute, which is named by its beginning (seconds since 1970)."""


@dataclass(frozen=True, slots=True)
class Metric:
    namespace: str
    name: str
    stat: str
    dimensions: Mapping[str, str]


def metrics(resources: Resources) -> dict[str, Metric]:
    """Dimensions as AWS publishes them: what a Lambda target did wrong is published by its target group alone."""
    balancer = {"LoadBalancer": resources.load_balancer}
    asked_for = {
        "balancer_requests": Metric(ELB, "RequestCount", "Sum", balancer),
        "balancer_5xx": Metric(ELB, "HTTPCode_ELB_5XX_Count", "Sum", balancer),
        "balancer_503": Metric(ELB, "HTTPCode_ELB_503_Count", "Sum", balancer),
        "throttles": Metric(LAMBDA, "Throttles", "Sum", {"FunctionName": resources.function}),
        "loop_lag_ms": Metric(SERVICE, "EventLoopLagP99", "Average", {"AutoScalingGroupName": resources.group}),
        # Published whenever a target is registered, so with no traffic too.
        "container_hosts": Metric(
            ELB, "HealthyHostCount", "Minimum", {"TargetGroup": resources.target_group("container"), **balancer}
        ),
    }
    for name in ("LambdaUserError", "LambdaInternalError"):
        asked_for[name] = Metric(ELB, name, "Sum", {"TargetGroup": resources.target_group("lambda")})
    for lane in resources.target_groups:
        group = {"TargetGroup": resources.target_group(lane), **balancer}
        asked_for[f"{lane}_requests"] = Metric(ELB, "RequestCount", "Sum", group)
        asked_for[f"{lane}_5xx"] = Metric(ELB, "HTTPCode_Target_5XX_Count", "Sum", group)
        asked_for[f"{lane}_p99_s"] = Metric(ELB, "TargetResponseTime", "p99", group)
    return asked_for


def load_metrics(resources: Resources) -> dict[str, Metric]:
    """What tells, beside the lanes' figures, how much work a request is."""
    return {
        "cpu_percent": Metric("AWS/EC2", "CPUUtilization", "Average", {"AutoScalingGroupName": resources.group}),
        "duration_ms": Metric(LAMBDA, "Duration", "Average", {"FunctionName": resources.function}),
    }


class CloudWatch:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def series(self, wanted: Mapping[str, Metric], start: float, end: float) -> Series:
        """Minutes that begin at `start` or later and end by `end`; both are whole minutes."""
        names = list(wanted)
        queries = [_query(f"m{number}", wanted[name]) for number, name in enumerate(names)]
        told: dict[str, dict[float, float]] = {name: {} for name in names}
        more: dict[str, Any] = {}
        while True:
            with asked("CloudWatch"):
                answer = self._aws.client("cloudwatch").get_metric_data(
                    MetricDataQueries=queries,
                    StartTime=datetime.fromtimestamp(start, UTC),
                    EndTime=datetime.fromtimestamp(end, UTC),
                    **more,
                )
            for result in answer["MetricDataResults"]:
                if result.get("StatusCode") in ("InternalError", "Forbidden"):
                    raise Unreachable(f"CloudWatch: {result['StatusCode']} for {names[int(result['Id'][1:])]}")
                minutes = (moment.timestamp() for moment in result["Timestamps"])
                told[names[int(result["Id"][1:])]] |= zip(minutes, result["Values"], strict=True)
            if not answer.get("NextToken"):
                return told
            more = {"NextToken": answer["NextToken"]}


def window(since: float, now: float) -> tuple[float, float]:
    """The whole minutes after `since` that may be known at `now`; empty where the end is not after the start."""
    return math.ceil(since / MINUTE) * MINUTE, math.floor((now - SETTLE_S) / MINUTE) * MINUTE


def known_minutes(series: Series, start: float, end: float) -> list[float]:
    """From `start` to the last minute of which the load balancer has told something: the same for both lanes, or their
    shares of the requests could not be compared."""
    told = [
        minute for name in ("container_hosts", "balancer_requests") for minute in series.get(name, {}) if start <= minute < end
    ]
    return [start + MINUTE * number for number in range(int((max(told) - start) / MINUTE) + 1)] if told else []


def lane_figures(lane: str, series: Series, minutes: list[float], healthy: int | None) -> Figures:
    """One lane over the known minutes. Where there is none, nothing is known but who is healthy now.

    The load balancer's own 5xx are told of no lane. Those that Lambda's errors explain (its throttles are among them) are the
    Lambda lane's, the rest is the container lane's: a function is always there. A 503 of the load balancer stands for a request
    that is not in the requests of any target group.
    """
    if not minutes:
        return Figures(healthy=healthy if lane == "container" else None)

    def total(name: str) -> int:
        return round(sum(series.get(name, {}).get(minute, 0.0) for minute in minutes))

    failed_calls = total("LambdaUserError") + total("LambdaInternalError")
    if lane == "lambda":
        return Figures(
            requests=total("lambda_requests"),
            errors=total("lambda_5xx") + failed_calls,
            p99_ms=_p99_ms(lane, series, minutes),
            throttled=total("throttles"),
        )
    return Figures(
        requests=total("container_requests") + total("balancer_503"),
        errors=total("container_5xx") + max(0, total("balancer_5xx") - failed_calls),
        p99_ms=_p99_ms(lane, series, minutes),
        loop_lag_ms=max((series["loop_lag_ms"][minute] for minute in minutes if minute in series["loop_lag_ms"]), default=None),
        healthy=healthy,
    )


@dataclass(frozen=True, slots=True)
class Timeline:
    """Minute by minute: `minutes` are the known ones, named by their beginnings (seconds since 1970)."""

    series: Series
    minutes: list[float]

    def each(self, lane: str) -> list[Figures]:
        """The lane in each of `minutes`; `healthy` are the fewest healthy targets of the minute."""
        hosts = self.series.get("container_hosts", {})
        return [
            lane_figures(lane, self.series, [minute], round(hosts[minute]) if minute in hosts else None)
            for minute in self.minutes
        ]

    def over(self, lane: str, since: float, healthy: int | None = None) -> Figures:
        """The lane over the whole minutes after `since`."""
        first = math.ceil(since / MINUTE) * MINUTE
        return lane_figures(lane, self.series, [minute for minute in self.minutes if minute >= first], healthy)


def _p99_ms(lane: str, series: Series, minutes: list[float]) -> float | None:
    """The minutes' percentiles, each counting by its requests: between the least and the greatest of them, as the percentile of
    the whole window is."""
    requests, p99_s = series[f"{lane}_requests"], series[f"{lane}_p99_s"]
    weighted = [(requests.get(minute, 0.0), p99_s[minute]) for minute in minutes if minute in p99_s]
    count = sum(weight for weight, _ in weighted)
    return 1000 * sum(weight * value for weight, value in weighted) / count if count else None


def _query(id: str, metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions.items()]
    told = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": id, "MetricStat": {"Metric": told, "Period": MINUTE, "Stat": metric.stat}}
