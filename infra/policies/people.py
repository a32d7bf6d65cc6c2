"""What the people around a stage may do: the deployer, the operator, the finance reader.

The deployer's is read from the synthesized stacks. The operator's holds the API calls of docs/deploy.md, docs/runbooks/
and the kit's own commands (tests compare them); the finance reader's, those that answer what was spent and what things cost.
"""

from __future__ import annotations

from infra.config import Stage
from infra.policies.document import Statement
from infra.policies.templates import Synthesized
from infra.settings.switching import target_of

WEIGHTS = "crossover/{stage}/traffic-weights"


def deployer_statements(synthesized: Synthesized, stage: Stage) -> tuple[Statement, ...]:
    """`cdk deploy` does everything in the roles of `cdk bootstrap`; all it takes of the person is to assume them.
    `crossover deploy` looks besides, before and after: whether the account is bootstrapped, and how the stacks are."""
    return (
        Statement("AssumeBootstrapRoles", ["sts:AssumeRole"], synthesized.assumed),
        Statement("CheckBootstrap", ["ssm:GetParameter"], [_arn(stage, "ssm", "parameter/cdk-bootstrap/*")]),
        Statement("FindStacks", ["cloudformation:DescribeStacks"], ["*"]),  # all of the account's are listed
        Statement("LookAtStacks", ["cloudformation:DescribeStackEvents"], [_stack(stage)]),
    )


def operator_statements(stage: Stage) -> tuple[Statement, ...]:
    """Moving traffic, looking, a session on an instance, rolling back."""
    return (*_moving(stage), *_looking(stage), *_sessions(stage), *_rolling_back(stage))


def finance_statements(stage: Stage, export_bucket: str | None = None) -> tuple[Statement, ...]:
    """Reading the bill, budgets and prices, and what the stage was asked and took (`--traffic cloudwatch:…`, `measure
    --from-cloudwatch`); with `export_bucket`, the exports (CUR, FOCUS) that AWS writes there."""
    statements = [
        Statement(
            "Bill",
            [
                "ce:DescribeCostCategoryDefinition",
                "ce:GetAnomalies",
                "ce:GetCostAndUsage",
                "ce:GetCostAndUsageWithResources",
                "ce:GetCostCategories",
                "ce:GetCostForecast",
                "ce:GetDimensionValues",
                "ce:GetReservationCoverage",
                "ce:GetReservationUtilization",
                "ce:GetSavingsPlansCoverage",
                "ce:GetSavingsPlansUtilization",
                "ce:GetTags",
                "ce:GetUsageForecast",
                "ce:ListCostAllocationTags",
                "ce:ListCostCategoryDefinitions",
                "cur:DescribeReportDefinitions",
            ],
            ["*"],
        ),
        Statement("Budgets", ["budgets:ViewBudget"], [f"arn:aws:budgets::{_account(stage)}:budget/*"]),
        Statement(
            "Prices",
            [
                "ec2:DescribeSpotPriceHistory",
                "pricing:DescribeServices",
                "pricing:GetAttributeValues",
                "pricing:GetPriceListFileUrl",
                "pricing:GetProducts",
                "pricing:ListPriceLists",
                "savingsplans:DescribeSavingsPlansOfferingRates",
            ],
            ["*"],
        ),
        Statement(
            "Exports",
            ["bcm-data-exports:GetExecution", "bcm-data-exports:GetExport", "bcm-data-exports:ListExecutions"],
            [f"arn:aws:bcm-data-exports:us-east-1:{_account(stage)}:export/*"],
        ),
        Statement("FindExports", ["bcm-data-exports:ListExports"], ["*"]),
        Statement("Figures", ["autoscaling:DescribeAutoScalingGroups", "cloudwatch:GetMetricData", "logs:StopQuery"], ["*"]),
        Statement("FindFigures", ["cloudformation:DescribeStacks"], [_stack(stage)]),
        Statement("FunctionFigures", ["lambda:GetFunctionConfiguration"], [_function(stage)]),
        Statement("ReportRecords", ["logs:GetQueryResults", "logs:StartQuery"], _log_groups(stage)),
    ]
    if export_bucket:
        bucket = f"arn:aws:s3:::{export_bucket}"
        statements += [
            Statement("ListExportedFiles", ["s3:GetBucketLocation", "s3:ListBucket"], [bucket]),
            Statement("ReadExportedFiles", ["s3:GetObject"], [f"{bucket}/*"]),
        ]
    return tuple(statements)


def _account(stage: Stage) -> str:
    return stage.account or "*"


def _arn(stage: Stage, service: str, resource: str) -> str:
    return f"arn:aws:{service}:{stage.region}:{_account(stage)}:{resource}"


