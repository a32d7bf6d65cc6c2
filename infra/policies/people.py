"""What the people around a stage may do: the deployer and the operator (`finance` has the finance reader).

The deployer's is read from the synthesized stacks. The operator's holds the API calls of docs/deploy.md, docs/runbooks/
and the kit's own commands (tests compare them).
"""

from __future__ import annotations

from infra.config import Stage
from infra.policies.arns import account_of, arn, function_arn, group_arn, log_groups, stack_arns, tagged
from infra.policies.document import Statement
from infra.policies.templates import Synthesized
from infra.settings.switching import target_of

WEIGHTS = "crossover/{stage}/traffic-weights"


def deployer_statements(synthesized: Synthesized, stage: Stage) -> tuple[Statement, ...]:
    """`cdk deploy` does everything in the roles of `cdk bootstrap`; all it takes of the person is to assume them.
    `crossover deploy` looks besides, before and after: whether the account is bootstrapped, and how the stacks are."""
    return (
        Statement("AssumeBootstrapRoles", ["sts:AssumeRole"], synthesized.assumed),
        Statement("CheckBootstrap", ["ssm:GetParameter"], [arn(stage, "ssm", "parameter/cdk-bootstrap/*")]),
        Statement("FindStacks", ["cloudformation:DescribeStacks"], ["*"]),  # all of the account's are listed
        Statement("LookAtStacks", ["cloudformation:DescribeStackEvents"], [stack_arns(stage)]),
    )


def operator_statements(stage: Stage) -> tuple[Statement, ...]:
    """Moving traffic, looking, a session on an instance, rolling back."""
    return (*_moving(stage), *_looking(stage), *_sessions(stage), *_rolling_back(stage))


def _moving(stage: Stage) -> tuple[Statement, ...]:
    return (
        Statement("Weights", ["ssm:PutParameter"], [arn(stage, "ssm", f"parameter/{WEIGHTS.format(stage=stage.name)}")]),
        Statement(
            "ReadParameters",
            ["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters", "ssm:GetParametersByPath"],
            [arn(stage, "ssm", f"parameter/crossover/{stage.name}{end}") for end in ("", "/*")],
        ),
        Statement(
            "Split",
            ["elasticloadbalancing:ModifyRule"],
            [arn(stage, "elasticloadbalancing", "listener-rule/app/*/*/*/*")],
            tagged(stage),
        ),
        Statement(
            "Record",
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
            [arn(stage, "dynamodb", f"table/{stage.resource_prefix}-foundation-*")],
        ),
        Statement("Quotas", ["servicequotas:GetServiceQuota"], [arn(stage, "servicequotas", "ec2/*")]),
        *_webhooks(stage),
        *_scheduling(stage),
    )


