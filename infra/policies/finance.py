"""What the finance reader may do: ask what was spent, what things cost, and what a stage was asked and took."""

from __future__ import annotations

from infra.config import Stage
from infra.policies.arns import account_of, function_arn, log_groups, stack_arns
from infra.policies.document import Statement


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
        Statement("Budgets", ["budgets:ViewBudget"], [f"arn:aws:budgets::{account_of(stage)}:budget/*"]),
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
            [f"arn:aws:bcm-data-exports:us-east-1:{account_of(stage)}:export/*"],
        ),
        Statement("FindExports", ["bcm-data-exports:ListExports"], ["*"]),
        Statement("Figures", ["autoscaling:DescribeAutoScalingGroups", "cloudwatch:GetMetricData", "logs:StopQuery"], ["*"]),
        Statement("FindFigures", ["cloudformation:DescribeStacks"], [stack_arns(stage)]),
        Statement("FunctionFigures", ["lambda:GetFunctionConfiguration"], [function_arn(stage)]),
        Statement("ReportRecords", ["logs:GetQueryResults", "logs:StartQuery"], log_groups(stage)),
    ]
    if export_bucket:
        bucket = f"arn:aws:s3:::{export_bucket}"
        statements += [
            Statement("ListExportedFiles", ["s3:GetBucketLocation", "s3:ListBucket"], [bucket]),
            Statement("ReadExportedFiles", ["s3:GetObject"], [f"{bucket}/*"]),
        ]
    return tuple(statements)
