"""What GetMetricData makes of the stage's own graphs and alarms, without a server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.lab.aws.cloudwatch.queries import metric_data, metric_of, seconds
from infra.lab.aws.cloudwatch.statistics import Samples
from infra.lab.aws.cloudwatch.store import MetricStore
from infra.overrides import override
from tests.infra.components.watch.test_dashboard import STAGES, dashboard

T0 = 1_800_000_000 // 300 * 300
Query = dict[str, Any]


def queries_of(widget: dict[str, Any]) -> list[Query]:
    """A graph's metrics as GetMetricData would be asked for them; ids are made up where a line has none."""
    found: list[Query] = []
    for number, (*named, options) in enumerate(widget["properties"]["metrics"]):
        id, hidden = options.get("id", f"line{number}"), options.get("visible") is False
        if "expression" in options:
            found.append({"Id": id, "Expression": options["expression"], "ReturnData": not hidden})
            continue
        namespace, name, *pairs = named
        dimensions = [{"Name": key, "Value": value} for key, value in zip(pairs[::2], pairs[1::2], strict=True)]
        metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
        stat = {"Metric": metric, "Period": widget["properties"]["period"], "Stat": options["stat"]}
        found.append({"Id": id, "MetricStat": stat, "ReturnData": not hidden})
    return found


def published(queries: list[Query]) -> MetricStore:
    """Every metric that is read, in one minute."""
    store = MetricStore(lambda: T0 + 600.0)
    for query in queries:
        if "MetricStat" in query:
            samples = Samples()
            samples.add(3.0, 40)
            store.put(metric_of(query["MetricStat"]["Metric"]), T0, samples)
    return store


@pytest.mark.parametrize("name", STAGES)
def test_every_graph_of_the_stage_s_dashboard_can_be_asked_for(name: str) -> None:
    graphs = [widget for widget in dashboard(override(STAGES[name])) if widget["type"] == "metric"]
    assert graphs
    for graph in graphs:
        queries = queries_of(graph)
        request = {
            "MetricDataQueries": queries,
            "StartTime": datetime.fromtimestamp(T0, UTC),
            "EndTime": datetime.fromtimestamp(T0 + graph["properties"]["period"], UTC),
        }
        results = metric_data(published(queries), request)["MetricDataResults"]
        assert [each["Id"] for each in results] == [query["Id"] for query in queries if query["ReturnData"]]
        assert all(len(each["Values"]) == 1 for each in results), graph["properties"]["title"]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
def test_a_time_without_a_zone_is_utc_wherever_the_lab_runs() -> None:
    assert seconds(datetime(2026, 1, 1)) == seconds(datetime(2026, 1, 1, tzinfo=UTC))  # noqa: DTZ001 - as moto has it
