"""Target tracking: a group's size follows its metrics ("Target tracking scaling policies", EC2 Auto Scaling User Guide).

As there, each policy has two CloudWatch alarms of its own. Three minutes above the target add capacity in proportion to the
metric, at once; instances that boot or warm up do not count, so that they are not asked for twice. Fifteen minutes below nine
tenths of it take capacity away, only when the policies agree, when nothing warms up, and not before fifteen minutes have passed
since the size last changed: all that was measured is then of the present size. Without data nothing is done.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.autoscaling.models import autoscaling_backends

from infra.lab.aws.cloudwatch.alarm_settings import queries_of, result_of
from infra.lab.aws.cloudwatch.alarms import Alarms
from infra.lab.aws.cloudwatch.backend import CloudWatch, Watch
from infra.lab.aws.cloudwatch.queries import Queries
from infra.lab.aws.cloudwatch.store import MINUTE
from infra.lab.aws.scaling_policies import WARMUP

PREFIX = "TargetTracking-"
ABOVE_MINUTES, BELOW_MINUTES, BELOW_SHARE = 3, 15, 0.9
USUAL_WARMUP_S = 300.0
"""A group's default cooldown, which counts where neither it nor its policy names a warm-up."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One target tracking policy; `metric` are an alarm's settings that name what it tracks."""

    name: str
    arn: str
    group: str
    target: float
    scales_in: bool
    warmup_s: float | None
    metric: Mapping[str, Any]

    @property
    def high(self) -> str:
        return f"{PREFIX}{self.group}-AlarmHigh-{self.name}"

    @property
    def low(self) -> str:
        return f"{PREFIX}{self.group}-AlarmLow-{self.name}"

    def alarms(self) -> list[dict[str, Any]]:
        """As the API would be given them."""
        usual = {**self.metric, "Period": MINUTE, "AlarmActions": [self.arn]}
        above = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": self.target, "EvaluationPeriods": ABOVE_MINUTES}
        below = {"ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": BELOW_MINUTES}
        found = [{**usual, **above, "AlarmName": self.high}]
        if self.scales_in:
            found.append({**usual, **below, "Threshold": BELOW_SHARE * self.target, "AlarmName": self.low})
        return found


@dataclass(slots=True)
class _Known:
    """What is remembered of one group: its size as of when, and since when its instances serve."""

    desired: int
    changed: float
    serving: dict[str, float] = field(default_factory=dict)


class TargetTracking:
    def __init__(self, cloudwatch: CloudWatch) -> None:
        self._cloudwatch = cloudwatch
        self._known: dict[str, _Known] = {}

    def install(self) -> None:
        self._cloudwatch.after_evaluation.append(self.follow)

    def follow(self, account: str, region: str, at: int) -> None:
        """Every group of an account's region, once its alarms were evaluated as of the minute `at`."""
        backend, watch = autoscaling_backends[account][region], self._cloudwatch.at(account, region)
        policies = [policy for each in list(backend.policies.values()) if (policy := policy_of(each)) is not None]
        _keep_alarms(watch.alarms, policies)
        for name, group in list(backend.autoscaling_groups.items()):
            its = [policy for policy in policies if policy.group == name]
            if its:
                wanted = self._wanted(group, its, watch, at, self._look(f"{account} {region} {name}", group, at))
                if wanted is not None and wanted != group.desired_capacity:
                    logging.info("target tracking: %s from %s to %s", name, group.desired_capacity, wanted)
                    backend.set_desired_capacity(name, wanted)

    def _wanted(self, group: Any, policies: list[Policy], watch: Watch, at: int, known: _Known) -> int | None:
        """The size that the policies ask for now; None where they ask for none."""
        least, most, desired = int(group.min_size), int(group.max_size), int(group.desired_capacity)
        warmup_s = _warmup_s(group, policies)
        warm = sum(1 for since in known.serving.values() if at - since >= warmup_s)
        asked = {policy.name: size for policy in policies if (size := _asked(policy, warm, watch, at)) is not None}
        above = [asked[policy.name] for policy in policies if _fires(watch, policy.high) and policy.name in asked]
        if above:
            return min(max(desired, *above), most) if warm else None
        settled = warm == len(group.instance_states) == desired and at - known.changed >= BELOW_MINUTES * MINUTE
        scaling_in = [policy for policy in policies if policy.scales_in]
        agreed = all(_fires(watch, policy.low) and policy.name in asked for policy in scaling_in)
        if settled and scaling_in and agreed:
            return max(min(desired, max(asked[policy.name] for policy in scaling_in)), least)
        return None

    def _look(self, key: str, group: Any, at: int) -> _Known:
        known = self._known.setdefault(key, _Known(group.desired_capacity, at))
        if known.desired != group.desired_capacity:
            known.desired, known.changed = group.desired_capacity, at
        serving = [each.instance.id for each in group.instance_states if each.lifecycle_state == "InService"]
        known.serving = {id: known.serving.get(id, at) for id in serving}
        return known


