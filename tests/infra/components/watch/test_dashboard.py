"""The dashboard is laid out without gaps, reads metrics that exist, and says what is unknown."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra.components.watch import metrics
from infra.components.watch.catalogue import alarms, lane_alarms
from infra.components.watch.dashboard import body
from infra.config import Stage
from infra.overrides import override
from infra.stacks.watch_prices import unit_prices
from tests.infra.components.watch.documented import is_documented

BALANCER, GROUP = {"LoadBalancer": "app/x/1"}, {"TargetGroup": "targetgroup/x/1"}
PLACES: metrics.Places = {
    metrics.BALANCER: BALANCER,
    metrics.GROUP: {"AutoScalingGroupName": "group"},
    metrics.FUNCTION: {"FunctionName": "function"},
    metrics.LAMBDA_TARGET_GROUP: GROUP,
    metrics.targets("lambda"): {**GROUP, **BALANCER},
    metrics.targets("container"): {**GROUP, **BALANCER},
    metrics.service("lambda"): {"lane": "lambda"},
}
STAGES = {
    "both": {},
    "all that can be told": {
        "search.emf_s": "60",
        "lambda_lane.provisioned_concurrency": "5",
        "lambda_lane.reserved_concurrency": "40",
    },
    "lambda": {"lanes": "lambda"},
    "function url": {"lanes": "lambda", "lambda_lane.front": "function_url"},
    "container": {"lanes": "container"},
    "no prices": {"region": "eu-west-1"},
    "no alarms": {"watch.alarms": "false"},
}


def dashboard(stage: Stage) -> list[dict[str, Any]]:
    places = {key: value for key, value in PLACES.items() if key in deployed(stage)}
    widgets: list[dict[str, Any]] = body(stage, places, unit_prices(stage), "arn:aws:cloudwatch:r:1:alarm:")["widgets"]
    return widgets


def deployed(stage: Stage) -> set[str]:
    """What a stage has; the dashboard must read nothing else."""
    found = {metrics.FUNCTION, metrics.service("lambda")} if "lambda" in stage.lanes else set()
    if "container" in stage.lanes:
        found.add(metrics.GROUP)
    if stage.has_load_balancer:
        found |= {metrics.BALANCER, *(metrics.targets(lane) for lane in stage.lanes)}
        found |= {metrics.LAMBDA_TARGET_GROUP} if "lambda" in stage.lanes else set()
    return found


def graphs(stage: Stage) -> dict[str, list[list[Any]]]:
    return {w["properties"]["title"]: w["properties"]["metrics"] for w in dashboard(stage) if w["type"] == "metric"}


def texts(stage: Stage) -> str:
    return "\n".join(w["properties"]["markdown"] for w in dashboard(stage) if w["type"] == "text")


@pytest.fixture(params=[*STAGES.values()], ids=[*STAGES])
def stage(request: pytest.FixtureRequest) -> Stage:
    return override(request.param)


def test_widgets_cover_the_width_without_overlap(stage: Stage) -> None:
    taken: set[tuple[int, int]] = set()
    widgets = dashboard(stage)
    for widget in widgets:
        columns = range(widget["x"], widget["x"] + widget["width"])
        cells = {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}
        assert not taken & cells
        taken |= cells
    bottom = max(widget["y"] + widget["height"] for widget in widgets)
    assert taken == {(x, y) for x in range(24) for y in range(bottom)}


def test_every_metric_is_documented_with_its_dimensions(stage: Stage) -> None:
    read = [series for lines in graphs(stage).values() for series in lines if isinstance(series[0], str)]
    assert read
    for namespace, name, *dimensions, options in read:
        assert is_documented(namespace, name, dimensions[::2]), (namespace, name, dimensions)
        assert re.fullmatch(r"Sum|Average|Minimum|Maximum|p\d\d", options["stat"])


def test_formulas_read_what_their_graph_has(stage: Stage) -> None:
    for title, lines in graphs(stage).items():
        ids = [series[-1]["id"] for series in lines if "id" in series[-1]]
        assert len(set(ids)) == len(ids), title
        for series in lines:
            names = re.findall(r"\b[a-z]_\w+", series[0]["expression"]) if isinstance(series[0], dict) else []
            assert set(names) <= set(ids), title
        assert any(series[-1].get("visible", True) for series in lines), title


def test_each_question_is_answered_for_both_lanes_side_by_side() -> None:
    rows: dict[int, list[str]] = {}
    for widget in dashboard(override({"search.emf_s": "60"})):
        rows.setdefault(widget["y"], []).append(widget["properties"].get("title", ""))
    pairs = [row for row in rows.values() if row[0].startswith("Lambda lane: ")]
    for left, right in pairs:
        assert left.removeprefix("Lambda lane: ") == right.removeprefix("Container lane: ")
    assert [row[0].removeprefix("Lambda lane: ") for row in pairs] == [
        "requests a second",
        "response time",
        "failures a minute",
        "cost per hour",
        "event-loop lag",
        "concurrency",
        "suppliers",
    ]


def test_a_lane_alone_has_the_whole_width(stage: Stage) -> None:
    if len(stage.lanes) == 1:
        other = {"lambda": "Container lane", "container": "Lambda lane"}[stage.lanes[0]]
        assert not [title for title in graphs(stage) if title.startswith(other)]
        assert {w["width"] for w in dashboard(stage) if "lane:" in str(w["properties"].get("title"))} == {24}


def test_alarms_are_listed_lanes_first_or_not_at_all(stage: Stage) -> None:
    listed = [w["properties"]["alarms"] for w in dashboard(stage) if w["type"] == "alarm"]
    keys = [*(lane.key for lane in lane_alarms(stage)), *(alarm.key for alarm in alarms(stage))]
    expected = [f"arn:aws:cloudwatch:r:1:alarm:{stage.resource_prefix}-{key}" for key in keys]
    assert listed == ([expected] if expected else [])


def test_cost_is_in_dollars_where_prices_are_known_and_unknown_elsewhere() -> None:
    assert {"Lambda lane: cost per hour", "Container lane: cost per hour", "Load balancer: cost per hour"} <= set(
        graphs(Stage())
    )
    assert "Lambda GB-second $0.0000133334 (2026-09-19" in texts(Stage())
    abroad = override(STAGES["no prices"])
    assert not [title for title in graphs(abroad) if "cost" in title]
    for what in ("Lambda lane", "Container lane", "Load balancer"):
        assert f"**{what}: cost per hour: unknown**\n\nno price book for region 'eu-west-1'" in texts(abroad)


def test_managed_instances_cost_what_cloudwatch_does_not_know() -> None:
    managed = override(
        {"lambda_lane.managed_concurrency": "16", "lambda_lane.runtime_client": "asyncio", "lambda_lane.memory_mb": "2048"}
    )
    assert "Lambda lane: cost per hour" not in graphs(managed)
    assert "**Lambda lane: cost per hour: unknown**" in texts(managed)


def test_what_the_service_does_not_tell_is_said_to_be_not_measured() -> None:
    assert "**Lambda lane: event-loop lag: not measured**" in texts(Stage())
    told = override({"search.emf_s": "60"})
    assert "not measured" not in texts(told)
    lag = graphs(told)["Lambda lane: event-loop lag"]
    assert [series[1:4] for series in lag] == [["loop_lag_p99", "lane", "lambda"]]


def test_suppliers_are_told_by_the_service_on_lambda_and_by_the_agent_on_instances() -> None:
    found = graphs(override(STAGES["all that can be told"]))
    names = [{series[1] for series in found[f"{lane} lane: suppliers"] if len(series) > 1} for lane in ("Lambda", "Container")]
    assert names == [{"supplier_calls", "supplier_failures"}, {"SuppliersHeldBack"}]


def test_response_times_of_both_lanes_are_in_milliseconds() -> None:
    behind = graphs(Stage())["Lambda lane: response time"]
    assert [series[0]["expression"] for series in behind if isinstance(series[0], dict)] == ["m_p50 * 1000", "m_p99 * 1000"]
    alone = graphs(override(STAGES["function url"]))["Lambda lane: response time"]
    assert [series[0]["expression"] for series in alone if isinstance(series[0], dict)] == ["m_p50 * 1", "m_p99 * 1"]
