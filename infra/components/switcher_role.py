"""What a switch does in AWS, as the switcher's permissions: an operator's of docs/operate.md, and nothing else.

Resources go by the names that the stage's stacks give, not by references to those stacks: a stage must be able to lose its
switcher again, and no stack can be changed whose exports another one uses.
"""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.components.acknowledge import acknowledge
from infra.components.traffic_weights import weights_parameter_name
from infra.config import Stage

# These IAM limits to no resource (Service Authorization Reference).
LOOKS = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribePolicies",
    "cloudwatch:GetMetricData",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetHealth",
    "lambda:GetAccountSettings",
)


def switching_statements(scope: Construct, stage: Stage) -> list[iam.PolicyStatement]:
    """Inline, so that they are there before the function is first started."""
    prefix = stage.resource_prefix
    _acknowledge(scope, prefix)

    def arn(service: str, resource: str, name: str, form: ArnFormat = ArnFormat.SLASH_RESOURCE_NAME) -> str:
        return Stack.of(scope).format_arn(
            partition=Aws.PARTITION,  # unresolved, as the rest, so that the findings have one name in all stages
            region=Aws.REGION,
            account=Aws.ACCOUNT_ID,
            service=service,
            resource=resource,
            resource_name=name,
            arn_format=form,
        )

    colon = ArnFormat.COLON_RESOURCE_NAME
    parameter = arn("ssm", "parameter", weights_parameter_name(stage).removeprefix("/"))
    function = arn("lambda", "function", f"{prefix}-lambda-*", colon)
    group = arn("autoscaling", "autoScalingGroup", f"*:autoScalingGroupName/{prefix}-container-*", colon)
    of_stage = {"StringEquals": {"aws:ResourceTag/crossover:stage": stage.name}}
    return [
        iam.PolicyStatement(actions=[*LOOKS], resources=["*"]),
        iam.PolicyStatement(
            actions=["cloudformation:DescribeStacks"], resources=[arn("cloudformation", "stack", f"{prefix}-*")]
        ),
        iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=[arn("cloudwatch", "alarm", "*", colon)]),
        iam.PolicyStatement(actions=["servicequotas:GetServiceQuota"], resources=[arn("servicequotas", "ec2", "*")]),
        iam.PolicyStatement(actions=["ssm:GetParameter", "ssm:PutParameter"], resources=[parameter]),
        iam.PolicyStatement(
            actions=["elasticloadbalancing:ModifyRule"],
            resources=[arn("elasticloadbalancing", "listener-rule", "app/*")],
            conditions=of_stage,
        ),
        iam.PolicyStatement(actions=["autoscaling:UpdateAutoScalingGroup"], resources=[group]),
        iam.PolicyStatement(
            actions=["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
            resources=[arn("dynamodb", "table", f"{prefix}-foundation-*")],
        ),
        iam.PolicyStatement(
            actions=[
                "lambda:DeleteProvisionedConcurrencyConfig",
                "lambda:GetFunctionConcurrency",
                "lambda:GetFunctionConfiguration",
                "lambda:GetProvisionedConcurrencyConfig",
                "lambda:PutProvisionedConcurrencyConfig",
            ],
            resources=[function],
        ),
    ]


def _acknowledge(scope: Construct, prefix: str) -> None:
    here = "<AWS::Region>:<AWS::AccountId>"
    acknowledge(scope, "IAM5[Resource::*]", "Only reading, of what IAM limits to no resource.")
    acknowledge(
        scope,
        f"IAM5[Resource::arn:<AWS::Partition>:cloudformation:{here}:stack/{prefix}-*]",
        "The stage's own stacks, each with an id that AWS makes up.",
    )
    acknowledge(
        scope,
        f"IAM5[Resource::arn:<AWS::Partition>:cloudwatch:{here}:alarm:*]",
        "Reading: the state of the lane's alarm is asked for by name, and IAM takes no condition there.",
    )
    acknowledge(
        scope, f"IAM5[Resource::arn:<AWS::Partition>:servicequotas:{here}:ec2/*]", "Reading: the account's quotas of EC2."
    )
    acknowledge(
        scope,
        f"IAM5[Resource::arn:<AWS::Partition>:elasticloadbalancing:{here}:listener-rule/app/*]",
        "A rule's ARN is all ids; the tag of the stage limits it.",
    )
    acknowledge(
        scope,
        f"IAM5[Resource::arn:<AWS::Partition>:autoscaling:{here}:autoScalingGroup:*:autoScalingGroupName/{prefix}-container-*]",
        "The stage's own group but for what AWS makes up: the UUID, and the suffix that CloudFormation appends.",
    )
    acknowledge(
        scope,
        f"IAM5[Resource::arn:<AWS::Partition>:dynamodb:{here}:table/{prefix}-foundation-*]",
        "The stage's own table but for the suffix that CloudFormation appends.",
    )
    acknowledge(
        scope,
        f"IAM5[Resource::arn:<AWS::Partition>:lambda:{here}:function:{prefix}-lambda-*]",
        "The Lambda lane's own function and its alias but for the suffix that CloudFormation appends.",
    )
