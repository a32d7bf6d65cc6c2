"""The alarms that the cost model prices are those of the templates."""

from __future__ import annotations

from typing import Any

from infra.cost.alarms import lane_alarm_lines, scaling_policies, shared_alarm_lines
from infra.cost.prices.file import load_price_book
from tests.infra.stacks.conftest import Assembly


def test_alarms_are_those_of_the_templates(default: Assembly) -> None:
    """Scaling's own alarms are in no template: two stand for each policy that is."""
    stage, book = default.stage, load_price_book("us-east-1")
    read = 0
    for stack in ("container", "watch"):
        for alarm in default.all(stack, "AWS::CloudWatch::Alarm").values():
            read += _metrics(alarm["Properties"])
    policies = len(default.all("container", "AWS::AutoScaling::ScalingPolicy"))
    composite = len(default.all("watch", "AWS::CloudWatch::CompositeAlarm"))
    lines = [line for lane in stage.lanes for line in lane_alarm_lines(book, stage, lane)] + shared_alarm_lines(book, stage)
    assert policies == scaling_policies(stage)
    assert sum(line.quantity for line in lines if line.dimension == "standard_alarm") == read + 2 * policies
    assert sum(line.quantity for line in lines if line.dimension == "composite_alarm") == composite


def _metrics(alarm: dict[str, Any]) -> int:
    return sum("MetricStat" in query for query in alarm["Metrics"]) if "Metrics" in alarm else 1
