"""What CloudFormation may do when it deploys a stage: the policies of `cdk bootstrap --cloudformation-execution-policies`.

Actions are those that the schemas of the templates' resource types name, of the services that the templates use. Resources are
named where CloudFormation names them after their stack; EC2 and the load balancer give ids of their own, so that there the
region and the account are the limit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase

from infra.config import Stage
from infra.policies.document import Statement
from infra.policies.handlers import action, called_for, service_of
from infra.policies.templates import Synthesized, every_text, text_of

NAME_IN_ARN = 24
"""CloudFormation may shorten a stack's name in a resource's; what is matched stays below that."""

# `{name}` becomes each name that the service's resources have: the stack's, and those that the templates give themselves.
RESOURCES: dict[str, tuple[str, ...]] = {
    "autoscaling": ("arn:aws:autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{name}",),
    "budgets": ("arn:aws:budgets::{account}:budget/*",),
    "cloudwatch": (
        "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
        "arn:aws:cloudwatch::{account}:dashboard/{name}",
    ),
    # Images and snapshots belong to no account of the caller's.
    "ec2": ("arn:aws:ec2:{region}:{account}:*", "arn:aws:ec2:{region}::image/*", "arn:aws:ec2:{region}::snapshot/*"),
    "elasticloadbalancing": (
        "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/*",
        "arn:aws:elasticloadbalancing:{region}:{account}:listener/app/*",
        "arn:aws:elasticloadbalancing:{region}:{account}:listener-rule/app/*",
        "arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/*",
    ),
    "iam": (
        "arn:aws:iam::{account}:role/{name}",
        "arn:aws:iam::{account}:instance-profile/{name}",
        "arn:aws:iam::{account}:policy/{name}",
    ),
    "lambda": (
        "arn:aws:lambda:{region}:{account}:function:{name}",
        "arn:aws:lambda:{region}:{account}:function:{name}:*",
        "arn:aws:lambda:{region}:{account}:capacity-provider:{name}",
    ),
    "logs": ("arn:aws:logs:{region}:{account}:log-group:{name}", "arn:aws:logs:{region}:{account}:log-group:{name}:*"),
    "route53": ("arn:aws:route53:::hostedzone/{zone}", "arn:aws:route53:::change/*"),
    "s3": ("arn:aws:s3:::{name}", "arn:aws:s3:::{name}/*"),
    "secretsmanager": ("arn:aws:secretsmanager:{region}:{account}:secret:{name}*",),
    "sns": ("arn:aws:sns:{region}:{account}:{name}",),
    "ssm": ("arn:aws:ssm:{region}:{account}:parameter/{name}",),
    # A web ACL is put before a load balancer: both are the action's resources.
    "wafv2": (
        "arn:aws:wafv2:{region}:{account}:regional/*",
        "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/*",
    ),
    "apigateway": ("arn:aws:apigateway:{region}::/*",),
}
OTHERS = ("arn:aws:{service}:{region}:{account}:*",)
# Names that a template may give; elsewhere CloudFormation makes one of the stack's and a suffix.
NAME_PROPERTIES = {
    "AWS::AutoScaling::AutoScalingGroup": "AutoScalingGroupName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SSM::Parameter": "Name",
}
WRITES_ANYWHERE = {"kms:CreateKey", "secretsmanager:GetRandomPassword", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"}
"""IAM limits these to no resource, and their own types need them."""
MANAGES_POLICIES = ("iam:AttachRolePolicy", "iam:DetachRolePolicy")
BOUNDED = ("iam:CreateRole", "iam:PutRolePolicy", *MANAGES_POLICIES, "iam:PutRolePermissionsBoundary")
"""What could give a role more than the boundary that the templates set on it."""
# Each has a statement of its own below, with narrower resources or a condition; a boundary is never taken off.
APART = {*BOUNDED, "iam:PassRole", "iam:CreateServiceLinkedRole", "iam:DeleteRolePermissionsBoundary"}


def execution_statements(stage: Stage, synthesized: Synthesized) -> tuple[Statement, ...]:
    """The statements, of every service that the templates use."""
    services = {service_of(each) for each in synthesized.types}
    called = frozenset().union(*map(called_for, synthesized.types))
    scopes = {service: _resources(service, stage, synthesized) for service in services}
    asked = _asked_of_others(synthesized)
    limited: dict[str, set[str]] = defaultdict(set)
    anywhere: set[str] = set()
    for each in map(action, called - APART):
        service = each.name.partition(":")[0]
        if service not in services:
            continue  # for a property that the templates do not use, as a file system's
        if each.resources == ():
            anywhere |= {each.name} if each.reads or each.name in WRITES_ANYWHERE | asked else set()
        elif each.acts_on(scopes[service]):
            limited[service].add(each.name)
    wide = {name for name in anywhere if name.endswith("*")}
    anywhere = {name for name in anywhere if name in wide or not any(fnmatchcase(name, each) for each in wide)}
    return (
        *(Statement(service.title(), sorted(limited[service]), scopes[service]) for service in sorted(limited)),
        Statement("AnyResource", sorted(anywhere), ("*",), _in_region(stage)),
        *_roles(stage, synthesized, called),
        *_read_at_deployment(stage, synthesized),
    )


def _asked_of_others(synthesized: Synthesized) -> set[str]:
    """What a type calls of another service, as the delivery of a web ACL's log. Of its own service, a write that IAM limits to
    no resource is for a feature that no stage uses."""
    return {
        action
        for resource_type in synthesized.types
        for action in called_for(resource_type)
        if action.partition(":")[0] != service_of(resource_type)
    }


def _in_region(stage: Stage) -> dict[str, dict[str, list[str]]]:
    """For actions that IAM cannot limit to resources; services without regions answer as us-east-1."""
    return {"StringEquals": {"aws:RequestedRegion": sorted({stage.region, "us-east-1"})}}


def _resources(service: str, stage: Stage, synthesized: Synthesized) -> tuple[str, ...]:
    account = stage.account or "*"
    zones = synthesized.texts(r"^Z[A-Z0-9]{8,31}$") or ("*",)
    found: set[str] = set()
    for pattern in RESOURCES.get(service, OTHERS):
        for name in _names(service, synthesized) if "{name}" in pattern else ("",):
            for zone in zones if "{zone}" in pattern else ("",):
                found.add(pattern.format(service=service, region=stage.region, account=account, name=name, zone=zone))
    return tuple(sorted(each for each in found if not any(fnmatchcase(each, other) for other in found - {each})))


def _names(service: str, synthesized: Synthesized) -> tuple[str, ...]:
    """Names of the service's resources: their stack's with something after it, and what the templates say."""
    stacks = {
        stack
        for stack, resources in synthesized.stacks.items()
        if any(service_of(resource["Type"]) == service for resource in resources)
    }
    generated = {f"{stack}-"[:NAME_IN_ARN] + "*" for stack in stacks}
    if service == "s3":
        generated = {each.lower() for each in generated}
    given = (
        text_of(properties[key])
        for resource_type, key in NAME_PROPERTIES.items()
        if service_of(resource_type) == service
        for properties in synthesized.of(resource_type)
        if key in properties
    )
    bare = {name.lstrip("/") for name in given if name.strip("*")}
    return tuple(sorted(generated | {name for name in bare if not any(fnmatchcase(name, each) for each in generated)}))


def _roles(stage: Stage, synthesized: Synthesized, called: frozenset[str]) -> Iterator[Statement]:
    """Only the stage's roles are made and handed on, to the services that the templates name; only the policies of AWS's that
    the templates name are attached to them; where all have a permissions boundary, they are made with it only."""
    account = stage.account or "*"
    roles = synthesized.of("AWS::IAM::Role")
    if not roles:
        return
    own = tuple(arn for arn in _resources("iam", stage, synthesized) if ":role/" in arn)
    receivers = sorted(
        {text for text in every_text([each["AssumeRolePolicyDocument"] for each in roles]) if text.endswith(".amazonaws.com")}
    )
    yield Statement("HandOnRoles", ["iam:PassRole"], own, {"StringEquals": {"iam:PassedToService": receivers}})
    boundaries = {text_of(each["PermissionsBoundary"]) for each in roles if "PermissionsBoundary" in each}
    bounded = all("PermissionsBoundary" in each for each in roles)
    within = {"ArnLike": {"iam:PermissionsBoundary": sorted(boundaries)}} if bounded else {}
    makes = [each for each in BOUNDED if each not in MANAGES_POLICIES and (bounded or not each.endswith("Boundary"))]
    yield Statement("MakeRoles", makes, own, within)
    managed = synthesized.texts(r"^arn:aws:iam::aws:policy/\S+$")
    if managed:
        named = {"ArnEquals": {"iam:PolicyARN": list(managed)}}
        yield Statement("AttachPolicies", MANAGES_POLICIES, own, {**named, **within})
    if "iam:CreateServiceLinkedRole" in called:
        yield Statement(
            "ServiceLinkedRoles", ["iam:CreateServiceLinkedRole"], [f"arn:aws:iam::{account}:role/aws-service-role/*"]
        )


def _read_at_deployment(stage: Stage, synthesized: Synthesized) -> Iterator[Statement]:
    """The assets, and the parameters that the templates read."""
    account = stage.account or "*"
    yield Statement("ReadAssets", ["s3:GetObject", "s3:GetObjectVersion"], [f"{bucket}/*" for bucket in synthesized.assets])
    if synthesized.parameters:
        arns = [
            # What AWS publishes belongs to no account of the caller's.
            f"arn:aws:ssm:{stage.region}:{'' if name.startswith('/aws/') else account}:parameter/{name.lstrip('/')}"
            for name in synthesized.parameters
        ]
        yield Statement("ReadParameters", ["ssm:GetParameter", "ssm:GetParameters"], arns)
