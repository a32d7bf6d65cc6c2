"""The bucket that the load balancer's access logs go to: one entry a request, kept as many days as the stage says."""

from __future__ import annotations

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.components.acknowledge import acknowledge

# Elastic Load Balancing's own principal, the same in every region; the older policy named an account a region
# (Elastic Load Balancing User Guide, "Enable access logs").
LOG_DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"


class AccessLogs(Construct):
    """Owns `bucket`, which only this account's load balancers may write to. It outlives the stack: logs are evidence.

    Encryption is S3's own, the only one that Elastic Load Balancing can write with.
    """

    def __init__(self, scope: Construct, id: str, *, days: int) -> None:
        super().__init__(scope, id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(expiration=Duration.days(days), abort_incomplete_multipart_upload_after=Duration.days(1))
            ],
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(LOG_DELIVERY)],
                actions=["s3:PutObject"],
                resources=[self.bucket.arn_for_objects(f"AWSLogs/{Aws.ACCOUNT_ID}/*")],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {
                        "aws:SourceArn": Stack.of(self).format_arn(
                            service="elasticloadbalancing", resource="loadbalancer", resource_name="*"
                        )
                    },
                },
            )
        )
        acknowledge(self.bucket, "S1", "It holds logs itself; logs of who reads them would need a bucket of their own.")

    def record(self, load_balancer: elbv2.ApplicationLoadBalancer) -> None:
        """Send the load balancer's access logs here; it is made after the policy, for it writes a test file at once."""
        load_balancer.set_attribute("access_logs.s3.enabled", "true")
        load_balancer.set_attribute("access_logs.s3.bucket", self.bucket.bucket_name)
        assert self.bucket.policy is not None
        load_balancer.node.add_dependency(self.bucket.policy)
