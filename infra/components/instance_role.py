"""What an instance of the container lane may do: read its bundle and its secrets, tell of itself, and nothing else."""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infra.components.acknowledge import acknowledge
from infra.components.cache import Cache
from infra.components.secret import reading_policy

# In which the agent of the bundle publishes, and AWS's own agent where it is installed; scaling and alarms read it.
METRICS_NAMESPACE = "Crossover"
# "Create an IAM role with minimal Session Manager permissions" (Systems Manager User Guide). AWS's managed policy for it also
# reads every Systems Manager parameter of the account.
SESSION_MANAGER = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)


class InstanceRole(Construct):
    """Owns `role`. Every policy is inline: it is there before the first instance starts, which needs it to finish booting.

    `group_logical_id` stands for the autoscaling group, which is created after the role. CloudFormation names a group
    `<stack>-<logical id>-<suffix>`, so its name but for the suffix is known without it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bundle: s3_assets.Asset,
        secret: str | None,
        cache: Cache | None,
        target_group: elbv2.CfnTargetGroup,
        group_logical_id: str,
    ) -> None:
        super().__init__(scope, id)
        statements = {
            "boot": [
                iam.PolicyStatement(actions=["s3:GetObject"], resources=[bundle.bucket.arn_for_objects(bundle.s3_object_key)]),
                iam.PolicyStatement(actions=["cloudformation:SignalResource"], resources=[Aws.STACK_ID]),
            ],
            "lifecycle": [self._lifecycle(group_logical_id), self._leaving(target_group)],
            "telemetry": [self._metrics()],
            "session": [iam.PolicyStatement(actions=[*SESSION_MANAGER], resources=["*"])],
        }
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            inline_policies={
                **{name: iam.PolicyDocument(statements=found) for name, found in statements.items()},
                **reading_policy(self, secret),
                **(cache.reading_policy() if cache else {}),
            },
        )

    def _lifecycle(self, group_logical_id: str) -> iam.PolicyStatement:
        group = Stack.of(self).format_arn(
            partition=Aws.PARTITION,  # unresolved, as the region, so that the finding has one name in all of them
            region=Aws.REGION,
            service="autoscaling",
            resource="autoScalingGroup",
            resource_name=f"*:autoScalingGroupName/{Aws.STACK_NAME}-{group_logical_id}-*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        acknowledge(
            self,
            "IAM5[Resource::arn:<AWS::Partition>:autoscaling:<AWS::Region>:<AWS::AccountId>:autoScalingGroup:*"
            f":autoScalingGroupName/<AWS::StackName>-{group_logical_id}-*]",
            "The group's own name but for what AWS makes up: the UUID, and the suffix that CloudFormation appends.",
        )
        return iam.PolicyStatement(actions=["autoscaling:CompleteLifecycleAction"], resources=[group])

    def _leaving(self, target_group: elbv2.CfnTargetGroup) -> iam.PolicyStatement:
        """A spot instance leaves the target group by itself; nothing else does it in the two minutes of a notice."""
        return iam.PolicyStatement(actions=["elasticloadbalancing:DeregisterTargets"], resources=[target_group.ref])

    def _metrics(self) -> iam.PolicyStatement:
        acknowledge(
            self,
            "IAM5[Resource::*]",
            "PutMetricData, limited to this kit's namespace by a condition, and Session Manager's channels know no resources.",
        )
        return iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": METRICS_NAMESPACE}},
        )
