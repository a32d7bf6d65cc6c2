"""The policies of the deployer and of CloudFormation, from the synthesized stacks: enough for each type, and no more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.commands.policy import command
from infra.errors import InputError, KitError
from infra.overrides import override
from infra.policies.document import MOST_CHARACTERS, Policy, Statement, pack
from infra.policies.execution import WRITES_ANYWHERE, execution_statements
from infra.policies.handlers import NO_RESOURCE, called_for, service_of
from infra.policies.handlers import action as reference
from infra.policies.people import WEIGHTS, deployer_statements
from infra.policies.templates import read_synthesized, text_of
from tests.infra.policies.iam import allowed
from tests.infra.stacks.conftest import Assembly

pytestmark = pytest.mark.slow  # starts Node

ACCOUNT = "123456789012"


def statements(assembly: Assembly) -> tuple[Statement, ...]:
    return execution_statements(assembly.stage, read_synthesized(assembly.directory, assembly.stage))


@pytest.fixture(params=["default", "secured"])
def assembly(request: pytest.FixtureRequest) -> Assembly:
    found: Assembly = request.getfixturevalue(request.param)
    return found


def test_what_each_resource_type_creates_and_deletes_is_granted(assembly: Assembly) -> None:
    granted = {action for each in statements(assembly) for action in each.actions}
    for resource_type in read_synthesized(assembly.directory, assembly.stage).types:
        if resource_type in NO_RESOURCE:
            continue
        own = {each for each in called_for(resource_type) if each.startswith(f"{service_of(resource_type)}:")}
        makes = {each for each in own if ":Create" in each or ":Delete" in each or ":Put" in each} - LEFT_OUT
        assert makes <= granted, resource_type
        assert own & granted, resource_type


# What a web ACL or a cache asks of the logs that it is told to write, and a web ACL of the load balancer that it stands before.
DELIVERIES = {
    "elasticloadbalancing:SetWebACL",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
}
# Of the schemas' actions of a service that is used: for resources that the kit has none of, or what nothing may do.
LEFT_OUT = {
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    *(f"iam:{verb}{whose}Policy" for verb in ("Put", "Delete") for whose in ("User", "Group")),
    *(f"logs:{verb}" for verb in ("CreateLogDelivery", "DeleteIndexPolicy", "PutIndexPolicy")),
    *(f"logs:{verb}" for verb in ("DeleteResourcePolicy", "PutResourcePolicy", "PutBearerTokenAuthentication")),
}


def test_an_action_without_a_resource_only_reads(assembly: Assembly) -> None:
    (anywhere,) = [each for each in statements(assembly) if "*" in each.resources]
    assert anywhere.sid == "AnyResource"
    assert all(reference(name).reads or name in WRITES_ANYWHERE | DELIVERIES for name in anywhere.actions)
    assert anywhere.condition == {"StringEquals": {"aws:RequestedRegion": sorted({assembly.stage.region, "us-east-1"})}}


def test_only_services_of_the_templates_are_touched(assembly: Assembly) -> None:
    services = {action.partition(":")[0] for each in statements(assembly) for action in each.actions}
    types = read_synthesized(assembly.directory, assembly.stage).types
    assert services == {service_of(each) for each in types} | {"s3"}


def arn(service: str, resource: str, region: str = "us-east-1") -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


OWN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/crossover-dev-lambda-LaneRole0298-Q48M"
OTHERS_ROLE = f"arn:aws:iam::{ACCOUNT}:role/crossover-prod-lambda-LaneRole0298-Q48M"


@pytest.mark.parametrize(
    ("action", "own", "others"),
    [
        ("lambda:DeleteFunction", arn("lambda", "function:crossover-dev-lambda-F-1"), arn("lambda", "function:other")),
        ("lambda:UpdateAlias", arn("lambda", "function:crossover-dev-lambda-F-1:live"), arn("lambda", "function:other:live")),
        ("logs:DeleteLogGroup", arn("logs", "log-group:crossover-dev-lambda-L-1"), arn("logs", "log-group:/aws/lambda/other")),
        ("ssm:PutParameter", arn("ssm", "parameter/crossover/dev/traffic-weights"), arn("ssm", "parameter/crossover/prod/w")),
        ("iam:CreateRole", OWN_ROLE, OTHERS_ROLE),
        ("iam:PutRolePolicy", OWN_ROLE, OTHERS_ROLE),
        ("ec2:DeleteVpc", arn("ec2", "vpc/vpc-1"), arn("ec2", "vpc/vpc-1", "eu-west-1")),
        (
            "autoscaling:DeleteAutoScalingGroup",
            arn("autoscaling", "autoScalingGroup:u:autoScalingGroupName/crossover-dev-container-InstanceGroup-1"),
            arn("autoscaling", "autoScalingGroup:u:autoScalingGroupName/other"),
        ),
    ],
)  # fmt: skip
def test_what_has_a_name_is_the_own_stages_only(default: Assembly, action: str, own: str, others: str) -> None:
    assert allowed(statements(default), action, own)
    assert not allowed(statements(default), action, others)


def test_roles_are_handed_to_the_templates_services_and_get_the_templates_policies_only(default: Assembly) -> None:
    granted = statements(default)
    assert allowed(granted, "iam:PassRole", OWN_ROLE, iam__PassedToService="lambda.amazonaws.com")
    assert not allowed(granted, "iam:PassRole", OWN_ROLE, iam__PassedToService="glue.amazonaws.com")
    assert not allowed(granted, "iam:PassRole", OTHERS_ROLE, iam__PassedToService="lambda.amazonaws.com")
    assert not allowed(granted, "iam:AttachRolePolicy", OWN_ROLE, iam__PolicyARN="arn:aws:iam::aws:policy/AdministratorAccess")


def test_policies_of_aws_are_attached_where_a_template_names_them(default: Assembly, tmp_path: Path) -> None:
    agents = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/CloudWatchAgentServerPolicy"]]}
    attached = rewritten(default, tmp_path, lambda properties: {**properties, "ManagedPolicyArns": [agents]})
    granted = execution_statements(default.stage, read_synthesized(attached, default.stage))
    named = "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy"
    assert allowed(granted, "iam:AttachRolePolicy", OWN_ROLE, iam__PolicyARN=named)
    assert not allowed(granted, "iam:AttachRolePolicy", OWN_ROLE, iam__PolicyARN="arn:aws:iam::aws:policy/AdministratorAccess")


def test_with_a_boundary_on_every_role_none_is_made_without_it(default: Assembly, tmp_path: Path) -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/search-boundary"
    bounded = rewritten(default, tmp_path, lambda properties: {**properties, "PermissionsBoundary": boundary})
    granted = execution_statements(default.stage, read_synthesized(bounded, default.stage))
    for action in ("iam:CreateRole", "iam:PutRolePolicy"):
        assert allowed(granted, action, OWN_ROLE, iam__PermissionsBoundary=boundary)
        assert not allowed(granted, action, OWN_ROLE)
    assert not allowed(granted, "iam:DeleteRolePermissionsBoundary", OWN_ROLE, iam__PermissionsBoundary=boundary)


def rewritten(assembly: Assembly, folder: Path, change: Any) -> Path:
    """A copy of the assembly with every role's properties changed."""
    for path in assembly.directory.glob("*.json"):
        document = json.loads(path.read_text())
        for resource in document.get("Resources", {}).values() if isinstance(document, Mapping) else ():
            if resource["Type"] == "AWS::IAM::Role":
                resource["Properties"] = change(resource["Properties"])
        (folder / path.name).write_text(json.dumps(document))
    return folder


