"""A switch in the lab's time: its clock, its CloudWatch and its faults, over the wire."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from infra.cli import cli
from infra.lab.operator import LabClock
from infra.switching.aws.calls import Aws
from infra.switching.aws.control import Control
from infra.switching.aws.resources import find
from tests.conftest import ROOT
from tests.infra.lab.fast_lab import FastLab
from tests.infra.switching.aws.live_stage import LiveStage, name_lanes
from tests.infra.switching.aws.moto_stage import REGION, FunctionsDouble, MetricsDouble, MotoStage, deploy

pytestmark = pytest.mark.slow

QUICK = ("--steps", "50,100", "--quiet-s", "60", "--units", "2", "--yes")
KEY = "operator"


@dataclass
class Traffic:
    """Publishes each lab minute what the load balancer would of 6,000 requests, as the rule splits them, when it is over."""

    lab: FastLab
    stage: MotoStage
    p99_s: dict[str, float] = field(default_factory=lambda: {"lambda": 0.5, "container": 0.4})
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        client = self.lab.client("cloudwatch", key="publisher", attempts=3)
        done = self.lab.minute() - 600
        while not self.over.wait(0.05):
            while done + 60 <= self.lab.minute():
                data = self.minute(self.stage.weights_in_rule(), datetime.fromtimestamp(done, UTC))
                client.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)
                client.put_metric_data(
                    Namespace="Crossover",
                    MetricData=[
                        {
                            "MetricName": "EventLoopLagP99",
                            "Dimensions": [{"Name": "AutoScalingGroupName", "Value": self.stage.resources.group}],
                            "Timestamp": datetime.fromtimestamp(done, UTC),
                            "Value": 5,
                        }
                    ],
                )
                done += 60

    def minute(self, split: dict[str, int], moment: datetime) -> list[dict[str, Any]]:
        resources = self.stage.resources
        balancer = {"Name": "LoadBalancer", "Value": resources.load_balancer}
        found: list[dict[str, Any]] = [{"MetricName": "RequestCount", "Dimensions": [balancer], "Value": 6_000}]
        for lane, weight in split.items():
            of_lane = [balancer, {"Name": "TargetGroup", "Value": resources.target_group(lane)}]
            if lane == "container":
                found.append({"MetricName": "HealthyHostCount", "Dimensions": of_lane, "Value": 2})
            if requests := 6_000 * weight // sum(split.values()):
                times = {"Values": [0.1, self.p99_s[lane]], "Counts": [0.98 * requests, 0.02 * requests]}
                found.append({"MetricName": "RequestCount", "Dimensions": of_lane, "Value": requests})
                found.append({"MetricName": "TargetResponseTime", "Dimensions": of_lane, **times})
        return [{**each, "Timestamp": moment} for each in found]


@pytest.fixture(scope="module")
def stage(switching_lab: FastLab) -> Iterator[MotoStage]:
    with pytest.MonkeyPatch.context() as patch:
        environment = {**switching_lab.aws.environment, "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": KEY}
        for name, value in environment.items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # which keeps the credentials it was made with
        made = deploy()
        name_lanes(made)
        yield made


@pytest.fixture
def traffic(switching_lab: FastLab, stage: MotoStage) -> Iterator[Traffic]:
    stage.restore()
    made = Traffic(switching_lab, stage)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.over.set()
    thread.join()
    switching_lab.page("DELETE", "/_lab/faults")


def crossover(traffic: Traffic, *arguments: str) -> Result:
    """What moto's Lambda lacks, and the service behind the load balancer, are doubles; the rest is the lab's."""
    lanes = LiveStage(MotoStage(traffic.stage.aws, traffic.stage.resources, MetricsDouble(), FunctionsDouble()))

    def connect(stage: str, region: str | None) -> Control:
        aws = Aws(region, {"lambda": FunctionsDouble()})
        return Control(aws, find(aws, stage), LabClock(traffic.lab.aws.time), lanes.get)

    command, *rest = arguments
    return CliRunner().invoke(cli, [command, "--stage", "prod", *rest], obj=connect, standalone_mode=False)


def test_a_switch_waits_for_the_lab_s_minutes_and_stands_what_its_api_does(traffic: Traffic) -> None:
    for fault in (
        {"action": "elasticloadbalancing:ModifyRule", "kind": "after", "times": 1},
        {"action": "cloudwatch:GetMetricData", "kind": "throttle", "times": 3},
        {"action": "dynamodb:PutItem", "kind": "refuse", "times": 1},
    ):
        traffic.lab.page("POST", "/_lab/faults", {**fault, "key": KEY})
    began, lab_began = time.monotonic(), traffic.lab.aws.time.now()
    done = crossover(traffic, "switch", "container", *QUICK)
    assert done.exception is None, done.output
    assert traffic.stage.weights_in_rule() == {"lambda": 0, "container": 100}
    assert traffic.lab.aws.time.now() - lab_began >= 4 * 60  # two bakes of a minute, the settling of each, a quiet minute
    assert time.monotonic() - began < 60
    struck = [fault["struck"] for fault in traffic.lab.page("GET", "/_lab/faults")["faults"]]
    assert struck == [1, 3, 1]


def test_a_lane_whose_percentile_is_bad_in_cloudwatch_is_left_again(traffic: Traffic) -> None:
    traffic.p99_s["container"] = 4.0
    done = crossover(traffic, "switch", "container", *QUICK)
    assert getattr(done.exception, "exit_code", None) == 3, done.output
    assert traffic.stage.weights_in_rule() == {"lambda": 100, "container": 0}
    assert "p99" in done.stderr


def test_the_operator_is_a_process_of_its_own(traffic: Traffic) -> None:
    command = [sys.executable, "-m", "infra.cli", "lab", "operator", "--", "history", "--stage", "prod", "--json"]
    environment = {**traffic.lab.aws.environment, "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": KEY}
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert shown.returncode == 0, shown.stderr
    assert [json.loads(line) for line in shown.stdout.splitlines()] == []
    unknown = [*command[:5], "switch", "container", "--stage", "moon", "--yes"]
    refused = subprocess.run(unknown, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "crossover: stage 'moon' is not deployed" in refused.stderr


def test_the_operator_s_way_to_the_stage_is_the_lab_s(traffic: Traffic) -> None:
    from infra.lab.operator import connect

    assert os.environ["AWS_ENDPOINT_URL"] == traffic.lab.aws.url
    control = connect("prod", None)
    assert abs(control.world.clock.now() - traffic.lab.aws.time.now()) < 60
    assert control.load().rps is not None
