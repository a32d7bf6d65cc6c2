"""The stage's monthly budget in AWS Budgets, over what carries its tag."""

from __future__ import annotations

from aws_cdk import aws_budgets as budgets
from constructs import Construct

from infra.config import Stage

SPENT_PERCENT, FORECAST_PERCENT = 80, 100


class Budget(Construct):
    """Writes to the stage's address when 80% is spent and when AWS foresees 100%. Counts nothing until `crossover:stage` is
    activated as a cost-allocation tag."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, usd: int, email: str) -> None:
        super().__init__(scope, id)
        subscriber = budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=email)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=f"{stage.resource_prefix}-{stage.region}",  # names are the account's, in all regions
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=usd, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:crossover:stage${stage.name}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[subscriber],
                )
                for kind, percent in (("ACTUAL", SPENT_PERCENT), ("FORECASTED", FORECAST_PERCENT))
            ],
        )
