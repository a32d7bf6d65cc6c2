"""The function that makes a stage's scheduled switches, what starts it, and where it is told that a start failed."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import ArnFormat, Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.components.acknowledge import acknowledge
from infra.components.secret import SUFFIX
from infra.components.switcher_role import switching_statements
from infra.config import Stage
from infra.settings.switching import target_of
from infra.switcher_code import HANDLER

TIMEOUT_S = 900
"""The longest that Lambda has. A switch that takes longer is continued by the next tick."""
MEMORY_MB = 256
LETTERS_DAYS = 14
TICK = '{"kind": "tick"}'


class Switcher(Construct):
    """Owns `function`, `group` for the entries that `crossover schedule` makes, `starter`, Scheduler's role, and `letters`, the
    queue that gets what could not be started or failed. One more entry ticks each minute, for switches that take longer than a
    function may. A failed switch is not tried again by AWS: who does that looks first."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, code: Path) -> None:
        super().__init__(scope, id)
        self.letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(LETTERS_DAYS),
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(self.letters, "SQS3", "It is the dead-letter queue itself.")
        self.function = self._function(stage, code)
        lambda_.CfnEventInvokeConfig(
            self,
            "NoRetries",
            function_name=self.function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=0,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.letters.queue_arn)
            ),
        )
        self.group = scheduler.CfnScheduleGroup(self, "Group", name=stage.resource_prefix)
        self.starter = self._starter(stage)
        self._tick()

    def _function(self, stage: Stage, code: Path) -> lambda_.Function:
        log_group = logs.CfnLogGroup(self, "Logs", retention_in_days=stage.lambda_lane.log_retention_days)
        log_group.apply_removal_policy(RemovalPolicy.DESTROY)
        writes_logs = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[log_group.attr_arn],  # ends in `:*`, every stream of this one group
        )
        tells = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.letters.queue_arn])
        documents = {
            "logs": iam.PolicyDocument(statements=[writes_logs, tells]),
            "switch": iam.PolicyDocument(statements=switching_statements(self, stage)),
        }
        secrets = self._webhooks(stage)
        if secrets:
            reads = iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=secrets)
            documents["webhooks"] = iam.PolicyDocument(statements=[reads])
        role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), inline_policies=documents
        ).without_policy_updates()
        arm = stage.architecture == "arm64"
        function = lambda_.Function(
            self,
            "Function",
            description=f"Crossover {stage.name}: makes scheduled switches",
            code=lambda_.Code.from_asset(str(code)),
            handler=HANDLER,
            runtime=lambda_.Runtime(f"python{stage.python}", lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64,
            memory_size=MEMORY_MB,
            timeout=Duration.seconds(TIMEOUT_S),
            environment={"CROSSOVER_STAGE": stage.name},
            role=role,
            log_group=logs.LogGroup.from_log_group_name(self, "LogsReference", log_group.ref),
        )
        acknowledge(function, "L1", f"Its wheel is built for Python {stage.python}, the stage's own.")
        return function

    def _webhooks(self, stage: Stage) -> list[str]:
        """ARNs of the secrets that hold the URLs of gates, hooks and notifications."""
        targets = map(target_of, (*stage.switch.gates, *stage.switch.hooks, *stage.switch.notify))
        names = sorted({target.value for target in targets if target.kind == "secret"})
        return [
            name
            if name.startswith("arn:")
            else Stack.of(self).format_arn(
                service="secretsmanager",
                resource="secret",
                resource_name=f"{name}{SUFFIX}",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for name in names
        ]

    def _starter(self, stage: Stage) -> iam.Role:
        """May start this function and tell this queue, for schedules of this group alone ("Confused deputy prevention",
        EventBridge Scheduler User Guide)."""
        group = Stack.of(self).format_arn(service="scheduler", resource="schedule-group", resource_name=stage.resource_prefix)
        may = [
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self.function.function_arn]),
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.letters.queue_arn]),
        ]
        return iam.Role(
            self,
            "Starter",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": group}},
            ),
            inline_policies={"start": iam.PolicyDocument(statements=may)},
        )

    def _tick(self) -> None:
        """No retries and no letter: the next tick is a minute away. It finds nothing to do unless a switch goes on."""
        scheduler.CfnSchedule(
            self,
            "Tick",
            group_name=self.group.ref,
            schedule_expression="rate(1 minute)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.function.function_arn,
                role_arn=self.starter.role_arn,
                input=TICK,
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=0, maximum_event_age_in_seconds=60
                ),
            ),
        )
