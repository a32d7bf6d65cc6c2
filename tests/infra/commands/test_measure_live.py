"""`crossover measure --from-cloudwatch` and `--traffic cloudwatch:STAGE`, end to end on doubles of AWS's clients."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from infra.aws_calls import AwsClients
from infra.cli import cli
from infra.cost.profile import read_profile, write_profile
from infra.cost.traffic.file import load_traffic
from infra.errors import InputError, KitError
from tests.infra.cost.conftest import profile_with
from tests.infra.cost.live.doubles import Insights, Metrics
from tests.infra.cost.live.test_deployment import BALANCER, HOUR, Functions, Groups, lognormal, publish_samples
from tests.infra.cost.live.test_logs import platform

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
OUTPUTS = {
    "lambda": {"FunctionName": "f", "TargetGroup": f"{ARN}:targetgroup/l/1"},
    "container": {"AutoScalingGroupName": "g", "TargetGroup": f"{ARN}:targetgroup/c/1"},
    "traffic": {"SplitRule": f"{ARN}:listener-rule/app/prod/1/2/3"},
}


class Stacks:
    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        outputs = OUTPUTS[StackName.rpartition("-")[2]]
        return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]}]}


def connect(stage: str, region: str | None) -> AwsClients:
    """Two hours in which both lanes answered, with a minute of silence."""
    now = time.time()
    metrics = Metrics(now=now)
    begun = now // HOUR * HOUR - 4 * HOUR
    for number in range(2):
        at, place = begun + number * HOUR, {"TargetGroup": "targetgroup/c/1", **BALANCER}
        publish_samples(metrics, "AWS/ApplicationELB", "TargetResponseTime", place, at, lognormal(number, 400, 0.3))
        metrics.publish("AWS/ApplicationELB", "RequestCount", "Sum", place, {at: 400.0})
        metrics.publish("AWS/EC2", "CPUUtilization", "Sum", {"AutoScalingGroupName": "g"}, {at: 4.0})
    minutes = {begun + 60 * n: 60.0 * (n + 1) for n in range(90) if n not in (40, 50)}
    metrics.publish("AWS/ApplicationELB", "RequestCount", "Sum", BALANCER, minutes)
    there = dict.fromkeys([*minutes, begun + 60 * 40], 0.1)
    metrics.publish("AWS/ApplicationELB", "ConsumedLCUs", "Sum", BALANCER, there)
    clients = {
        "cloudformation": Stacks(),
        "cloudwatch": metrics,
        "logs": Insights([platform(220.0, init=410.0 if n % 50 == 0 else None) for n in range(150)], polls=0),
        "lambda": Functions(),
        "autoscaling": Groups("c7g.large"),
    }
    return AwsClients(region or "us-east-1", clients)


def crossover(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, obj=connect, standalone_mode=False)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    write_profile(profile_with(), tmp_path / "lab.json")
    return tmp_path / "lab.json"


def test_a_profile_and_the_traffic_are_written_and_what_is_not_known_is_said(lab: Path, tmp_path: Path) -> None:
    out, series = tmp_path / "live.json", tmp_path / "requests.csv"
    asked = ("--stage", "prod", "--days", "3", "--profile", str(lab), "--out", str(out), "--traffic-out", str(series))
    done = crossover("measure", "--from-cloudwatch", *asked)
    assert done.exception is None
    live = read_profile(out)
    assert live.lambda_lane.wait_ms == pytest.approx(213)
    assert live.live is not None
    assert live.live["container"]["target_ms"].samples == 800
    assert "lambda: 150 searches, 0.00% errors, 2.00% cold starts" in done.stderr
    assert "not known: memory of the instances: no CloudWatch agent publishes it" in done.stderr
    # 4 percent-minutes of two vCPUs: 4.8 s of CPU for 400 searches; the lab measured 6 ms.
    assert "CPU of the instances a search: mean 12.0 ms over 2 hours" in done.stderr
    assert "`--cpu-scale 2.00` would take it over" in done.stderr
    assert "Logs Insights read 0.00 GB, which AWS bills by the GB" in done.stderr
    assert live.container_lane.cpu_ms_per_search == 6
    traffic = load_traffic(series)
    assert (traffic.step_s, len(traffic.rates), traffic.rates[40], traffic.rates[50]) == (60, 90, 0.0, 51.0)


def test_a_report_is_priced_for_what_the_stage_was_asked(lab: Path) -> None:
    done = crossover("cost", "report", "--profile", str(lab), "--traffic", "cloudwatch:prod:3", "--json")
    assert done.exception is None
    traffic = json.loads(done.stdout)["traffic"]
    assert traffic["source"].startswith("CloudWatch, stage prod, ")
    assert (traffic["step_s"], traffic["steps"], traffic["peak_rps"]) == (60, 90, 90)
    assert any("1 missing period, filled" in note for note in traffic["notes"])


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (("measure", "--from-cloudwatch", "--stage", "prod"), InputError, "needs --stage, and --profile"),
        (("measure", "--from-cloudwatch", "--from-logs", "x"), InputError, "give one of the two"),
        (("measure", "--stage", "prod"), InputError, "--stage, --region, --traffic-out: go with --from-cloudwatch"),
        (("cost", "report", "--profile", "LAB", "--traffic", "cloudwatch:prod:soon"), InputError, "cloudwatch:STAGE:DAYS"),
        (
            ("measure", "--from-cloudwatch", "--stage", "prod", "--profile", "LAB", "--days", "500"),
            InputError,
            "--days 500: must be 1 to 455",
        ),
        (
            ("measure", "--from-cloudwatch", "--stage", "prod", "--profile", "LAB", "--traffic-out", "LAB/x"),
            KitError,
            "--traffic-out",
        ),
    ],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], kind: type[KitError], said: str, lab: Path) -> None:
    done = crossover(*(each.replace("LAB", str(lab)) for each in arguments))
    assert isinstance(done.exception, kind)
    assert said in str(done.exception)
    assert "\n" not in str(done.exception)


def test_a_scenario_names_a_file_and_no_stage(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('name = "x"\n[workload]\nprofile = "lab.json"\n[traffic]\nfile = "cloudwatch:prod"\n')
    write_profile(profile_with(), tmp_path / "lab.json")
    done = crossover("cost", "report", "--scenario", str(path))
    assert isinstance(done.exception, InputError)
    assert "traffic.file: what a stage was asked changes from day to day" in str(done.exception)
