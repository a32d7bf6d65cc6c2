"""The Lambda lane: the function from the bundle, its alias `live`, and the target group that invokes it."""

from __future__ import annotations

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.components.acknowledge import acknowledge
from infra.components.release import Release
from infra.components.secret import reading_policy
from infra.config import Stage

HANDLER = "lambda_handler.handler.handler"
ALIAS = "live"


class LambdaLane(Construct):
    """Owns `function`, `alias` and `target_group`. A deployment publishes a version and points the alias at it."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, release: Release) -> None:
        super().__init__(scope, id)
        log_group = self._log_group(stage.lambda_lane.log_retention_days)
        self.function = self._function(stage, release, log_group)
        self.alias = lambda_.Alias(self, "Alias", alias_name=ALIAS, version=self.function.current_version)
        self.target_group = self._target_group(self._let_load_balancers_invoke())

    def _log_group(self, retention_days: int) -> logs.CfnLogGroup:
        group = logs.CfnLogGroup(self, "Logs", retention_in_days=retention_days)
        group.apply_removal_policy(RemovalPolicy.DESTROY)
        return group

    def _role(self, log_group: logs.CfnLogGroup, secret: str | None) -> iam.Role:
        """May write to the function's own log group, read the stage's secret if it has one, and nothing else."""
        writes_logs = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[log_group.attr_arn],  # ends in `:*`, every stream of this one group
        )
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"logs": iam.PolicyDocument(statements=[writes_logs]), **reading_policy(self, secret)},
        )

    def _function(self, stage: Stage, release: Release, log_group: logs.CfnLogGroup) -> lambda_.Function:
        settings = stage.lambda_lane
        arm = stage.architecture == "arm64"
        function = lambda_.Function(
            self,
            "Function",
            description="Search service, Lambda lane",
            code=lambda_.Code.from_asset(str(release.zip_path)),
            handler=HANDLER,
            runtime=lambda_.Runtime(f"python{stage.python}", lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64,
            memory_size=settings.memory_mb,
            timeout=Duration.seconds(settings.timeout_s),
            reserved_concurrent_executions=settings.reserved_concurrency,
            environment=release.environment("lambda"),
            role=self._role(log_group, release.secret).without_policy_updates(),
            log_group=logs.LogGroup.from_log_group_name(self, "LogsReference", log_group.ref),
            # Old versions stay, so that the alias can be pointed back at one.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        )
        acknowledge(function, "L1", f"The bundle's wheels and bytecode are built for Python {stage.python}.")
        return function

    def _let_load_balancers_invoke(self) -> lambda_.CfnPermission:
        """Only this account's target groups; the group's own ARN cannot be named, as it needs this permission first."""
        return lambda_.CfnPermission(
            self,
            "LoadBalancersInvoke",
            action="lambda:InvokeFunction",
            function_name=self.alias.function_arn,
            principal="elasticloadbalancing.amazonaws.com",
            source_account=Aws.ACCOUNT_ID,
            source_arn=Stack.of(self).format_arn(service="elasticloadbalancing", resource="targetgroup", resource_name="*"),
        )

    def _target_group(self, permission: lambda_.CfnPermission) -> elbv2.CfnTargetGroup:
        """Health checks stay off (each one is a billed invocation); multi-value headers keep repeated headers apart."""
        group = elbv2.CfnTargetGroup(
            self,
            "TargetGroup",
            target_type="lambda",
            targets=[elbv2.CfnTargetGroup.TargetDescriptionProperty(id=self.alias.function_arn)],
            target_group_attributes=[
                elbv2.CfnTargetGroup.TargetGroupAttributeProperty(key="lambda.multi_value_headers.enabled", value="true")
            ],
        )
        group.add_resource_dependency(permission)
        return group
