"""Target groups as plain data: whose health is checked how, who gets the requests, and how one that leaves is let go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """An instance's id, an address or a function's ARN; a function has no port."""

    id: str
    port: int = 0


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Times in seconds. `codes`: the matcher, as `200` or `200-299,404`; `port` None is the one that takes requests."""

    path: str = "/"
    port: int | None = None
    interval_s: float = 30.0
    timeout_s: float = 5.0
    healthy_after: int = 5
    unhealthy_after: int = 2
    codes: str = "200"

    def accepts(self, status: int) -> bool:
        ranges = [part.partition("-") for part in self.codes.split(",")]
        return any(int(first) <= status <= int(last or first) for first, _, last in ranges)


@dataclass(frozen=True, slots=True)
class Group:
    """`kind` is `instance`, `ip` or `lambda`; `health` None where targets are not checked. Fail-open: with fewer healthy
    targets than `fewest_healthy`, or than `fewest_healthy_percent`, all are asked."""

    arn: str
    kind: str
    port: int = 0
    health: HealthCheck | None = None
    deregistration_delay_s: float = 300.0
    algorithm: str = "round_robin"
    slow_start_s: float = 0.0
    multi_value_headers: bool = False
    fewest_healthy: int = 1
    fewest_healthy_percent: int | None = None

    @property
    def dimension(self) -> str:
        """As CloudWatch names it, `targetgroup/<name>/<id>`."""
        return self.arn.rpartition(":")[2]

    def fails_open(self, healthy: int, registered: int) -> bool:
        percent = self.fewest_healthy_percent
        return healthy < self.fewest_healthy or (percent is not None and 100 * healthy < percent * registered)


MINIMUM = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"


def group(described: Mapping[str, Any], attributes: Mapping[str, str]) -> Group:
    """Of what DescribeTargetGroups and DescribeTargetGroupAttributes tell."""
    kind = described.get("TargetType", "instance")
    count, percent = attributes.get(f"{MINIMUM}.count", "1"), attributes.get(f"{MINIMUM}.percentage", "off")
    return Group(
        arn=described["TargetGroupArn"],
        kind=kind,
        port=int(described.get("Port") or 0),
        health=_health_check(described, kind),
        deregistration_delay_s=0.0 if kind == "lambda" else float(attributes.get("deregistration_delay.timeout_seconds", 300)),
        algorithm=attributes.get("load_balancing.algorithm.type", "round_robin"),
        slow_start_s=float(attributes.get("slow_start.duration_seconds", 0)),
        multi_value_headers=attributes.get("lambda.multi_value_headers.enabled") == "true",
        fewest_healthy=1 if count == "off" else int(count),
        fewest_healthy_percent=None if percent == "off" else int(percent),
    )


def _health_check(described: Mapping[str, Any], kind: str) -> HealthCheck | None:
    """A function's health is not checked: the stages leave it off, for each check is an invocation that is billed."""
    if kind == "lambda" or described.get("HealthCheckEnabled") is False:
        return None
    port = str(described.get("HealthCheckPort") or "traffic-port")
    return HealthCheck(
        path=described.get("HealthCheckPath") or "/",
        port=int(port) if port.isdigit() else None,
        interval_s=float(described.get("HealthCheckIntervalSeconds") or 30),
        timeout_s=float(described.get("HealthCheckTimeoutSeconds") or 5),
        healthy_after=int(described.get("HealthyThresholdCount") or 5),
        unhealthy_after=int(described.get("UnhealthyThresholdCount") or 2),
        codes=(described.get("Matcher") or {}).get("HttpCode") or "200",
    )
