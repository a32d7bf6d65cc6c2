"""The stack of scheduled switches: who may start what, what the function may do, and where failures go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.components.switcher import TICK
from infra.overrides import override
from infra.policies.people import operator_statements
from infra.policies.templates import text_of
from infra.switching.aws.schedules import find_place
from tests.infra.stacks.conftest import Assembly

pytestmark = pytest.mark.slow  # starts Node


def properties(assembly: Assembly, kind: str) -> dict[str, Any]:
    return assembly.one("schedule", kind)


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]


def role_of(assembly: Assembly, service: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        role["Properties"]
        for role in assembly.all("schedule", "AWS::IAM::Role").values()
        if service in json.dumps(role["Properties"]["AssumeRolePolicyDocument"])
    ]
    (role,) = found
    return role


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_a_stage_has_it_only_where_it_is_asked_for(default: Assembly) -> None:
    assert not list(default.directory.glob("*-schedule.template.json"))


def test_the_function_is_not_started_again_after_a_failure_which_goes_to_the_queue(secured: Assembly) -> None:
    config = properties(secured, "AWS::Lambda::EventInvokeConfig")
    assert config["MaximumRetryAttempts"] == 0
    (queue,) = secured.all("schedule", "AWS::SQS::Queue")
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": [queue, "Arn"]}
    function = properties(secured, "AWS::Lambda::Function")
    assert (function["Timeout"], function["Handler"]) == (900, "infra.switching.aws.switcher.handler")
    assert function["Runtime"] == "python3.12" and function["Architectures"] == ["x86_64"]
    assert function["Environment"]["Variables"] == {"CROSSOVER_STAGE": "prod_eu"}


def test_a_tick_a_minute_is_in_the_stages_group_and_not_made_up_for(secured: Assembly) -> None:
    tick = properties(secured, "AWS::Scheduler::Schedule")
    assert tick["ScheduleExpression"] == "rate(1 minute)"
    assert tick["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    assert tick["Target"]["Input"] == TICK
    assert properties(secured, "AWS::Scheduler::ScheduleGroup")["Name"] == "crossover-prod-eu"


def test_only_schedules_of_the_group_start_this_function_and_nothing_else(secured: Assembly) -> None:
    role = role_of(secured, "scheduler.amazonaws.com")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert text_of(trust["Condition"]["StringEquals"]["aws:SourceArn"]).endswith(":schedule-group/crossover-prod-eu")
    (function,), (queue,) = (secured.all("schedule", kind) for kind in ("AWS::Lambda::Function", "AWS::SQS::Queue"))
    may = {each["Action"]: each["Resource"] for each in statements(role)}
    assert may == {
        "lambda:InvokeFunction": {"Fn::GetAtt": [function, "Arn"]},
        "sqs:SendMessage": {"Fn::GetAtt": [queue, "Arn"]},
    }


def test_the_function_may_do_what_an_operator_may_and_write_its_log_and_queue(secured: Assembly) -> None:
    granted = {action for each in operator_statements(secured.stage) for action in each.actions}
    may = {action for each in statements(role_of(secured, "lambda.amazonaws.com")) for action in listed(each["Action"])}
    assert may - granted == {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"}
    secrets = [each for each in statements(role_of(secured, "lambda.amazonaws.com")) if "secretsmanager" in str(each["Action"])]
    assert [text_of(each["Resource"]).rpartition(":")[2] for each in secrets] == ["prod/slack-??????"]


def test_the_outputs_are_what_the_command_looks_for(secured: Assembly) -> None:
    class Outputs:
        region = "eu-west-1"

        def client(self, service: str) -> Outputs:
            return self

        def describe_stacks(self, StackName: str) -> dict[str, Any]:
            outputs = secured.template("schedule")["Outputs"]
            return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": key} for key in outputs]}]}

    place = find_place(Outputs(), "prod_eu")  # type: ignore[arg-type]
    assert (place.group, place.function) == ("ScheduleGroup", "SwitcherArn")


def test_its_alarm_reads_the_queue(secured: Assembly) -> None:
    alarms = [each["Properties"] for each in secured.all("watch", "AWS::CloudWatch::Alarm").values()]
    (alarm,) = [each for each in alarms if each["AlarmName"] == "crossover-prod-eu-switch-schedule"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert alarm["AlarmDescription"].endswith("/switch-schedule.md")


def test_a_stage_of_one_lane_has_nothing_to_schedule() -> None:
    from infra.errors import InputError

    with pytest.raises(InputError, match=r"switch\.scheduled: needs lanes=lambda,container"):
        override({"lanes": "lambda", "switch.scheduled": "true"})
