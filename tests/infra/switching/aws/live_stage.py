"""A stage in moto with traffic: a clock that jumps, and each minute's figures published as the rule then splits them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlparse

import boto3

from infra.switching.aws.control import Control
from infra.switching.aws.probe import Answer
from tests.infra.switching.aws.moto_stage import REGION, MotoStage
from tests.infra.switching.world import FakeClock

T0 = 1_800_000_000.0
DIGEST = "ab" * 32


@dataclass
class CoarseClock(FakeClock):
    """Looks are further apart than in life: moto takes its time for each."""

    def sleep(self, seconds: float) -> None:
        super().sleep(max(seconds, 20.0))


@dataclass
class LiveStage:
    """`errors` and `p99_ms` are each lane's; `silent` publishes nothing; what is asked over HTTP is answered as lanes do."""

    moto: MotoStage
    rps: float = 100.0
    errors: dict[str, float] = field(default_factory=lambda: {"lambda": 0.0, "container": 0.0})
    p99_ms: dict[str, float] = field(default_factory=lambda: {"lambda": 500.0, "container": 400.0})
    silent: bool = False
    digests: dict[str, str] = field(default_factory=lambda: {"lambda": DIGEST, "container": DIGEST})
    smoke_status: int = 200
    splits: list[dict[str, int]] = field(default_factory=list)
    clock: CoarseClock = field(default_factory=lambda: CoarseClock(T0))
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._published = T0 - 3_600
        self.clock.on_sleep.append(self._live)
        self._live(T0)

    @property
    def control(self) -> Control:
        return Control(self.moto.aws, self.moto.resources, self.clock, self.get)

    def connect(self, stage: str, region: str | None) -> Control:
        assert (stage, region) == ("prod", None)
        return self.control

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        lane, path = headers["x-crossover-lane"], urlparse(url).path
        assert headers["x-crossover-token"] == "secret"
        self.asked.append(f"{lane} {path}")
        if path == "/version":
            return Answer(200, json.dumps({"lane": lane, "bundle_sha256": self.digests[lane]}).encode())
        return Answer(self.smoke_status)

    def _live(self, now: float) -> None:
        split = self.moto.weights_in_rule()
        if not self.splits or self.splits[-1] != split:
            self.splits.append(split)
        resources, metrics = self.moto.resources, self.moto.metrics
        while self._published + 60 <= now:
            minute, self._published = self._published, self._published + 60
            if self.silent:
                continue
            metrics.publish("HealthyHostCount", resources.target_group("container"), "Minimum", {minute: 2})
            metrics.publish("EventLoopLagP99", resources.group, "Average", {minute: 5.0})
            metrics.publish("CPUUtilization", resources.group, "Average", {minute: 30.0})
            metrics.publish("Duration", resources.function, "Average", {minute: 400.0})
            metrics.publish("RequestCount", resources.load_balancer, "Sum", {minute: 60 * self.rps})
            for lane, weight in split.items():
                requests = round(60 * self.rps * weight / sum(split.values()))
                if not requests:
                    continue  # a count of zero is not published
                group = resources.target_group(lane)
                metrics.publish("RequestCount", group, "Sum", {minute: requests})
                metrics.publish("TargetResponseTime", group, "p99", {minute: self.p99_ms[lane] / 1000})
                if self.errors[lane]:
                    metrics.publish("HTTPCode_Target_5XX_Count", group, "Sum", {minute: round(requests * self.errors[lane])})


def name_lanes(stage: MotoStage) -> None:
    """The rules that let a request with the stage's token choose its lane."""
    balancing = boto3.client("elbv2", REGION)
    for priority, (lane, arn) in enumerate(sorted(stage.resources.target_groups.items()), start=1):
        conditions = [
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": [value]}}
            for name, value in (("x-crossover-lane", lane), ("x-crossover-token", "secret"))
        ]
        forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": arn, "Weight": 1}]}}
        balancing.create_rule(ListenerArn=stage.resources.listener, Priority=priority, Conditions=conditions, Actions=[forward])
