"""The ways to deploy: both lanes, either one, a second stage beside the first, a second region; and from one to another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra.stacks.conftest import Assembly, Synthesize

pytestmark = pytest.mark.slow  # starts Node

# What a person would lose, or would have to look up anew, if CloudFormation replaced it because its logical id had changed.
STATEFUL = {
    "foundation": {"NetworkVpc7FB7348F": "AWS::EC2::VPC", "TrafficWeightsParameter181B8E76": "AWS::SSM::Parameter"},
    "lambda": {"LaneFunction4F2AF280": "AWS::Lambda::Function", "LaneLogs9B834A80": "AWS::Logs::LogGroup"},
    "container": {"InstanceGroup": "AWS::AutoScaling::AutoScalingGroup"},
    "traffic": {"TrafficLoadBalancer07510492": "AWS::ElasticLoadBalancingV2::LoadBalancer"},
}
# Types whose names are one account's, whatever the region.
GLOBAL = ("AWS::IAM::", "AWS::S3::Bucket", "AWS::Budgets::", "AWS::Route53::", "AWS::CloudWatch::Dashboard")


@pytest.fixture(scope="module")
def lambda_alone(synthesize: Synthesize) -> Assembly:
    return synthesize(lanes="lambda")


@pytest.fixture(scope="module")
def container_alone(synthesize: Synthesize) -> Assembly:
    return synthesize(lanes="container")


@pytest.fixture(scope="module")
def without_load_balancer(synthesize: Synthesize) -> Assembly:
    return synthesize(lanes="lambda", lambda_lane__front="function_url", account="123456789012")


def stacks(assembly: Assembly) -> set[str]:
    prefix = f"{assembly.stage.resource_prefix}-"
    return {
        path.name.removesuffix(".template.json").removeprefix(prefix) for path in assembly.directory.glob("*.template.json")
    }


def split(assembly: Assembly) -> list[dict[str, Any]]:
    rules = [rule["Properties"] for rule in assembly.all("traffic", "AWS::ElasticLoadBalancingV2::ListenerRule").values()]
    (rule,) = [rule for rule in rules if rule["Priority"] == 100]
    groups: list[dict[str, Any]] = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
    return groups


def imports(assembly: Assembly, stack: str) -> set[str]:
    text = json.dumps(assembly.template(stack))
    return {part.partition('"')[0] for part in text.split('"Fn::ImportValue": "')[1:]}


def exports(assembly: Assembly, stack: str) -> set[str]:
    outputs = assembly.template(stack).get("Outputs", {}).values()
    return {output["Export"]["Name"] for output in outputs if "Export" in output}


def test_one_lane_alone_has_its_stack_and_a_split_that_gives_it_everything(
    lambda_alone: Assembly, container_alone: Assembly
) -> None:
    assert {"foundation", "lambda", "traffic"} <= stacks(lambda_alone)
    assert "container" not in stacks(lambda_alone)
    assert "lambda" not in stacks(container_alone)
    for assembly, weights in ((lambda_alone, "100:0"), (container_alone, "0:100")):
        assert len(split(assembly)) == 1
        assert assembly.one("foundation", "AWS::SSM::Parameter")["Value"] == weights


def test_lambda_with_its_own_front_has_no_vpc_no_load_balancer_and_nothing_billed_while_idle(
    without_load_balancer: Assembly,
) -> None:
    assert not {"foundation", "container", "traffic"} & stacks(without_load_balancer)
    kinds = {
        body["Type"]
        for stack in stacks(without_load_balancer)
        for body in without_load_balancer.template(stack)["Resources"].values()
    }
    billed_by_the_hour = ("AWS::EC2::", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::AutoScaling::", "AWS::ElastiCache::")
    assert [kind for kind in kinds if kind.startswith(billed_by_the_hour)] == []


def test_a_stages_account_is_the_stacks(without_load_balancer: Assembly) -> None:
    manifest = json.loads((without_load_balancer.directory / "manifest.json").read_text())
    environments = {body["environment"] for body in manifest["artifacts"].values() if "environment" in body}
    assert environments == {"aws://123456789012/us-east-1"}


def test_the_load_balancers_stack_can_let_a_lane_go_before_any_other_stack_changes(
    default: Assembly, lambda_alone: Assembly, container_alone: Assembly
) -> None:
    """CloudFormation deletes no export in use, so this stack goes first: deploy it alone, destroy the lane's, deploy all."""
    for alone, gone, kept in ((lambda_alone, "container", "lambda"), (container_alone, "lambda", "container")):
        needed = imports(alone, "traffic")
        assert not {name for name in needed if f"-{gone}:" in name}
        assert needed <= exports(default, "foundation") | exports(default, kept)


def test_a_lane_that_is_added_is_there_before_the_load_balancer_asks_for_it(default: Assembly) -> None:
    manifest = json.loads((default.directory / "manifest.json").read_text())["artifacts"]
    assert {"crossover-dev-lambda", "crossover-dev-container"} <= set(manifest["crossover-dev-traffic"]["dependencies"])


def names(assembly: Assembly, *, of: tuple[str, ...] = ("",)) -> set[tuple[str, str]]:
    """Physical names that a template fixes, by type; a name that CloudFormation is left to make is not among them."""
    found = set()
    for stack in stacks(assembly):
        for body in assembly.template(stack)["Resources"].values():
            for key, value in body.get("Properties", {}).items():
                fixed = (
                    key in ("Name", "DashboardName", "AlarmName", "TopicName") or key == f"{body['Type'].split('::')[-1]}Name"
                )
                if fixed and body["Type"].startswith(of) and "${" not in json.dumps(value) and "Ref" not in json.dumps(value):
                    found.add((body["Type"], json.dumps(value)))
    inside = ("AWS::Lambda::Alias", "AWS::IAM::Policy")  # named within their function, their role
    return {each for each in found if each[0] not in inside}


def test_a_second_stage_beside_the_first_shares_no_name_with_it(default: Assembly, secured: Assembly) -> None:
    assert names(default)
    assert names(default) & names(secured) == set()
    shared = {f"{default.stage.resource_prefix}-{stack}" for stack in stacks(default)} & {
        f"{secured.stage.resource_prefix}-{stack}" for stack in stacks(secured)
    }
    assert shared == set()


def test_a_second_region_shares_no_name_that_is_the_accounts(default: Assembly, synthesize: Synthesize) -> None:
    elsewhere = synthesize(region="eu-west-1")
    assert names(default, of=GLOBAL) & names(elsewhere, of=GLOBAL) == set()
    subnets = elsewhere.all("foundation", "AWS::EC2::Subnet").values()
    assert {body["Properties"]["AvailabilityZone"] for body in subnets} == {"eu-west-1a", "eu-west-1b"}


@pytest.mark.parametrize("stack", sorted(STATEFUL))
def test_what_holds_state_keeps_its_logical_id(stack: str, default: Assembly) -> None:
    resources = default.template(stack)["Resources"]
    assert {name: resources.get(name, {}).get("Type") for name in STATEFUL[stack]} == STATEFUL[stack]