def _log_groups(stage: Stage) -> list[str]:
    return [_arn(stage, "logs", f"log-group:{name}*") for name in (stage.resource_prefix, f"/crossover/{stage.name}")]


def _group(stage: Stage) -> str:
    return _arn(stage, "autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{stage.resource_prefix}-container-*")


def _function(stage: Stage) -> str:
    return _arn(stage, "lambda", f"function:{stage.resource_prefix}-lambda-*")


def _stack(stage: Stage) -> str:
    return _arn(stage, "cloudformation", f"stack/{stage.resource_prefix}-*/*")


def _of_stage(stage: Stage, key: str = "aws:ResourceTag") -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"{key}/crossover:stage": stage.name}}


def _moving(stage: Stage) -> tuple[Statement, ...]:
    return (
        Statement("Weights", ["ssm:PutParameter"], [_arn(stage, "ssm", f"parameter/{WEIGHTS.format(stage=stage.name)}")]),
        Statement(
            "ReadParameters",
            ["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters", "ssm:GetParametersByPath"],
            [_arn(stage, "ssm", f"parameter/crossover/{stage.name}{end}") for end in ("", "/*")],
        ),
        Statement(
            "Split",
            ["elasticloadbalancing:ModifyRule"],
            [_arn(stage, "elasticloadbalancing", "listener-rule/app/*/*/*/*")],
            _of_stage(stage),
        ),
        Statement(
            "Record",
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
            [_arn(stage, "dynamodb", f"table/{stage.resource_prefix}-foundation-*")],
        ),
        Statement("Quotas", ["servicequotas:GetServiceQuota"], [_arn(stage, "servicequotas", "ec2/*")]),
        *_webhooks(stage),
        *_scheduling(stage),
    )


def _scheduling(stage: Stage) -> tuple[Statement, ...]:
    """Entries of the stage's group that start its switcher, where it has one, and the queue of those that failed."""
    if not stage.switch.scheduled:
        return ()
    entries = _arn(stage, "scheduler", f"schedule/{stage.resource_prefix}/*")
    queue = _arn(stage, "sqs", f"{stage.resource_prefix}-schedule-*")
    starter = f"arn:aws:iam::{_account(stage)}:role/{stage.resource_prefix}-schedule-*"
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
    arns = [name if name.startswith("arn:") else _arn(stage, "secretsmanager", f"secret:{name}-??????") for name in names]
    return (Statement("Webhooks", ["secretsmanager:GetSecretValue"], arns),)


def _looking(stage: Stage) -> tuple[Statement, ...]:
    """What exists, how it is, what it logged. Most of this IAM limits to no resource."""
    logs = _log_groups(stage)
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
            [_arn(stage, "cloudwatch", "alarm:*")],
        ),
        Statement(
            "Dashboards",
            ["cloudwatch:GetDashboard"],
            [f"arn:aws:cloudwatch::{_account(stage)}:dashboard/{stage.resource_prefix}*"],
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
            [_stack(stage)],
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
            [_function(stage)],
        ),
    )


def _sessions(stage: Stage) -> tuple[Statement, ...]:
    """A shell on the stage's instances, and only one's own sessions to end (Systems Manager User Guide)."""
    return (
        Statement("Instances", ["ssm:StartSession"], [_arn(stage, "ec2", "instance/*")], _of_stage(stage, "ssm:resourceTag")),
        Statement("Shell", ["ssm:StartSession"], [_arn(stage, "ssm", "document/SSM-SessionManagerRunShell")]),
        Statement(
            "OwnSessions",
            ["ssm:ResumeSession", "ssm:TerminateSession"],
            [_arn(stage, "ssm", "session/${aws:userid}-*"), _arn(stage, "ssm", "session/${aws:username}-*")],
        ),
        Statement("FindInstances", ["ssm:DescribeInstanceInformation", "ssm:DescribeSessions"], ["*"]),
        Statement("Console", ["ec2:GetConsoleOutput"], [_arn(stage, "ec2", "instance/*")], _of_stage(stage)),
    )


def _rolling_back(stage: Stage) -> tuple[Statement, ...]:
    return (
        Statement("Version", ["lambda:UpdateAlias"], [_function(stage)]),
        Statement(
            "Concurrency",
            ["lambda:DeleteFunctionConcurrency", "lambda:PutFunctionConcurrency"],
            [_function(stage)],
        ),
        Statement(
            "Provisioned",
            [
                "lambda:DeleteProvisionedConcurrencyConfig",
                "lambda:GetProvisionedConcurrencyConfig",
                "lambda:PutProvisionedConcurrencyConfig",
            ],
            [f"{_function(stage)}:*"],  # of the alias
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
            [_group(stage)],
        ),
        Statement(
            "Deployments", ["cloudformation:CancelUpdateStack", "cloudformation:ContinueUpdateRollback"], [_stack(stage)]
        ),
    )
