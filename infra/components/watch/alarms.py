"""Makes the alarms of the catalogue: one CloudWatch alarm for each, and one composite alarm for each lane."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.components.watch.alarm import PERIOD_S, Alarm, Share
from infra.components.watch.catalogue import alarms, lane_alarms
from infra.components.watch.metrics import Metric, Places
from infra.config import Stage


class Alarms(Construct):
    """Owns the stage's alarms. Each tells `topic_arn` when it fires and when it is over; a lane's alarm tells nobody, as its
    members do: it is there to be asked."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, places: Places, topic_arn: str) -> None:
        super().__init__(scope, id)
        made = {alarm.key: self._alarm(stage, alarm, places, topic_arn) for alarm in alarms(stage)}
        for lane in lane_alarms(stage):
            whole = cloudwatch.CfnCompositeAlarm(
                self,
                f"Lane-{lane.key}",
                alarm_name=f"{stage.resource_prefix}-{lane.key}",
                alarm_description=_description(stage, lane.key, f"Something is wrong with the {lane.key} lane."),
                alarm_rule=lane.rule(stage.resource_prefix),
            )
            for key in (*lane.members, *(name for pair in lane.unless for name in pair)):
                whole.add_resource_dependency(made[key])  # the rule names them, which CloudFormation cannot see

    def _alarm(self, stage: Stage, alarm: Alarm, places: Places, topic_arn: str) -> cloudwatch.CfnAlarm:
        return cloudwatch.CfnAlarm(
            self,
            alarm.key,
            alarm_name=f"{stage.resource_prefix}-{alarm.key}",
            alarm_description=_description(stage, alarm.key, alarm.means),
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            evaluation_periods=alarm.points[1],
            datapoints_to_alarm=alarm.points[0],
            treat_missing_data=alarm.missing,
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
            **(_share(alarm.reads, places) if isinstance(alarm.reads, Share) else _single(alarm.reads, places)),
        )


def _description(stage: Stage, key: str, means: str) -> str:
    return f"{means} Runbook: {stage.watch.runbooks_url}/{key}.md"


def _dimensions(metric: Metric, places: Places) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
    return [cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value) for name, value in places[metric.of].items()]


def _share(share: Share, places: Places) -> dict[str, Any]:
    percent = cloudwatch.CfnAlarm.MetricDataQueryProperty(id="share", expression=share.expression, label="percent")
    return {"metrics": [_query("part", share.part, places), _query("whole", share.whole, places), percent]}


def _single(metric: Metric, places: Places) -> dict[str, Any]:
    """A percentile is judged only over enough requests: fewer than 1,000 for p99 leave the alarm as it is."""
    percentile = {"extended_statistic": metric.stat, "evaluate_low_sample_count_percentile": "ignore"}
    return {
        "namespace": metric.namespace,
        "metric_name": metric.name,
        "dimensions": _dimensions(metric, places),
        "period": PERIOD_S,
        **(percentile if metric.stat.startswith("p") else {"statistic": metric.stat}),
    }


def _query(id: str, metric: Metric, places: Places) -> cloudwatch.CfnAlarm.MetricDataQueryProperty:
    return cloudwatch.CfnAlarm.MetricDataQueryProperty(
        id=id,
        return_data=False,
        metric_stat=cloudwatch.CfnAlarm.MetricStatProperty(
            metric=cloudwatch.CfnAlarm.MetricProperty(
                namespace=metric.namespace, metric_name=metric.name, dimensions=_dimensions(metric, places)
            ),
            period=PERIOD_S,
            stat=metric.stat,
        ),
    )
