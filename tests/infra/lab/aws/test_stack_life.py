"""The local AWS keeps to what CloudFormation documents: rollback, exports in use, deletions that fail, what is retained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.deploying.stacks import Failure, first_failure
from infra.lab.aws.local_aws import LocalAws
from tests.conftest import ROOT, absent, require_program

pytestmark = pytest.mark.slow

QUEUE = "AWS::SQS::Queue"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    require_program("node")
    if not (ROOT / "node_modules" / ".bin" / "cdk").exists():
        absent("the CDK CLI is not installed (npm ci)")
    with LocalAws("us-east-1", faults=[QUEUE]) as local:
        yield local


def template(resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> str:
    return json.dumps({"Resources": resources, "Outputs": outputs or {}})


def parameter(value: object, **more: object) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/p", "Value": value}, **more}


def network() -> dict[str, Any]:
    return {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}}


def status(aws: LocalAws, name: str) -> str:
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    found: str = stack["StackStatus"]
    return found


def test_an_update_that_fails_brings_the_former_template_back(aws: LocalAws) -> None:
    stacks = aws.client("cloudformation")
    stacks.create_stack(StackName="updated", TemplateBody=template({"P": parameter("before")}))
    stacks.update_stack(
        StackName="updated", TemplateBody=template({"P": parameter("after"), "Q": {"Type": QUEUE, "Properties": {}}})
    )
    assert status(aws, "updated") == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "before"
    events = stacks.describe_stack_events(StackName="updated")["StackEvents"]
    assert first_failure(events) == Failure("Q", QUEUE, f"The local AWS was told to fail one {QUEUE}")
    stacks.delete_stack(StackName="updated")


def test_an_export_that_another_stack_imports_can_neither_go_nor_its_stack(aws: LocalAws) -> None:
    stacks = aws.client("cloudformation")
    exported = {"Vpc": {"Value": {"Ref": "V"}, "Export": {"Name": "exporting:Vpc"}}}
    stacks.create_stack(StackName="exporting", TemplateBody=template({"V": network()}, exported))
    stacks.create_stack(StackName="importing", TemplateBody=template({"P": parameter({"Fn::ImportValue": "exporting:Vpc"})}))
    refused = "Export exporting:Vpc cannot be deleted as it is in use by importing"
    with pytest.raises(ClientError, match=refused):
        stacks.update_stack(StackName="exporting", TemplateBody=template({"V": network()}))
    with pytest.raises(ClientError, match=refused):
        stacks.delete_stack(StackName="exporting")
    stacks.delete_stack(StackName="importing")
    stacks.delete_stack(StackName="exporting")
    assert stacks.describe_stacks()["Stacks"] == []


def test_a_stack_that_cannot_be_deleted_stays_with_the_reason(aws: LocalAws) -> None:
    stacks, compute = aws.client("cloudformation"), aws.client("ec2")
    stacks.create_stack(StackName="kept", TemplateBody=template({"V": network()}))
    (vpc,) = [each["VpcId"] for each in compute.describe_vpcs()["Vpcs"] if each["CidrBlock"] == "10.9.0.0/16"]
    by_hand = compute.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    stacks.delete_stack(StackName="kept")
    assert status(aws, "kept") == "DELETE_FAILED"
    failure = first_failure(stacks.describe_stack_events(StackName="kept")["StackEvents"])
    assert failure is not None
    assert (failure.logical_id, "has dependencies and cannot be deleted" in failure.reason) == ("V", True)
    compute.delete_subnet(SubnetId=by_hand)
    stacks.delete_stack(StackName="kept")
    assert stacks.describe_stacks()["Stacks"] == []


def test_what_is_retained_outlives_its_stack(aws: LocalAws) -> None:
    stacks = aws.client("cloudformation")
    stacks.create_stack(StackName="gone", TemplateBody=template({"P": parameter("still here", DeletionPolicy="Retain")}))
    stacks.delete_stack(StackName="gone")
    assert aws.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "still here"