def _scheduling(stage: Stage) -> tuple[Statement, ...]:
    """Entries of the stage's group that start its switcher, where it has one, and the queue of those that failed."""
    if not stage.switch.scheduled:
        return ()
    entries = arn(stage, "scheduler", f"schedule/{stage.resource_prefix}/*")
    queue = arn(stage, "sqs", f"{stage.resource_prefix}-schedule-*")
    starter = f"arn:aws:iam::{account_of(stage)}:role/{stage.resource_prefix}-schedule-*"
    return (
        Statement(
            "Schedules",
            ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:GetSchedule", "scheduler:UpdateSchedule"],
            [entries],
        ),
        Statement("FindSchedules", ["scheduler:ListSchedules"], ["*"]),
        Statement(
            "StartSwitcher", ["iam:PassRole"], [starter], {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
        ),
        Statement("FailedStarts", ["sqs:PurgeQueue", "sqs:ReceiveMessage"], [queue]),
    )


def _webhooks(stage: Stage) -> tuple[Statement, ...]:
    """The secrets that hold the URLs of gates, hooks and notifications; Secrets Manager ends an ARN with six characters."""
    targets = (*stage.switch.gates, *stage.switch.hooks, *stage.switch.notify)
    names = sorted({target.value for target in map(target_of, targets) if target.kind == "secret"})
    if not names:
        return ()
    arns = [name if name.startswith("arn:") else arn(stage, "secretsmanager", f"secret:{name}-??????") for name in names]
    return (Statement("Webhooks", ["secretsmanager:GetSecretValue"], arns),)


def _looking(stage: Stage) -> tuple[Statement, ...]:
    """What exists, how it is, what it logged. Most of this IAM limits to no resource."""
    logs = log_groups(stage)
    return (
        Statement(
            "Look",
            [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeInstanceRefreshes",
                "autoscaling:DescribeLifecycleHooks",
                "autoscaling:DescribePolicies",
                "autoscaling:DescribeScalingActivities",
                "autoscaling:DescribeScheduledActions",
                "cloudwatch:GetMetricData",
                "cloudwatch:GetMetricStatistics",
                "cloudwatch:ListMetrics",
                "ec2:DescribeInstanceStatus",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeInstances",
                "ec2:DescribeSpotInstanceRequests",
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeLoadBalancers",
                "elasticloadbalancing:DescribeRules",
                "elasticloadbalancing:DescribeTags",
                "elasticloadbalancing:DescribeTargetGroupAttributes",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
                "lambda:GetAccountSettings",
                "logs:DescribeLogGroups",
                "logs:StopQuery",
            ],
            ["*"],
        ),
        Statement(
            "Alarms",
            ["cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms"],
            [arn(stage, "cloudwatch", "alarm:*")],
        ),
        Statement(
            "Dashboards",
            ["cloudwatch:GetDashboard"],
            [f"arn:aws:cloudwatch::{account_of(stage)}:dashboard/{stage.resource_prefix}*"],
        ),
        Statement(
            "Logs",
            [
                "logs:DescribeLogStreams",
                "logs:FilterLogEvents",
                "logs:GetQueryResults",
                "logs:StartQuery",
            ],
            logs,
        ),
        Statement("LogStreams", ["logs:GetLogEvents"], [f"{group}:log-stream:*" for group in logs]),
        Statement(
            "Stacks",
            [
                "cloudformation:DescribeStackEvents",
                "cloudformation:DescribeStackResources",
                "cloudformation:DescribeStacks",
                "cloudformation:GetTemplate",
                "cloudformation:ListStackResources",
            ],
            [stack_arns(stage)],
        ),
        Statement(
            "Function",
            [
                "lambda:GetAlias",
                "lambda:GetFunction",
                "lambda:GetFunctionConcurrency",
                "lambda:GetFunctionConfiguration",
                "lambda:GetPolicy",
                "lambda:ListAliases",
                "lambda:ListVersionsByFunction",
            ],
            [function_arn(stage)],
        ),
    )


def _sessions(stage: Stage) -> tuple[Statement, ...]:
    """A shell on the stage's instances, and only one's own sessions to end (Systems Manager User Guide)."""
    return (
        Statement("Instances", ["ssm:StartSession"], [arn(stage, "ec2", "instance/*")], tagged(stage, "ssm:resourceTag")),
        Statement("Shell", ["ssm:StartSession"], [arn(stage, "ssm", "document/SSM-SessionManagerRunShell")]),
        Statement(
            "OwnSessions",
            ["ssm:ResumeSession", "ssm:TerminateSession"],
            [arn(stage, "ssm", "session/${aws:userid}-*"), arn(stage, "ssm", "session/${aws:username}-*")],
        ),
        Statement("FindInstances", ["ssm:DescribeInstanceInformation", "ssm:DescribeSessions"], ["*"]),
        Statement("Console", ["ec2:GetConsoleOutput"], [arn(stage, "ec2", "instance/*")], tagged(stage)),
    )


def _rolling_back(stage: Stage) -> tuple[Statement, ...]:
    return (
        Statement("Version", ["lambda:UpdateAlias"], [function_arn(stage)]),
        Statement(
            "Concurrency",
            ["lambda:DeleteFunctionConcurrency", "lambda:PutFunctionConcurrency"],
            [function_arn(stage)],
        ),
        Statement(
            "Provisioned",
            [
                "lambda:DeleteProvisionedConcurrencyConfig",
                "lambda:GetProvisionedConcurrencyConfig",
                "lambda:PutProvisionedConcurrencyConfig",
            ],
            [f"{function_arn(stage)}:*"],  # of the alias
        ),
        Statement(
            "Fleet",
            [
                "autoscaling:CancelInstanceRefresh",
                "autoscaling:ResumeProcesses",
                "autoscaling:RollbackInstanceRefresh",
                "autoscaling:SetDesiredCapacity",
                "autoscaling:SetInstanceHealth",
                "autoscaling:StartInstanceRefresh",
                "autoscaling:SuspendProcesses",
                "autoscaling:TerminateInstanceInAutoScalingGroup",
                "autoscaling:UpdateAutoScalingGroup",
            ],
            [group_arn(stage)],
        ),
        Statement(
            "Deployments", ["cloudformation:CancelUpdateStack", "cloudformation:ContinueUpdateRollback"], [stack_arns(stage)]
        ),
    )
