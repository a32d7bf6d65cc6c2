"""What the synthesized stacks promise together: reproducible, offline, one asset, and no unexplained finding."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.stacks.conftest import Assembly, Synthesize, unexplained_findings

pytestmark = pytest.mark.slow  # starts Node

STACKS = ("foundation", "lambda", "container", "traffic", "watch")


def every_string(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in every_string(item)]
    if isinstance(value, list):
        return [text for item in value for text in every_string(item)]
    return [value] if isinstance(value, str) else []


def test_each_stage_has_its_stacks_in_its_own_name(secured: Assembly) -> None:
    names = {path.name.removesuffix(".template.json") for path in secured.directory.glob("*.template.json")}
    assert names == {f"crossover-prod-eu-{stack}" for stack in (*STACKS, "schedule")}


def test_synthesis_asks_nothing_of_an_account(default: Assembly) -> None:
    manifest = json.loads((default.directory / "manifest.json").read_text())
    assert "missing" not in manifest
    environments = {body["environment"] for body in manifest["artifacts"].values() if "environment" in body}
    assert environments == {"aws://unknown-account/us-east-1"}


def test_synthesis_is_reproducible(default: Assembly, synthesize: Synthesize) -> None:
    again = synthesize()
    for stack in STACKS:
        name = f"crossover-dev-{stack}.template.json"
        assert (again.directory / name).read_bytes() == (default.directory / name).read_bytes()


def test_both_lanes_deploy_the_very_same_asset(default: Assembly) -> None:
    code = default.one("lambda", "AWS::Lambda::Function")["Code"]
    user_data = default.one("container", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"]
    (location,) = [text for text in every_string(user_data) if text.startswith("s3://")]
    assert location == f"s3://{code['S3Bucket']['Fn::Sub']}/{code['S3Key']}"
    (asset,) = default.directory.glob("asset.*.zip")
    assert asset.name == f"asset.{code['S3Key']}"
    assert hashlib.sha256(asset.read_bytes()).hexdigest() == default.sha256


def test_both_lanes_report_the_same_bundle(default: Assembly) -> None:
    variables = default.one("lambda", "AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables == {
        "CROSSOVER_LANE": "lambda",
        "CROSSOVER_BUNDLE_SHA256": default.sha256,
        "CROSSOVER_GIT_REVISION": "4f2a9c1",
        "CROSSOVER_SUPPLIERS_URL": "https://suppliers.example.com",
    }
    user_data = "".join(every_string(default.one("container", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]))
    for name, value in {**variables, "CROSSOVER_LANE": "container"}.items():
        assert f"{name}={value}" in user_data
    assert f"\nSHA256={default.sha256}\n" in user_data


def test_what_can_be_billed_is_tagged_with_its_stage_and_lane(default: Assembly) -> None:
    for stack, kind in (("lambda", "AWS::Lambda::Function"), ("container", "AWS::AutoScaling::AutoScalingGroup")):
        tags = {tag["Key"]: tag["Value"] for tag in default.one(stack, kind)["Tags"]}
        assert tags == {"crossover:stage": "dev", "crossover:lane": stack}
    volume = default.one("container", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["TagSpecifications"]
    assert {spec["ResourceType"] for spec in volume} == {"instance", "volume"}


# Exactly the rules with a recorded reason: a reason whose finding is gone must go too.
FOUND_IN_ANY_STAGE = {
    "AwsSolutions-AS3",
    "AwsSolutions-EC23",
    "AwsSolutions-EC26",
    "AwsSolutions-IAM5[Resource::*]",
    "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:autoscaling:<AWS::Region>:<AWS::AccountId>:autoScalingGroup:*"
    ":autoScalingGroupName/<AWS::StackName>-InstanceGroup-*]",
    "AwsSolutions-L1",
    "AwsSolutions-VPC7",
}
SWITCHERS = {
    f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{name}]"
    for service, name in (
        ("autoscaling", "autoScalingGroup:*:autoScalingGroupName/crossover-dev-container-*"),
        ("cloudformation", "stack/crossover-dev-*"),
        ("cloudwatch", "alarm:*"),
        ("dynamodb", "table/crossover-dev-foundation-*"),
        ("elasticloadbalancing", "listener-rule/app/*"),
        ("lambda", "function:crossover-dev-lambda-*"),
        ("servicequotas", "ec2/*"),
    )
}


@pytest.mark.parametrize(
    ("settings", "found_besides"),
    [
        ({}, {"AwsSolutions-S1", "AwsSolutions-SMG4"}),
        (
            {
                "network__egress": "nat_instance",
                "traffic__access_log_days": "none",
                "traffic__lane_header": "none",
                "traffic__waf": "true",
            },
            {"AwsSolutions-EC28", "AwsSolutions-EC29", "AwsSolutions-ELB2"},
        ),
        ({"switch__scheduled": "true"}, {"AwsSolutions-S1", "AwsSolutions-SMG4", "AwsSolutions-SQS3", *SWITCHERS}),
    ],
)
def test_aws_solutions_refuses_each_finding_that_has_no_recorded_reason(
    settings: dict[str, str], found_besides: set[str], synthesize: Synthesize, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (
        "network",
        "nat_instances",
        "lambda_lane",
        "container_lane",
        "instance_role",
        "traffic",
        "access_logs",
        "lane_token",
        "switcher",
        "switcher_role",
    ):
        monkeypatch.setattr(f"infra.components.{module}.acknowledge", lambda *_: None)
    with pytest.raises(RuntimeError, match="AwsSolutions-VPC7") as refused:
        synthesize(**settings)
    report = json.loads(Path(str(refused.value).rpartition(": ")[2]).read_text())
    (nag,) = [plugin for plugin in report["pluginReports"] if plugin["pluginName"] == "AwsSolutions"]
    assert {violation["ruleName"] for violation in nag["violations"]} == FOUND_IN_ANY_STAGE | found_besides


@pytest.mark.parametrize("stage", ["default", "secured"])
def test_cfn_lint_finds_nothing_unexplained(stage: str, request: pytest.FixtureRequest) -> None:
    assert unexplained_findings(request.getfixturevalue(stage)) == []