def policy_of(policy: Any) -> Policy | None:
    """Of moto's; None for another kind, or one of a metric that the lab does not know."""
    tracking = getattr(policy.target_tracking_configuration, "__dict__", None)
    metric = None if not tracking else tracked_metric(policy.auto_scaling_group_name, tracking)
    if not tracking or metric is None:
        return None
    warmup = policy.estimated_instance_warmup
    return Policy(
        name=policy.name,
        arn=policy.arn,
        group=policy.auto_scaling_group_name,
        target=float(tracking["TargetValue"]),
        scales_in=str(tracking.get("DisableScaleIn", False)).lower() != "true",
        warmup_s=None if warmup is None else float(warmup),
        metric=metric,
    )


def tracked_metric(group: str, tracking: Mapping[str, Any]) -> dict[str, Any] | None:
    """CPU, requests per target, or a metric of one's own, as an alarm names it."""
    own = tracking.get("CustomizedMetricSpecification") or {}
    if own.get("MetricName"):
        return {key: own[key] for key in ("Namespace", "MetricName", "Dimensions", "Statistic") if key in own}
    predefined = tracking.get("PredefinedMetricSpecification") or {}
    kind = predefined.get("PredefinedMetricType")
    if kind == "ASGAverageCPUUtilization":
        of_group = [{"Name": "AutoScalingGroupName", "Value": group}]
        return {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": of_group, "Statistic": "Average"}
    if kind == "ALBRequestCountPerTarget":
        balancer, _, target_group = predefined["ResourceLabel"].partition("/targetgroup/")
        dimensions = [
            {"Name": "TargetGroup", "Value": f"targetgroup/{target_group}"},
            {"Name": "LoadBalancer", "Value": balancer},
        ]
        named = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCountPerTarget", "Statistic": "Sum"}
        return {**named, "Dimensions": dimensions}
    return None


def _keep_alarms(alarms: Alarms, policies: list[Policy]) -> None:
    """Made with their policy, changed with it, gone with it."""
    wanted = {given["AlarmName"]: given for policy in policies for given in policy.alarms()}
    for name in [name for name in alarms.by_name if name.startswith(PREFIX) and name not in wanted]:
        del alarms.by_name[name]
    for name, given in wanted.items():
        if name not in alarms.by_name or alarms.by_name[name].given != given:
            alarms.put(given)


def _asked(policy: Policy, warm: int, watch: Watch, at: int) -> int | None:
    """Instances that would bring the metric to its target, which falls in proportion as they are added."""
    given = policy.alarms()[0]
    values = Queries(watch.store, queries_of(given), at - ABOVE_MINUTES * MINUTE, at).series(result_of(given))
    if not values:
        return None
    return math.ceil(warm * values[max(values)] / policy.target - 1e-9)


def _fires(watch: Watch, name: str) -> bool:
    return name in watch.alarms.by_name and watch.alarms.by_name[name].state == "ALARM"


def _warmup_s(group: Any, policies: list[Policy]) -> float:
    named: Iterator[float] = (policy.warmup_s for policy in policies if policy.warmup_s is not None)
    of_group = getattr(group, WARMUP, None)
    return max(named, default=USUAL_WARMUP_S if of_group is None else of_group)
