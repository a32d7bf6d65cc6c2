"""Lambda Managed Instances: EC2 instances in the stage's VPC that Lambda launches, fills with environments and scales.

Billed as instances, 15% above their on-demand price, and running day and night: docs/lambda-lane.md says when that is worth it.
"""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from aws_cdk import Annotations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components.acknowledge import acknowledge
from infra.components.network import Network
from infra.config import Stage
from infra.settings.lanes import MANAGED_MB_PER_VCPU

MIN_ENVIRONMENTS = 3
"""One for each of three zones, Lambda's own default; with fewer zones two of them share one."""

LEAST_MAX_VCPUS = 12
"""What Lambda accepts as a capacity provider's limit begins here."""


class ManagedCapacity(Construct):
    """Owns `provider`, its security group, closed to all that comes in, and the role with which Lambda runs the instances.

    A capacity provider is a security boundary: nothing but this stage's function runs on it.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network) -> None:
        super().__init__(scope, id)
        vcpus = stage.lambda_lane.managed_max_environments * math.ceil(stage.lambda_lane.memory_mb / MANAGED_MB_PER_VCPU)
        arm = stage.architecture == "arm64"
        self.provider = lambda_.CapacityProvider(
            self,
            "Provider",
            subnets=network.vpc.select_subnets(subnet_type=ec2.SubnetType.PUBLIC).subnets,
            security_groups=[self._security_group(stage, network)],
            architectures=[lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64],
            max_v_cpu_count=max(vcpus, LEAST_MAX_VCPUS),
            operator_role=self._operator_role(),
        )

    def carry(self, function: lambda_.Function, *, at_once: int) -> None:
        """Have the function's versions run here, so many invocations at once in an environment. `$LATEST` is not published:
        it would keep instances of its own running."""
        self.provider.add_function(
            function,
            per_execution_environment_max_concurrency=at_once,
            execution_environment_memory_gib_per_v_cpu=MANAGED_MB_PER_VCPU // 1024,
            publish_to_latest_published=False,
        )
        Annotations.of(function).acknowledge_info(
            "aws-lambda:Function.CapacityProviderConfiguration", "a function that moves here or away is made anew"
        )

    def _security_group(self, stage: Stage, network: Network) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "Instances", vpc=network.vpc, description="Lambda Managed Instances", allow_all_outbound=False
        )
        suppliers = urlsplit(stage.suppliers_url)
        for port in sorted({443, suppliers.port or (443 if suppliers.scheme == "https" else 80)}):
            group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Suppliers, logs, AWS APIs")
        return group

    def _operator_role(self) -> iam.Role:
        """Trust and policy as "Lambda operator role for Lambda Managed Instances" (Lambda Developer Guide) has them."""
        role = iam.Role(
            self,
            "OperatorRole",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("AWSLambdaManagedEC2ResourceOperator")],
        )
        acknowledge(
            role,
            "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator]",
            "Lambda asks for this policy and keeps it in step with what it does to the instances.",
        )
        return role
