"""Where alarms are told: one SNS topic under a key of its own, and the stage's address as its subscriber."""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.config import Stage


class Notices(Construct):
    """Owns `topic`, to which only this account's alarms of this region may publish, and only over TLS.

    The key is the stage's own because CloudWatch cannot use the AWS managed one (`alias/aws/sns`): its policy, which nobody can
    change, does not let alarms in (AWS re:Post, "How do I configure a CloudWatch alarm with an encrypted SNS topic?").
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id)
        alarms = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        key = kms.Key(
            self,
            "Key",
            description=f"Crossover {stage.name}: notices of alarms",
            enable_key_rotation=True,
            pending_window=Duration.days(7),
            removal_policy=RemovalPolicy.DESTROY,  # nothing is kept under it: messages pass through
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey*"], resources=["*"], principals=[alarms])
        )
        self.topic = sns.Topic(self, "Topic", topic_name=f"{stage.resource_prefix}-alarms", master_key=key, enforce_ssl=True)
        its_alarms = Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{stage.resource_prefix}-*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                principals=[alarms],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": its_alarms},
                },
            )
        )
        if stage.watch.email is not None:
            sns.CfnSubscription(self, "Email", topic_arn=self.topic.topic_arn, protocol="email", endpoint=stage.watch.email)
