"""A cloud assembly that is not one: said in a line that names file and place."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from infra.config import DEFAULT_STAGE
from infra.cost.cloud_assembly.reading import read_assembly
from infra.cost.cloud_assembly.settings import deployed_stage
from infra.errors import InputError
from infra.overrides import override

MANIFEST: dict[str, Any] = {
    "version": "55.0.0",
    "artifacts": {
        "a": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/eu-west-1",
            "properties": {"templateFile": "a.template.json"},
        },
        "a.assets": {"type": "cdk:asset-manifest"},
    },
}
FUNCTION: dict[str, Any] = {
    "Type": "AWS::Lambda::Function",
    "Properties": {"Tags": [{"Key": "crossover:lane", "Value": "lambda"}]},
}


def write(folder: Path, resources: Any, manifest: object = MANIFEST, **besides: object) -> Path:
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "a.template.json").write_text(json.dumps({"Resources": resources, **besides}))
    return folder


def test_resources_stand_with_their_stack_and_parameters_with_their_defaults(tmp_path: Path) -> None:
    body = {"Type": "AWS::X::Y", "Properties": {"Size": {"Ref": "Size"}, "Of": {"Ref": "Other"}}}
    assembly = read_assembly(write(tmp_path, {"One": body}, Parameters={"Size": {"Type": "Number", "Default": 3}}))
    (one,) = assembly.resources
    assert (one.id, one.type, assembly.region) == ("a/One", "AWS::X::Y", "eu-west-1")
    assert one.whole("Size") == 3
    with pytest.raises(InputError, match=r"a\.template\.json: One\.Of: Ref is decided when it is deployed"):
        one.literal("Of")


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ([], "a.template.json: Resources: must be a table of resources"),
        ({"One": {"Properties": {}}}, "a.template.json: One: has no Type"),
        ({"One": {"Type": "A", "Properties": []}}, "a.template.json: One.Properties: must be a table"),
        ({}, "manifest.json: names no stack with resources"),
    ],
)
def test_a_malformed_template_is_one_line(resources: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_assembly(write(tmp_path, resources))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no cloud assembly"):
        read_assembly(tmp_path)
    write(tmp_path, {"One": FUNCTION})
    (tmp_path / "a.template.json").write_text('{"Resources":\n {,}}')
    with pytest.raises(InputError, match=r"a\.template\.json: line 2, column 3: not JSON"):
        read_assembly(tmp_path)
    (tmp_path / "a.template.json").unlink()
    with pytest.raises(InputError, match=r"a\.template\.json: cannot be read \(No such file"):
        read_assembly(tmp_path)


def test_two_stages_in_one_assembly_are_refused(tmp_path: Path) -> None:
    def tagged(stage: str) -> dict[str, Any]:
        return {"Type": "AWS::X::Y", "Properties": {"Tags": [{"Key": "crossover:stage", "Value": stage}]}}

    with pytest.raises(InputError, match="stages dev and prod in one assembly"):
        read_assembly(write(tmp_path, {"One": tagged("dev"), "Two": tagged("prod")}))


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"MemorySize": {"Fn::GetAtt": ["X", "Y"]}}, "One.MemorySize: Fn::GetAtt is decided when it is deployed"),
        ({"MemorySize": "much"}, "One.MemorySize: 'much' must be a whole number"),
        ({"MemorySize": 64}, "lambda_lane.memory_mb: must be 128 to 10240"),
    ],
)
def test_a_setting_that_cannot_be_read_names_the_resource(properties: dict[str, Any], said: str, tmp_path: Path) -> None:
    body = {"Type": "AWS::Lambda::Function", "Properties": {**FUNCTION["Properties"], **properties}}
    with pytest.raises(InputError) as refused:
        deployed_stage(read_assembly(write(tmp_path, {"One": body})), DEFAULT_STAGE)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("resource", "path", "value", "said"),
    [
        ("F", ("Tags",), 7, "F.Tags: 7 must be a table"),
        ("F", ("Tags",), ["x"], "F.Tags: 'x' must be a list of tables"),
        ("F", ("Architectures",), 1.5, "F.Architectures: 1.5 must be a list of one name"),
        ("F", ("Environment",), ["x"], "F.Environment: ['x'] must be a table"),
        ("F", ("Environment",), {"Fn::If": ["A", {}, {}]}, "F.Environment: Fn::If is decided when it is deployed"),
        ("F", ("MemorySize",), "9" * 5_000, "F.MemorySize: '99999"),
        ("F", ("Runtime",), None, "F.Runtime: None must be text"),
        ("G", ("MixedInstancesPolicy",), [7], "G.MixedInstancesPolicy: [7] must be a table"),
        ("G", ("MinSize",), True, "G.MinSize: True must be a whole number"),
        ("T", ("LaunchTemplateData",), "x", "T.LaunchTemplateData: 'x' must be a table"),
        (
            "T",
            ("LaunchTemplateData", "BlockDeviceMappings"),
            [{"Ebs": {"VolumeSize": []}}],
            "T.LaunchTemplateData.BlockDeviceMappings[0].Ebs.VolumeSize: [] must be a whole number",
        ),
        ("B", ("LoadBalancerAttributes",), {"a": 1}, "B.LoadBalancerAttributes: {'a': 1} must be a list"),
        ("R", ("Conditions",), [{"HttpHeaderConfig": 1}], "R.Conditions[0].HttpHeaderConfig: 1 must be a table"),
    ],
)
def test_a_value_of_another_kind_is_one_line_that_names_it(
    resource: str, path: tuple[str, ...], value: object, said: str, tmp_path: Path
) -> None:
    resources: dict[str, Any] = {
        "F": deepcopy(FUNCTION),
        "G": deepcopy(GROUP),
        "T": deepcopy(LAUNCHED),
        "B": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {}},
        "R": {"Type": "AWS::ElasticLoadBalancingV2::ListenerRule", "Properties": {}},
    }
    place = resources[resource]["Properties"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InputError) as refused:
        deployed_stage(read_assembly(write(tmp_path, resources)), DEFAULT_STAGE)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("artifact", "said"),
    [
        (7, "manifest.json: artifacts.b: must be a table"),
        ({"type": "aws:cloudformation:stack"}, "manifest.json: b: properties.templateFile: must name the stack's template"),
        ({"type": "aws:cloudformation:stack", "properties": 5}, "manifest.json: b: properties.templateFile: must name"),
        ({"type": "cdk:cloud-assembly"}, "manifest.json: artifacts.b: is an assembly of its own; give --assembly that folder"),
    ],
)
def test_an_artifact_that_cannot_be_read_is_never_left_out_in_silence(artifact: object, said: str, tmp_path: Path) -> None:
    manifest = {"artifacts": {**MANIFEST["artifacts"], "b": artifact}}
    with pytest.raises(InputError, match=re.escape(said)):
        read_assembly(write(tmp_path, {"One": FUNCTION}, manifest))


def test_an_assembly_of_neither_lane_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="deploys neither lane"):
        deployed_stage(read_assembly(write(tmp_path, {"One": {"Type": "AWS::S3::Bucket"}})), DEFAULT_STAGE)


def test_what_lambda_alone_can_have_is_told(tmp_path: Path) -> None:
    lane = FUNCTION["Properties"]["Tags"]
    managed = {"LambdaManagedInstancesCapacityProviderConfig": {"PerExecutionEnvironmentMaxConcurrency": 8}}
    function = {
        "Architectures": ["arm64"],
        "MemorySize": 2048,
        "Environment": {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/x"}},
        "CapacityProviderConfig": managed,
        "Tags": lane,
    }
    resources = {
        "F": {"Type": "AWS::Lambda::Function", "Properties": function},
        "V": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionScalingConfig": {"MaxExecutionEnvironments": 9}}},
    }
    stage = deployed_stage(read_assembly(write(tmp_path, resources)), DEFAULT_STAGE).stage
    assert stage.lanes == ("lambda",)
    assert (stage.lambda_lane.managed_concurrency, stage.lambda_lane.managed_max_environments) == (8, 9)


def test_a_lane_alone_leaves_nothing_of_the_other(tmp_path: Path) -> None:
    """Whatever stands beside the templates: no cache without instances, no function URL without a function."""
    beside = override({"cache.kind": "nodes"})
    stage = deployed_stage(read_assembly(write(tmp_path, {"F": FUNCTION})), beside).stage
    assert (stage.lanes, stage.cache.kind) == (("lambda",), "none")
    group = {
        "Type": "AWS::AutoScaling::AutoScalingGroup",
        "Properties": {
            "MinSize": "1",
            "MaxSize": "4",
            "LaunchTemplate": {"LaunchTemplateId": {"Ref": "T"}},
            "Tags": [{"Key": "crossover:lane", "Value": "container"}],
        },
    }
    template = {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": {"InstanceType": "c7g.xlarge"}}}
    beside = override({"lanes": "lambda", "lambda_lane.front": "function_url"})
    stage = deployed_stage(read_assembly(write(tmp_path, {"G": group, "T": template})), beside).stage
    assert (stage.lanes, stage.lambda_lane.front) == (("container",), "load_balancer")
    fleet = stage.container_lane
    assert (fleet.instance_types, fleet.min_instances, fleet.on_demand_base, fleet.spot_percent) == (("c7g.xlarge",), 1, 0, 0)


GROUP = {
    "Type": "AWS::AutoScaling::AutoScalingGroup",
    "Properties": {
        "MinSize": "1",
        "MaxSize": "9",
        "LaunchTemplate": {"LaunchTemplateId": {"Ref": "T"}},
        "Tags": [{"Key": "crossover:lane", "Value": "container"}],
    },
}
LAUNCHED = {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": {"InstanceType": "c7g.large"}}}


def scheduled(**properties: object) -> dict[str, Any]:
    return {"Type": "AWS::AutoScaling::ScheduledAction", "Properties": {"AutoScalingGroupName": {"Ref": "G"}, **properties}}


def test_scheduled_actions_tell_the_minimum_by_the_clock_whatever_the_settings_say(tmp_path: Path) -> None:
    resources = {
        "G": GROUP,
        "T": LAUNCHED,
        "Up": scheduled(Recurrence="0 7 * * 1-5", MinSize=6, TimeZone="Etc/UTC"),
        "Down": scheduled(Recurrence="30 20 * * 1-5", MinSize="2"),
    }
    beside = override({"container_lane.schedules": "min=9@0 7 * * *"})
    stage = deployed_stage(read_assembly(write(tmp_path, resources)), beside).stage
    assert stage.container_lane.schedules == ("min=6@0 7 * * 1-5", "min=2@30 20 * * 1-5")
    without = deployed_stage(read_assembly(write(tmp_path, {"G": GROUP, "T": LAUNCHED})), beside)
    assert without.stage.container_lane.schedules == ()
    assert ("container_lane.schedules", "none") in [each[:2] for each in without.drift]


@pytest.mark.parametrize(
    "properties",
    [
        {"Recurrence": "0 7 * * *", "MinSize": 6, "TimeZone": "Europe/Berlin"},
        {"Recurrence": "0 7 * * *", "MinSize": 6, "MaxSize": 9},
        {"Recurrence": "0 7 * * *", "DesiredCapacity": 6},
        {"StartTime": "2026-11-26T10:00:00Z", "MinSize": 6},
    ],
)
def test_a_scheduled_action_that_does_something_else_is_refused(properties: dict[str, Any], tmp_path: Path) -> None:
    resources = {"G": GROUP, "T": LAUNCHED, "Up": scheduled(**properties)}
    with pytest.raises(InputError, match="Up: a scheduled action has a price where it sets MinSize alone"):
        deployed_stage(read_assembly(write(tmp_path, resources)), DEFAULT_STAGE)


def test_alarms_of_a_group_that_scales_are_not_those_of_a_watched_stage(tmp_path: Path) -> None:
    """A container lane has one on failed boots, and those that scale it, with `watch.alarms` off too."""
    boot = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "BootFailures"}}
    watched = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}}
    resources = {"F": FUNCTION, "LaneBootFailuresBA07BB8E": boot}
    assert not deployed_stage(read_assembly(write(tmp_path, resources)), DEFAULT_STAGE).stage.watch.alarms
    resources["AlarmslambdaErrors1234ABCD"] = watched
    assert deployed_stage(read_assembly(write(tmp_path, resources)), DEFAULT_STAGE).stage.watch.alarms


@pytest.mark.parametrize("told", [True, False])
def test_aws_agent_is_told_by_what_instances_boot_with(told: bool, tmp_path: Path) -> None:
    group = {
        "Type": "AWS::AutoScaling::AutoScalingGroup",
        "Properties": {
            "MinSize": "1",
            "MaxSize": "4",
            "LaunchTemplate": {"LaunchTemplateId": {"Ref": "T"}},
            "Tags": [{"Key": "crossover:lane", "Value": "container"}],
        },
    }
    data = {"InstanceType": "c7g.large", "UserData": {"Fn::Base64": f'{{\n "cloudwatch_agent": {json.dumps(told)}\n}}'}}
    template = {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": data}}
    stage = deployed_stage(read_assembly(write(tmp_path, {"G": group, "T": template})), DEFAULT_STAGE).stage
    assert stage.container_lane.cloudwatch_agent is told
