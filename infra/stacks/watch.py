"""The stack that watches the others: the dashboard, the alarms and where they are told, the budget."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Aws, CfnOutput, Fn
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.components.watch import dashboard, metrics
from infra.components.watch.alarms import Alarms
from infra.components.watch.budget import Budget
from infra.components.watch.notices import Notices
from infra.config import Stage
from infra.stacks.stage_stack import StageStack
from infra.stacks.watch_prices import unit_prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the other stacks made, as far as the stage has it: names of the function, the group and the queue, else ARNs."""

    function_name: str | None = None
    lambda_target_group: str | None = None
    group_name: str | None = None
    container_target_group: str | None = None
    load_balancer: str | None = None
    dead_letters: str | None = None

    def places(self) -> metrics.Places:
        """The dimensions of their metrics."""
        found: dict[str, dict[str, str]] = {metrics.service("lambda"): {"lane": "lambda"}}
        if self.function_name is not None:
            found[metrics.FUNCTION] = {"FunctionName": self.function_name}
        if self.group_name is not None:
            found[metrics.GROUP] = {"AutoScalingGroupName": self.group_name}
        if self.dead_letters is not None:
            found[metrics.DEAD_LETTERS] = {"QueueName": self.dead_letters}
        if self.load_balancer is None:
            return found
        balancer = {"LoadBalancer": _after("loadbalancer/", self.load_balancer)}
        found[metrics.BALANCER] = balancer
        if self.lambda_target_group is not None:
            group = {"TargetGroup": _last_part(self.lambda_target_group)}
            found[metrics.LAMBDA_TARGET_GROUP] = group
            found[metrics.targets("lambda")] = {**group, **balancer}
        if self.container_target_group is not None:
            found[metrics.targets("container")] = {"TargetGroup": _last_part(self.container_target_group), **balancer}
        return found


def is_watched(stage: Stage) -> bool:
    """Whether the stage has anything in this stack: a stack without resources cannot be deployed."""
    return stage.watch.dashboard or stage.watch.alarms or stage.watch.monthly_budget_usd is not None


class WatchStack(StageStack):
    def __init__(self, scope: Construct, id: str, *, stage: Stage, watched: Watched) -> None:
        super().__init__(scope, id, stage=stage, about="dashboard, alarms, budget")
        places = watched.places()
        if stage.watch.alarms:
            notices = Notices(self, "Notices", stage=stage)
            Alarms(self, "Alarms", stage=stage, places=places, topic_arn=notices.topic.topic_arn)
            CfnOutput(self, "AlarmsTopic", value=notices.topic.topic_arn)
        if stage.watch.dashboard:
            self._dashboard(stage, places)
        if stage.watch.monthly_budget_usd is not None and stage.watch.email is not None:
            Budget(self, "Budget", stage=stage, usd=stage.watch.monthly_budget_usd, email=stage.watch.email)

    def _dashboard(self, stage: Stage, places: metrics.Places) -> None:
        alarm_arns = f"arn:{Aws.PARTITION}:cloudwatch:{stage.region}:{Aws.ACCOUNT_ID}:alarm:"
        body = dashboard.body(stage, places, unit_prices(stage), alarm_arns)
        made = cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=f"{stage.resource_prefix}-{stage.region}",  # names are the account's, in all regions
            dashboard_body=self.to_json_string(body),
        )
        page = f"https://{stage.region}.console.aws.amazon.com/cloudwatch/home?region={stage.region}#dashboards/dashboard/"
        CfnOutput(self, "DashboardUrl", value=f"{page}{made.ref}")


def _after(mark: str, arn: str) -> str:
    """`app/NAME/ID` of a load balancer's ARN, which is what its metrics know it by."""
    return Fn.select(1, Fn.split(mark, arn))


def _last_part(arn: str) -> str:
    """`targetgroup/NAME/ID` of a target group's ARN."""
    return Fn.select(5, Fn.split(":", arn))
