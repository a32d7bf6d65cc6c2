"""What the operator and the finance reader may do: the documented commands on their own stage, and nothing beside."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from infra.config import Stage
from infra.overrides import override
from infra.policies.document import Statement
from infra.policies.finance import finance_statements
from infra.policies.handlers import action as reference
from infra.policies.people import operator_statements
from tests.conftest import ROOT
from tests.infra.policies.iam import allowed

ACCOUNT = "123456789012"
STAGE = override({"stage": "prod", "account": ACCOUNT, "region": "eu-west-1", "switch.scheduled": "true"})
PAGES = (ROOT / "docs" / "deploy.md", *sorted((ROOT / "docs" / "runbooks").glob("*.md")))
# Commands of those pages that are not the operator's, each with whose they are.
NOT_OPERATORS = {
    "sts:GetCallerIdentity": "needs no permission (STS API reference)",
    "secretsmanager:CreateSecret": "made once by the deployer's administrator",
    "iam:CreatePolicy": "an administrator's",
}
# An action of the API whose permission has another name.
PERMISSIONS = {"s3api": "s3", "elbv2": "elasticloadbalancing"}


def arn(service: str, resource: str, region: str = "eu-west-1") -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def documented(page: Path) -> Iterator[str]:
    """`service:Action` of every `aws` command line of a page."""
    for line in re.findall(r"(?:^|[`$(] ?)aws ([a-z0-9-]+ [a-z-]+)", page.read_text(), re.MULTILINE):
        service, command = shlex.split(line)
        if service == "configure" or service == "sso":
            continue
        model = botocore.session.get_session().get_service_model("s3" if service == "s3api" else service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        names |= {"wait": "", "tail": "FilterLogEvents"}
        assert command in names, f"{page.name}: aws {service} {command} is no command"
        if names[command]:
            yield f"{PERMISSIONS.get(service, service)}:{names[command]}"


def test_the_operator_or_finance_may_call_every_command_of_the_deployment_guide_and_the_runbooks() -> None:
    both = (*operator_statements(STAGE), *finance_statements(STAGE))  # a passed budget is looked into by finance
    granted = {action for each in both for action in each.actions}
    named = {action: page.name for page in PAGES for action in documented(page)}
    assert "ssm:PutParameter" in named
    missing = {action: page for action, page in named.items() if action not in granted and action not in NOT_OPERATORS}
    assert missing == {}, "give the operator these (infra/policies/people.py), or say here whose they are"


@pytest.mark.parametrize("statements", [operator_statements(STAGE), finance_statements(STAGE, "our-billing")])
def test_each_action_exists_and_is_limited_to_resources_where_iam_can(statements: tuple[Statement, ...]) -> None:
    for each in statements:
        for name in each.actions:
            known = reference(name)
            assert known.resources is not None, f"{name} is not in the Service Authorization Reference"
            if "*" in each.resources:
                assert known.resources == () or name in UNLIMITED, f"{name} can be limited to {known.resources}"
            else:
                for one in each.resources:
                    assert any(fnmatchcase(one, form) for form in known.resources), f"{name} does not take {one}"
                    assert one.split(":")[4] in (ACCOUNT, "")


# The bill is the whole account's: a billing view, a cost category or a monitor of one's own is not for a stage.
UNLIMITED = {
    "ce:DescribeCostCategoryDefinition",
    "ce:GetAnomalies",
    "ce:GetCostAndUsage",
    "ce:GetCostAndUsageWithResources",
    "ce:GetCostCategories",
    "ce:GetCostForecast",
    "ce:GetDimensionValues",
    "ce:GetTags",
    "ce:GetUsageForecast",
}


TAGGED = "aws__ResourceTag___crossover__stage"


@pytest.mark.parametrize(
    ("action", "resource", "tag"),
    [
        ("ssm:PutParameter", "ssm:parameter/crossover/{}/traffic-weights", None),
        ("elasticloadbalancing:ModifyRule", "elasticloadbalancing:listener-rule/app/crosso-Traff-1/a/b/c", TAGGED),
        ("ssm:StartSession", "ec2:instance/i-0123456789abcdef0", "ssm__resourceTag___crossover__stage"),
        ("ec2:GetConsoleOutput", "ec2:instance/i-0123456789abcdef0", TAGGED),
        ("lambda:UpdateAlias", "lambda:function:crossover-{}-lambda-LaneFunction4F2A-QUJR:live", None),
        ("lambda:PutFunctionConcurrency", "lambda:function:crossover-{}-lambda-LaneFunction4F2A-QUJR", None),
        (
            "autoscaling:RollbackInstanceRefresh",
            "autoscaling:autoScalingGroup:u-u-i-d:autoScalingGroupName/crossover-{}-container-InstanceGroup-FA3G",
            None,
        ),
        ("cloudformation:CancelUpdateStack", "cloudformation:stack/crossover-{}-traffic/u-u-i-d", None),
        ("logs:FilterLogEvents", "logs:log-group:crossover-{}-lambda-LaneLogs9B83-8MIC:*", None),
        ("scheduler:UpdateSchedule", "scheduler:schedule/crossover-{}/mon-fri-0700-container", None),
        ("sqs:PurgeQueue", "sqs:crossover-{}-schedule-SwitcherDeadLetters-1KQX", None),
        ("dynamodb:PutItem", "dynamodb:table/crossover-{}-foundation-SwitchTable-1KQX", None),
    ],
)
def test_the_operator_may_do_it_on_the_own_stage_and_in_the_own_region_only(
    action: str, resource: str, tag: str | None
) -> None:
    statements = operator_statements(STAGE)
    service, _, rest = resource.partition(":")
    assert allowed(statements, action, arn(service, rest.format("prod")), **({tag: "prod"} if tag else {}))
    assert not allowed(statements, action, arn(service, rest.format("staging")), **({tag: "staging"} if tag else {}))
    assert not allowed(statements, action, arn(service, rest.format("prod"), "us-east-1"), **({tag: "prod"} if tag else {}))
    if tag:
        assert not allowed(statements, action, arn(service, rest))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:UpdateFunctionCode", arn("lambda", "function:crossover-prod-lambda-LaneFunction")),
        ("lambda:InvokeFunction", arn("lambda", "function:crossover-prod-lambda-LaneFunction")),
        ("elasticloadbalancing:DeleteLoadBalancer", arn("elasticloadbalancing", "loadbalancer/app/crosso-Traff-1/a")),
        ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:prod/suppliers-AbCdEf")),
        ("ssm:SendCommand", arn("ec2", "instance/i-0123456789abcdef0")),
        ("cloudformation:DeleteStack", arn("cloudformation", "stack/crossover-prod-traffic/u-u-i-d")),
        ("ssm:PutParameter", arn("ssm", "parameter/crossover/prod/other")),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/crossover-prod-lambda-LaneRole"),
        ("scheduler:CreateSchedule", arn("scheduler", "schedule/default/mine")),
        ("scheduler:DeleteSchedule", arn("scheduler", "schedule/crossover-staging/mon-fri-0700-container")),
    ],
)
def test_the_operator_may_not(action: str, resource: str) -> None:
    keys = {TAGGED: "prod", "ssm__resourceTag___crossover__stage": "prod"}
    assert not allowed(operator_statements(STAGE), action, resource, **keys)


def test_the_operator_reads_the_secrets_that_hold_webhooks_and_no_other() -> None:
    named = {
        "switch.gates": "secret:prod/gate",
        "switch.notify": f"slack:secret:{arn('secretsmanager', 'secret:slack-AbCdEf')}",
    }
    statements = operator_statements(override({"stage": "prod", "account": ACCOUNT, "region": "eu-west-1", **named}))
    for name, may in (
        ("prod/gate-AbCdEf", True),
        ("slack-AbCdEf", True),
        ("prod/suppliers-AbCdEf", False),
        ("slack-GhIjKl", False),
    ):
        assert allowed(statements, "secretsmanager:GetSecretValue", arn("secretsmanager", f"secret:{name}")) is may


def test_finance_reads_and_changes_nothing() -> None:
    statements = finance_statements(STAGE, "our-billing")
    for each in statements:
        for name in each.actions:
            assert reference(name).reads, name
    assert allowed(statements, "ce:GetCostAndUsage")
    assert allowed(statements, "s3:GetObject", "arn:aws:s3:::our-billing/focus/2026-11.parquet")
    assert not allowed(statements, "s3:GetObject", "arn:aws:s3:::crossover-prod-traffic-logs/a")
    assert not [each for each in finance_statements(STAGE) if "s3:GetObject" in each.actions]


def test_without_an_account_any_is_meant() -> None:
    statements = operator_statements(Stage(name="prod", region="eu-west-1"))
    assert allowed(statements, "ssm:PutParameter", arn("ssm", "parameter/crossover/prod/traffic-weights"))
