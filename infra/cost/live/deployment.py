"""A deployed stage's samples by lane: Lambda's REPORT records through Logs Insights, the rest from CloudWatch's metrics.

What neither tells is left out, never taken as 0: CPU and bytes of the Lambda lane, bytes to and from suppliers, a worker's
memory. An hour's percentiles are CloudWatch's own; hours are put together by their curves, each counting by its requests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from infra.aws_calls import AwsClients
from infra.cost.live.insights import JSON, TEXT, read_reports
from infra.cost.live.logs import Histogram, LiveLane
from infra.cost.live.metrics import EC2, ELB, LAMBDA, Metric, Series, Window, read_metrics, window
from infra.cost.live.stage import LiveStage, instance_types, log_group
from infra.cost.profile import Distribution
from infra.errors import KitError

HOUR_S = 3_600
SHARES = {
    "Minimum": 0.0, "p1": 0.01, "p5": 0.05, "p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95,
    "p98": 0.98, "p99": 0.99, "p99.9": 0.999,
}  # fmt: skip
"""Statistics of an hour and the share of its samples that is below; `Maximum` is the last."""
SUMMARY = (*SHARES, "Maximum", "Sum", "SampleCount")
FEWEST_AN_HOUR = 100
"""Requests under which an hour's CPU is the system's own rather than the requests'."""
AGENT = "CWAgent"
"""Namespace of the CloudWatch agent, where a stage runs one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """`lanes` as from logs; `hourly` are further figures of which a sample is an hour, by place; `scanned_bytes` is what Logs
    Insights bills; `unknown` says what was asked and not told."""

    lanes: Mapping[str, LiveLane]
    hourly: Mapping[str, Mapping[str, Distribution]]
    scanned_bytes: int
    unknown: tuple[str, ...]
    of: Window


@dataclass(slots=True)
class _Found:
    hourly: dict[str, dict[str, Distribution]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def add(self, place: str, name: str, values: Iterable[float]) -> None:
        histogram = Histogram()
        for value in values:
            histogram.add(value)
        if (told := histogram.told()) is not None:
            self.hourly.setdefault(place, {})[name] = told


def read_deployment(
    aws: AwsClients,
    stage: LiveStage,
    *,
    days: int,
    vcpus: Callable[[str], int | None],
    now: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Deployment:
    """The last `days` of a stage. `vcpus` tells an instance type's, None where it does not know. `KitError` where AWS cannot
    be asked or has nothing of either lane."""
    of = window(days, now, HOUR_S)
    wanted = wanted_metrics(stage)
    if not wanted:
        raise KitError(f"stage {stage.stage!r} has neither a function nor a load balancer or group to read figures of")
    series = read_metrics(aws.client("cloudwatch"), wanted, of)
    found, scanned = _Found(), 0
    functions = LiveLane()
    if stage.function is not None:
        group, in_json = log_group(aws, stage.function)
        functions, scanned = read_reports(
            aws.client("logs"), group, JSON if in_json else TEXT, start=of.start, end=of.end, sleep=sleep
        )
        if not functions.searches:
            functions = _from_metrics(series)
            found.unknown.append(f"memory and cold starts of the Lambda lane: no REPORT record in {group}")
    _summarized(functions.target_ms, series, "lambda_target", 1_000)
    containers = _containers(stage, series, found)
    if stage.group is not None:
        _instances(stage, series, found, {vcpus(name) for name in instance_types(aws, stage.group)})
    if stage.balancer is not None:
        _bytes(series, found)
    lanes = {"lambda": functions, "container": containers}
    if not any(lane.duration_ms.count or lane.target_ms.count for lane in lanes.values()):
        raise KitError(f"CloudWatch has no request of stage {stage.stage!r} in {days} days")
    return Deployment(lanes=lanes, hourly=found.hourly, scanned_bytes=scanned, unknown=tuple(found.unknown), of=of)


def wanted_metrics(stage: LiveStage) -> dict[str, Metric]:
    """By name; only what the stage can publish. Dimensions as AWS documents them for each."""
    wanted: dict[str, Metric] = {}
    if stage.function is not None:
        place = {"FunctionName": stage.function}
        wanted |= _summary("lambda_duration", LAMBDA, "Duration", place)
        wanted |= {f"lambda_{name.lower()}": Metric(LAMBDA, name, "Sum", place) for name in ("Invocations", "Errors")}
    if stage.balancer is not None:
        place = {"LoadBalancer": stage.balancer}
        wanted |= {f"balancer_{name}": Metric(ELB, name, "Sum", place) for name in ("RequestCount", "ProcessedBytes")}
        for lane, target in stage.targets.items():
            both = {"TargetGroup": target, **place}
            wanted |= _summary(f"{lane}_target", ELB, "TargetResponseTime", both)
            wanted[f"{lane}_requests"] = Metric(ELB, "RequestCount", "Sum", both)
            wanted[f"{lane}_5xx"] = Metric(ELB, "HTTPCode_Target_5XX_Count", "Sum", both)
    if stage.group is not None:
        place = {"AutoScalingGroupName": stage.group}
        wanted["cpu_percent_minutes"] = Metric(EC2, "CPUUtilization", "Sum", place)
        wanted["memory_percent"] = Metric(AGENT, "mem_used_percent", "Maximum", place)
    return wanted


def _summary(name: str, namespace: str, metric: str, place: Mapping[str, str]) -> dict[str, Metric]:
    return {f"{name}_{stat}": Metric(namespace, metric, stat, place) for stat in SUMMARY}


def _summarized(into: Histogram, series: Series, name: str, factor: float) -> None:
    """Hour by hour; an hour that lacks one of its statistics is left out."""
    stats = {stat: series.get(f"{name}_{stat}", {}) for stat in SUMMARY}
    for hour, count in stats["SampleCount"].items():
        if not count or any(hour not in stats[stat] for stat in SUMMARY):
            continue
        curve = [(share, stats[stat][hour] * factor) for stat, share in SHARES.items()]
        into.add_summary(round(count), stats["Sum"][hour] * factor, [*curve, (1.0, stats["Maximum"][hour] * factor)])


def _from_metrics(series: Series) -> LiveLane:
    lane = LiveLane()
    _summarized(lane.duration_ms, series, "lambda_duration", 1)
    lane.errors = round(sum(series["lambda_errors"].values()))
    lane.searches = max(0, round(sum(series["lambda_invocations"].values())) - lane.errors)
    return lane


def _containers(stage: LiveStage, series: Series, found: _Found) -> LiveLane:
    lane = LiveLane()
    if stage.group is None:
        return lane
    _summarized(lane.target_ms, series, "container_target", 1_000)
    lane.errors = round(sum(series.get("container_5xx", {}).values()))
    lane.searches = max(0, round(sum(series.get("container_requests", {}).values())) - lane.errors)
    if not lane.target_ms.count:
        found.unknown.append("durations of the container lane: its target group had no request")
    return lane


def _instances(stage: LiveStage, series: Series, found: _Found, vcpus: set[int | None]) -> None:
    """CPU of the instances, all that runs on them included, over the requests of the same hour. With detailed monitoring, which
    the stages have, each instance publishes one percentage a minute."""
    found.add("container", "instance_memory_percent", series["memory_percent"].values())
    if not series["memory_percent"]:
        found.unknown.append("memory of the instances: no CloudWatch agent publishes it")
    percents, requests = series["cpu_percent_minutes"], series.get("container_requests", {})
    (vcpu,) = vcpus if len(vcpus) == 1 else (None,)
    if vcpu is None or not percents or not requests:
        why = "there is no instance of one known size now" if percents and requests else "no CPUUtilization beside requests"
        found.unknown.append(f"CPU of the instances a request: {why}")
        return
    found.add(
        "container",
        "instance_cpu_ms",
        (
            percents[hour] / 100 * 60 * vcpu * 1_000 / count
            for hour, count in requests.items()
            if count >= FEWEST_AN_HOUR and hour in percents
        ),
    )


def _bytes(series: Series, found: _Found) -> None:
    """Both directions and both lanes together, as the load balancer counts them: logs alone tell them apart."""
    processed, requests = series["balancer_ProcessedBytes"], series["balancer_RequestCount"]
    found.add(
        "load_balancer",
        "bytes_both_ways",
        (processed[hour] / count for hour, count in requests.items() if count and hour in processed),
    )
