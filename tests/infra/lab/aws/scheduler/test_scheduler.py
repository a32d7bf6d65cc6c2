"""EventBridge Scheduler in the local AWS: groups and schedules of a stack, and what is refused as AWS refuses it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.aws.local_aws import LocalAws
from tests.infra.lab.aws.live_aws import local_aws, page

pytestmark = pytest.mark.slow

GROUP = "crossover-dev"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:switcher"


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Cloud:
    """A stack with a group and a tick in it, and a role that Scheduler may take on."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws, self.scheduler, self.stacks = aws, aws.client("scheduler"), aws.client("cloudformation")
        roles = aws.client("iam")
        self.role = roles.create_role(RoleName="s", AssumeRolePolicyDocument=trust("scheduler.amazonaws.com"))["Role"]["Arn"]
        self.other = roles.create_role(RoleName="l", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
        self.stacks.create_stack(StackName="schedule", TemplateBody=self.template("rate(1 minute)"))

    def template(self, expression: str) -> str:
        tick = {
            "GroupName": {"Ref": "Group"},
            "ScheduleExpression": expression,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": FUNCTION, "RoleArn": self.role, "Input": "{}", "RetryPolicy": {"MaximumRetryAttempts": 0}},
        }
        resources = {
            "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": GROUP}},
            "Tick": {"Type": "AWS::Scheduler::Schedule", "Properties": tick},
        }
        return json.dumps({"Resources": resources, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Group", "Arn"]}}}})

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.scheduler.list_schedules(GroupName=GROUP)["Schedules"]
        return found

    def create(self, **other: Any) -> None:
        target = {"Arn": FUNCTION, "RoleArn": self.role, **other.pop("Target", {})}
        given = {
            "GroupName": GROUP,
            "Name": "mon-fri-0700-container",
            "ScheduleExpression": "cron(0 7 ? * MON-FRI *)",
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": target,
        }
        self.scheduler.create_schedule(**{**given, **other})


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with local_aws(live=True, speed=1) as aws:
        yield Cloud(aws)


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ({"ScheduleExpression": "cron(0 7 * * MON-FRI *)"}, "ValidationException", "Invalid Schedule Expression cron(0 7 * *"),
        ({"ScheduleExpressionTimezone": "Europe/Atlantis"}, "ValidationException", "Europe/Atlantis"),
        ({"Name": "mon fri"}, "ValidationException", "'mon fri'"),
        ({"GroupName": "nobodys"}, "ResourceNotFoundException", "Schedule group nobodys does not exist."),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "ValidationException", "MaximumWindowInMinutes"),
        ({"Target": {"RetryPolicy": {"MaximumEventAgeInSeconds": 86_401}}}, "ValidationException", "60 to 86400"),
        ({"Target": {"RoleArn": "other"}}, "ValidationException", "must allow AWS EventBridge Scheduler to assume the role"),
    ],
)
def test_what_aws_refuses_is_refused(cloud: Cloud, wrong: dict[str, Any], code: str, said: str) -> None:
    if wrong.get("Target", {}).get("RoleArn"):
        wrong = {"Target": {"RoleArn": cloud.other}}
    with pytest.raises(ClientError) as refused:
        cloud.create(**wrong)
    error = refused.value.response["Error"]
    assert error["Code"] == code
    assert said in error["Message"]
    assert len(cloud.listed()) == 1


def test_a_stacks_group_and_its_schedule_are_made_changed_and_deleted_with_all_that_is_in_it(cloud: Cloud) -> None:
    (tick,) = cloud.listed()
    (output,) = cloud.stacks.describe_stacks(StackName="schedule")["Stacks"][0]["Outputs"]
    assert output["OutputValue"] == f"arn:aws:scheduler:us-east-1:123456789012:schedule-group/{GROUP}"
    cloud.stacks.update_stack(StackName="schedule", TemplateBody=cloud.template("rate(5 minutes)"))
    told = cloud.scheduler.get_schedule(GroupName=GROUP, Name=tick["Name"])
    assert (told["ScheduleExpression"], told["Target"]["RetryPolicy"]) == ("rate(5 minutes)", {"MaximumRetryAttempts": 0})
    cloud.create()
    assert len(cloud.listed()) == 2
    cloud.stacks.delete_stack(StackName="schedule")
    groups = cloud.scheduler.list_schedule_groups()["ScheduleGroups"]
    assert [group["Name"] for group in groups] == ["default"]


def test_an_event_for_later_waits_for_whoever_runs_functions_and_one_for_nobody_is_refused(cloud: Cloud) -> None:
    functions = cloud.aws.client("lambda")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.invoke(FunctionName="switcher", InvocationType="Event", Payload=b"{}")
    functions.create_function(
        FunctionName="switcher",
        Runtime="python3.13",
        Handler="h.h",
        Role=cloud.other,
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )
    assert functions.invoke(FunctionName=FUNCTION, InvocationType="Event", Payload=b'{"kind": "tick"}')["StatusCode"] == 202
    status, (event,) = page(cloud.aws, "POST", "invocations")
    assert (status, event["function"], event["event"]) == (200, FUNCTION, '{"kind": "tick"}')
    assert page(cloud.aws, "POST", "invocations") == (200, [])
