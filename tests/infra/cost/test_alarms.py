"""Alarms are counted as CloudWatch bills them, turned off where the stage says so."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from infra.config import Stage, Watch
from infra.cost.alarms import lane_alarm_lines, shared_alarm_lines
from infra.cost.lines.line import LineItem
from infra.cost.prices.book import PriceBook


def counts(lines: list[LineItem]) -> dict[str, Decimal]:
    return {line.name.removeprefix("CloudWatch "): line.quantity for line in lines}


def test_a_share_of_two_metrics_is_two_alarms(book: PriceBook, stage: Stage) -> None:
    """Lambda: errors 2, throttles 1, p99 1, 502 2, 5xx 2. The load balancer: 502 2, 503 1, 504 2."""
    assert counts(lane_alarm_lines(book, stage, "lambda")) == {"alarms, lambda lane": 8, "composite alarm, lambda lane": 1}
    assert counts(shared_alarm_lines(book, stage)) == {"alarms, load balancer": 5}


def test_scaling_has_alarms_where_the_stage_has_its_own_turned_off(book: PriceBook, stage: Stage) -> None:
    silent = replace(stage, watch=Watch(alarms=False))
    assert lane_alarm_lines(book, silent, "lambda") == []
    assert shared_alarm_lines(book, silent) == []
    assert counts(lane_alarm_lines(book, silent, "container")) == {"alarms, container lane": 5}
    fixed = replace(silent, container_lane=replace(silent.container_lane, max_instances=silent.container_lane.min_instances))
    assert counts(lane_alarm_lines(book, fixed, "container")) == {"alarms, container lane": 1}