def test_what_templates_read_at_deployment_is_readable(default: Assembly) -> None:
    granted = statements(default)
    image = "arn:aws:ssm:us-east-1::parameter/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
    assert allowed(granted, "ssm:GetParameters", image)
    assert allowed(granted, "ssm:GetParameters", arn("ssm", f"parameter/{WEIGHTS.format(stage='dev')}"))
    assert allowed(granted, "s3:GetObject", f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-us-east-1/{'0' * 64}.zip")


def test_the_operator_writes_the_weights_that_the_stacks_read(default: Assembly) -> None:
    from infra.components.traffic_weights import weights_parameter_name

    assert f"/{WEIGHTS.format(stage=default.stage.name)}" == weights_parameter_name(default.stage)


def test_every_policy_fits_into_iam(assembly: Assembly) -> None:
    policies = pack("crossover-dev-cloudformation", statements(assembly))
    assert all(policy.characters <= MOST_CHARACTERS for policy in policies)
    sids = [each.sid for policy in policies for each in policy.statements]
    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() for sid in sids)


def test_the_deployer_assumes_the_bootstrap_roles_and_else_only_looks(default: Assembly) -> None:
    stage = override({"account": ACCOUNT})
    policy = Policy("", deployer_statements(read_synthesized(default.directory, stage), stage))
    names = ("deploy", "file-publishing", "lookup")
    roles = [f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-{name}-role-{ACCOUNT}-us-east-1" for name in names]
    first, *looks = policy.document["Statement"]
    assert first == {"Sid": "AssumeBootstrapRoles", "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": roles}
    assert sorted(action for look in looks for action in look["Action"]) == [
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
        "ssm:GetParameter",
    ]


def test_a_type_that_nobody_knows_is_an_error_not_a_gap() -> None:
    with pytest.raises(KitError, match="AWS::Nothing::Here: CloudFormation's registry"):
        called_for("AWS::Nothing::Here")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/X"]]}, "arn:aws:iam::aws:policy/X"),
        ({"Fn::Sub": "cdk-${AWS::AccountId}-x"}, "cdk-*-x"),
        ({"Fn::GetAtt": ["A", "Arn"]}, "*"),
    ],
)
def test_values_of_templates_become_text_with_wildcards(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_an_assembly_that_is_none_or_another_stages_is_one_line(default: Assembly, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no synthesized stacks \(No such file.*npx cdk synth --quiet -c stage=dev"):
        read_synthesized(tmp_path, default.stage)
    with pytest.raises(InputError, match=r"holds crossover-dev-foundation, .*, none of stage prod"):
        read_synthesized(default.directory, override({"stage": "prod"}))
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(InputError, match="is not what `cdk synth` writes"):
        read_synthesized(tmp_path, default.stage)


def test_the_command_prints_or_writes_the_documents(default: Assembly, tmp_path: Path) -> None:
    common = ["--stage", "dev", "--account", ACCOUNT, "--assembly", str(default.directory)]
    printed = CliRunner().invoke(command, ["cloudformation", *common, "--json"])
    assert printed.exit_code == 0, printed.output
    stated = json.loads(printed.stdout)
    assert (stated["role"], stated["stage"]) == ("cloudformation", "dev")
    written = CliRunner().invoke(command, ["cloudformation", *common, "--out", str(tmp_path / "new")])
    for each in stated["policies"]:
        assert json.loads((tmp_path / "new" / f"{each['name']}.json").read_text()) == each["document"]
        assert f"aws iam create-policy --policy-name {each['name']} --policy-document file://" in written.stdout
    one = CliRunner().invoke(command, ["operator", "--stage", "dev"])
    assert json.loads(one.stdout)["Version"] == "2012-10-17"
    assert one.stderr.startswith("policy: crossover-dev-operator, ")
