"""What a synthesis deploys, priced from its templates: settings, lines with their logical ids, and what has no price."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra import cli
from infra.config import DEFAULT_STAGE, Stage
from infra.cost.cloud_assembly.billing import rules, trace, unpriced
from infra.cost.cloud_assembly.changes import resource_changes
from infra.cost.cloud_assembly.pricing import price_assembly
from infra.cost.cloud_assembly.reading import read_assembly
from infra.cost.cloud_assembly.settings import deployed_stage
from infra.cost.compare import Comparison
from infra.cost.lane import CostOptions
from infra.cost.prices.file import load_price_book
from infra.cost.reports.report import report_document
from infra.cost.traffic.profile import flat_rate
from tests.infra.cost.conftest import profile_with
from tests.infra.stacks.conftest import Assembly, Synthesize

pytestmark = pytest.mark.slow

Edit = Callable[[dict[str, Any]], None]


def priced(folder: Path, options: CostOptions, *, beside: Stage = DEFAULT_STAGE, say_drift: bool = True) -> Comparison:
    assembly = read_assembly(folder)
    assert assembly.region is not None
    book = replace(load_price_book("us-east-1"), region=assembly.region)  # only us-east-1 is shipped
    return price_assembly(assembly, profile_with(), flat_rate(100), book, beside, options=options, say_drift=say_drift)


def edited(assembly: Assembly, to: Path, stack: str, edit: Edit) -> Path:
    """A copy of the assembly in which one template was changed by hand."""
    shutil.copytree(assembly.directory, to)
    path = to / f"{assembly.stage.resource_prefix}-{stack}.template.json"
    template = json.loads(path.read_text())
    edit(template["Resources"])
    path.write_text(json.dumps(template))
    return to


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = [each["Properties"] for each in resources.values() if each["Type"] == kind]
    properties: dict[str, Any] = found
    return properties


def amounts(comparison: Comparison, lane: str) -> dict[str, Decimal]:
    (found,) = [each for each in comparison.lanes if each.lane == lane]
    return {line.name: line.usd for line in found.lines}


@pytest.fixture
def options() -> CostOptions:
    return CostOptions(report_date=date(2026, 11, 24))


@pytest.mark.parametrize("name", ["default", "secured"])
def test_the_templates_tell_the_stage_that_made_them(name: str, request: pytest.FixtureRequest) -> None:
    assembly: Assembly = request.getfixturevalue(name)
    deployed = deployed_stage(read_assembly(assembly.directory), assembly.stage)
    assert deployed.drift == ()
    found = deployed_stage(read_assembly(assembly.directory), DEFAULT_STAGE)
    told = found.stage
    assert "container_lane.workers_per_vcpu" in found.told
    for field in ("name", "region", "architecture", "python", "secret", "cache", "network"):
        assert getattr(told, field) == getattr(assembly.stage, field), field
    assert told.lambda_lane == assembly.stage.lambda_lane
    fleet, own = told.container_lane, assembly.stage.container_lane
    for field in (
        "instance_types",
        "min_instances",
        "max_instances",
        "on_demand_base",
        "spot_percent",
        "volume_gb",
        "workers_per_vcpu",
    ):
        assert getattr(fleet, field) == getattr(own, field), field
    for field in ("idle_timeout_s", "access_log_days", "waf", "waf_log_days", "lane_header"):
        assert getattr(told.traffic, field) == getattr(assembly.stage.traffic, field), field


def test_what_a_stage_adds_is_told_too(synthesize: Synthesize, options: CostOptions) -> None:
    clock = "min=6@0 7 * * 1-5,min=2@30 20 * * 1-5"
    made = synthesize(
        network__egress="nat_instance",
        network__nat_instance_type="t4g.medium",
        cache__kind="serverless",
        container_lane__schedules=clock,
    )
    stage = deployed_stage(read_assembly(made.directory), DEFAULT_STAGE).stage
    assert (stage.network.egress, stage.network.nat_instance_type) == ("nat_instance", "t4g.medium")
    assert stage.cache == made.stage.cache
    assert stage.container_lane.schedules == made.stage.container_lane.schedules
    lines = {line.name: line.resources for line in priced(made.directory, options).container_lane.lines}
    assert [each.partition("/")[2][:17] for each in lines["EC2 on demand, t4g.medium"]] == ["NetworkNatInstanc"] * 2
    assert lines["Cache storage"] == ("crossover-dev-container/CacheServerless",)


def test_a_changed_setting_changes_its_line(default: Assembly, tmp_path: Path, options: CostOptions) -> None:
    def double(resources: dict[str, Any]) -> None:
        of_type(resources, "AWS::Lambda::Function")["MemorySize"] = 3538

    before, after = priced(default.directory, options), priced(edited(default, tmp_path / "a", "lambda", double), options)
    assert amounts(after, "lambda")["Lambda compute"] > amounts(before, "lambda")["Lambda compute"] * Decimal("1.9")
    assert amounts(after, "container") == amounts(before, "container")
    (drift,) = [each for each in after.stated if each[0].startswith("Drift")]
    assert drift[:2] == ("Drift: lambda_lane.memory_mb", "3538")
    assert "the settings say 512; priced is 3538" in drift[2]


def test_every_line_names_what_it_is_billed_for(default: Assembly, options: CostOptions) -> None:
    comparison = priced(default.directory, options)
    known = {each.id for each in read_assembly(default.directory).resources}
    without = []
    for lane in comparison.lanes:
        for line in lane.lines:
            assert set(line.resources) <= known
            without += [] if line.resources else [(lane.lane, line.name)]
    assert without == []
    document = report_document(comparison)
    (compute,) = [line for line in document["lanes"]["lambda"]["lines"] if line["name"] == "Lambda compute"]
    assert compute["resources"][0].startswith("crossover-dev-lambda/LaneFunction")


def test_nothing_in_a_template_is_left_out_in_silence(secured: Assembly, options: CostOptions) -> None:
    from infra.cost.cloud_assembly.free import free_because

    comparison = priced(secured.directory, options)
    behind = {each for lane in comparison.lanes for line in lane.lines for each in line.resources}
    said = " ".join(comparison.unpriced)
    for each in read_assembly(secured.directory).resources:
        assert each.id in behind or each.id in said or free_because(each), each.id
    assert "TrafficWafLogs" in said
    assert "NoticesKey" in said


@pytest.mark.parametrize(
    ("stack", "body", "said"),
    [
        ("traffic", {"Type": "AWS::RDS::DBInstance"}, "AWS::RDS::DBInstance: a type that this estimate does not know"),
        (
            "lambda",
            {"Type": "AWS::Lambda::Function"},
            "AWS::Lambda::Function: a function beside the lane: its requests and their duration are not known",
        ),
        (
            "container",
            {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Interface"}},
            "AWS::EC2::VPCEndpoint: the GB that pass it",
        ),
    ],
)
def test_a_resource_added_by_hand_is_not_priced(
    stack: str, body: dict[str, Any], said: str, default: Assembly, tmp_path: Path, options: CostOptions
) -> None:
    folder = edited(default, tmp_path / "a", stack, lambda resources: resources.update(Extra=body))
    comparison = priced(folder, options)
    found = [each for each in comparison.unpriced if "/Extra" in each]
    assert found == [f"{said} (crossover-dev-{stack}/Extra)"]
    assert found[0] in report_document(comparison)["not_priced"]


def test_alarms_stand_behind_the_line_of_what_they_watch(default: Assembly, options: CostOptions) -> None:
    comparison = priced(default.directory, options)
    any_line = comparison.container_lane.lines[0]
    names = ["alarms, lambda lane", "alarms, container lane", "alarms, load balancer", "composite alarm, container lane"]
    lines = tuple(replace(any_line, name=f"CloudWatch {name}", resources=()) for name in names)
    assembly = read_assembly(default.directory)
    traced = trace(replace(comparison.container_lane, lines=lines), rules(assembly, comparison.stage))
    behind = {
        line.name.removeprefix("CloudWatch "): [each.partition("/")[2] for each in line.resources] for line in traced.lines
    }
    assert all(each.startswith("Alarmslambda") for each in behind["alarms, lambda lane"])
    assert len([each for each in behind["alarms, container lane"] if "ScalingPolicy" in each]) == 2
    assert [each[:16] for each in behind["composite alarm, container lane"]] == ["AlarmsLanecontai"]
    found = unpriced(assembly, (comparison.lambda_lane, traced))
    assert not [each for each in found if each.type in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")]


def test_free_resources_are_not_listed(default: Assembly, options: CostOptions) -> None:
    said = " ".join(priced(default.directory, options).unpriced)
    for kind in ("AWS::IAM::Role", "AWS::EC2::Subnet", "AWS::SSM::Parameter", "AWS::EC2::VPCEndpoint"):
        assert kind not in said


def test_two_syntheses_differ_by_what_has_a_price(default: Assembly, tmp_path: Path) -> None:
    def change(resources: dict[str, Any]) -> None:
        function = of_type(resources, "AWS::Lambda::Function")
        function["MemorySize"] = 2048
        function["Description"] = "said otherwise"
        resources["Extra"] = {"Type": "AWS::DynamoDB::Table"}

    folder = edited(default, tmp_path / "a", "lambda", change)
    before, after = read_assembly(default.directory), read_assembly(folder)
    found = [(each.id.partition("/")[2][:12], each.what) for each in resource_changes(before, after)]
    assert found == [("LaneFunction", "MemorySize 512 → 2048"), ("Extra", "new")]
    assert [each.what for each in resource_changes(after, before)] == ["MemorySize 2048 → 512", "gone"]


def test_the_comment_names_what_changed(
    default: Assembly, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(resources: dict[str, Any]) -> None:
        of_type(resources, "AWS::Lambda::Function")["MemorySize"] = 2048

    folder = edited(default, tmp_path / "a", "lambda", change)
    profile = tmp_path / "profile.json"
    profile.write_bytes(msgspec.json.encode(profile_with()))
    arguments = ["diff", "--assembly", str(default.directory), str(folder), "--profile", str(profile), "--rps", "100"]
    monkeypatch.setattr("sys.argv", ["crossover", "cost", *arguments])
    cli.main()
    out = capfd.readouterr().out
    assert "| Lambda compute | $" in out
    assert "`crossover-dev-lambda/LaneFunction" in out
    assert "(AWS::Lambda::Function): MemorySize 512 → 2048" in out
    assert "| container |" in out


def test_the_report_says_a_drift_from_the_stage_in_the_file(
    default: Assembly, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    profile, stages = tmp_path / "profile.json", tmp_path / "stages.toml"
    profile.write_bytes(msgspec.json.encode(profile_with()))
    stages.write_text("[dev]\nlambda_lane.memory_mb = 1024\n")
    base = ["report", "--profile", str(profile), "--rps", "5", "--assembly", str(default.directory), "--json"]
    monkeypatch.setattr("sys.argv", ["crossover", "cost", *base, "--stages", str(stages)])
    cli.main()
    assumptions = {each["name"]: each for each in json.loads(capfd.readouterr().out)["assumptions"]}
    assert assumptions["Drift: lambda_lane.memory_mb"]["value"] == "512"
    assert "LaneFunction" in assumptions["Drift: lambda_lane.memory_mb"]["why"]
    monkeypatch.setattr("sys.argv", ["crossover", "cost", *base, "--set", "lambda_lane.memory_mb=512"])
    with pytest.raises(SystemExit) as refused:
        cli.main()
    assert refused.value.code == 2
    assert "--set: stands in the templates" in capfd.readouterr().err
