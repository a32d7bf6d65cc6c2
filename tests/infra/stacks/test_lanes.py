"""What the lanes' templates promise: the bundle run as measured, least privilege. More of the container lane's: beside this."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.stacks.conftest import Assembly, Synthesize
from tests.infra.stacks.test_assembly import every_string

pytestmark = pytest.mark.slow  # starts Node


def statements(assembly: Assembly, stack: str) -> list[dict[str, Any]]:
    resources = assembly.template(stack)["Resources"].values()
    documents = [
        policy["PolicyDocument"]
        for body in resources
        if body["Type"] == "AWS::IAM::Role"
        for policy in body["Properties"].get("Policies", [])
    ]
    documents += [body["Properties"]["PolicyDocument"] for body in resources if body["Type"] == "AWS::IAM::Policy"]
    return [statement for document in documents for statement in document["Statement"]]


def template_data(assembly: Assembly) -> dict[str, Any]:
    data: dict[str, Any] = assembly.one("container", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    return data


def test_role_names_its_actions_and_resources(default: Assembly) -> None:
    found = statements(default, "lambda")
    assert found
    for statement in found:
        assert statement["Effect"] == "Allow"
        assert not [text for text in every_string([statement["Action"], statement["Resource"]]) if "*" in text]


def test_function_may_only_write_its_own_logs(default: Assembly) -> None:
    (statement,) = statements(default, "lambda")
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    (log_group,) = default.all("lambda", "AWS::Logs::LogGroup")
    assert statement["Resource"] == {"Fn::GetAtt": [log_group, "Arn"]}
    assert "ManagedPolicyArns" not in default.one("lambda", "AWS::IAM::Role")


@pytest.mark.parametrize("stack", ["lambda", "container"])
def test_a_named_secret_may_be_read_by_both_roles_and_no_other_one(secured: Assembly, stack: str) -> None:
    (reads,) = [found for found in statements(secured, stack) if "secretsmanager" in str(found["Action"])]
    assert (reads["Effect"], reads["Action"]) == ("Allow", "secretsmanager:GetSecretValue")
    parts = ["arn:aws:secretsmanager:eu-west-1:", {"Ref": "AWS::AccountId"}, ":secret:prod/suppliers-??????"]
    assert reads["Resource"] == {"Fn::Join": ["", parts]}


@pytest.mark.parametrize("stack", ["lambda", "container"])
def test_a_secrets_arn_is_granted_as_given(synthesize: Synthesize, stack: str) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/suppliers-AbCdEf"
    (reads,) = [found for found in statements(synthesize(secret=arn), stack) if "secretsmanager" in str(found["Action"])]
    assert reads["Resource"] == arn


def test_the_secrets_name_reaches_both_lanes(secured: Assembly, default: Assembly) -> None:
    variables = secured.one("lambda", "AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables["CROSSOVER_SECRET"] == "prod/suppliers"
    assert "CROSSOVER_SECRET=prod/suppliers" in "".join(every_string(template_data(secured)["UserData"]))
    assert "secret" not in "".join(every_string(template_data(default)["UserData"])).lower()
    assert "CROSSOVER_SECRET" not in default.one("lambda", "AWS::Lambda::Function")["Environment"]["Variables"]


def test_function_runs_the_bundle_as_the_stage_says(default: Assembly) -> None:
    function = default.one("lambda", "AWS::Lambda::Function")
    assert function["Handler"] == "lambda_handler.handler.handler"
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert (function["MemorySize"], function["Timeout"]) == (512, 10)
    assert "ReservedConcurrentExecutions" not in function
    assert default.one("lambda", "AWS::Logs::LogGroup")["RetentionInDays"] == 14


def test_settings_reach_the_function(secured: Assembly) -> None:
    function = secured.one("lambda", "AWS::Lambda::Function")
    assert (function["Runtime"], function["Architectures"]) == ("python3.12", ["x86_64"])
    assert function["ReservedConcurrentExecutions"] == 40


def test_load_balancer_invokes_the_live_alias_of_a_published_version(default: Assembly) -> None:
    ((alias_name, alias),) = default.all("lambda", "AWS::Lambda::Alias").items()
    ((version_name, version),) = default.all("lambda", "AWS::Lambda::Version").items()
    assert alias["Properties"]["Name"] == "live"
    assert alias["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [version_name, "Version"]}
    assert version["DeletionPolicy"] == "Retain"
    group = default.one("lambda", "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert (group["TargetType"], group["Targets"]) == ("lambda", [{"Id": {"Ref": alias_name}}])
    assert {"Key": "lambda.multi_value_headers.enabled", "Value": "true"} in group["TargetGroupAttributes"]
    assert not group.get("HealthCheckEnabled")


def test_only_this_accounts_target_groups_may_invoke(default: Assembly) -> None:
    permission = default.one("lambda", "AWS::Lambda::Permission")
    assert permission["Principal"] == "elasticloadbalancing.amazonaws.com"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert ":targetgroup/*" in every_string(permission["SourceArn"])
    (group,) = default.all("lambda", "AWS::ElasticLoadBalancingV2::TargetGroup").values()
    assert group["DependsOn"] == list(default.all("lambda", "AWS::Lambda::Permission"))


def test_a_new_bundle_publishes_a_new_version(default: Assembly, secured: Assembly) -> None:
    assert set(default.all("lambda", "AWS::Lambda::Version")).isdisjoint(secured.all("lambda", "AWS::Lambda::Version"))
