"""The Lambda lane: the function from the bundle, its alias `live`, and what leads requests to it."""

from __future__ import annotations

from aws_cdk import Annotations, Duration, RemovalPolicy, Size
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import config
from infra.components.acknowledge import acknowledge
from infra.components.lambda_front import function_url, http_api, load_balancer_target
from infra.components.managed_capacity import MIN_ENVIRONMENTS, ManagedCapacity
from infra.components.network import Network
from infra.components.release import Release
from infra.components.secret import reading_policy
from infra.config import Stage
from infra.settings.lanes import LAMBDA_DISK_MB

HANDLER = "lambda_handler.handler.handler"
ALIAS = "live"


# What Lambda's managed Python runtime starts in place of its own runtime client (docs/lambda-lane.md).
ASYNCIO_CLIENT = "/var/task/lambda_handler/start"


class LambdaLane(Construct):
    """Owns `function`, `alias` and one front. A deployment publishes a version and points the alias at it.

    Of `target_group` and `url` one is there: the load balancer's target group, or the URL of a function URL or an HTTP API.
    `network` is needed for Lambda Managed Instances only.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, release: Release, network: Network | None = None) -> None:
        super().__init__(scope, id)
        log_group = self._log_group(stage.lambda_lane.log_retention_days)
        self.function = self._function(stage, release, log_group)
        at_once = stage.lambda_lane.managed_concurrency
        if at_once is not None:
            assert network is not None, "managed instances stand in the stage's network"
            ManagedCapacity(self, "Capacity", stage=stage, network=network).carry(self.function, at_once=at_once)
        self.alias = lambda_.Alias(
            self,
            "Alias",
            alias_name=ALIAS,
            version=self.function.current_version,
            provisioned_concurrent_executions=stage.lambda_lane.provisioned_concurrency,
        )
        self.target_group: elbv2.CfnTargetGroup | None = None
        self.url: str | None = None
        match stage.lambda_lane.front:
            case "function_url":
                self.url = function_url(self, self.alias, auth=stage.lambda_lane.function_url_auth)
            case "http_api":
                self.url = http_api(self, self.alias, stage=stage)
            case _:
                self.target_group = load_balancer_target(self, self.alias)

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
            # A function cannot leave its capacity provider, nor join one later: another id makes it another function.
            "Function" if settings.managed_concurrency is None else "ManagedFunction",
            description="Search service, Lambda lane",
            code=lambda_.Code.from_asset(str(release.zip_path)),
            handler=HANDLER,
            runtime=lambda_.Runtime(f"python{stage.python}", lambda_.RuntimeFamily.PYTHON, supports_snap_start=True),
            architecture=lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64,
            memory_size=settings.memory_mb,
            ephemeral_storage_size=_disk(settings),
            timeout=Duration.seconds(settings.timeout_s),
            reserved_concurrent_executions=settings.reserved_concurrency,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if settings.snap_start else None,
            environment=_environment(release, settings),
            role=self._role(log_group, release.secret).without_policy_updates(),
            log_group=logs.LogGroup.from_log_group_name(self, "LogsReference", log_group.ref),
            logging_format=lambda_.LoggingFormat.JSON,
            # What has no level, as the service's embedded metrics, counts as INFO and must get through.
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.INFO,
            current_version_options=_versions(settings),
        )
        if settings.snap_start:
            Annotations.of(function).acknowledge_warning("@aws-cdk/aws-lambda:snapStartRequirePublish", "the alias needs one")
        acknowledge(function, "L1", f"The bundle's wheels and bytecode are built for Python {stage.python}.")
        return function


def _disk(settings: config.LambdaLane) -> Size | None:
    included, _ = LAMBDA_DISK_MB
    return None if settings.ephemeral_mb == included else Size.mebibytes(settings.ephemeral_mb)


def _environment(release: Release, settings: config.LambdaLane) -> dict[str, str]:
    client = {"AWS_LAMBDA_EXEC_WRAPPER": ASYNCIO_CLIENT} if settings.runtime_client == "asyncio" else {}
    return release.environment("lambda") | client


def _versions(settings: config.LambdaLane) -> lambda_.VersionOptions:
    """Old versions stay, so that the alias can be pointed back at one, where they cost nothing: with SnapStart each is billed
    for its snapshot, and on managed instances each keeps some running."""
    if settings.managed_concurrency is None:
        kept = RemovalPolicy.DESTROY if settings.snap_start else RemovalPolicy.RETAIN
        return lambda_.VersionOptions(removal_policy=kept)
    return lambda_.VersionOptions(
        removal_policy=RemovalPolicy.DESTROY,
        min_execution_environments=MIN_ENVIRONMENTS,
        max_execution_environments=settings.managed_max_environments,
    )
