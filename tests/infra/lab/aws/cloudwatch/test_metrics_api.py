"""CloudWatch's metrics over boto3: what is published is what can be asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.fast_lab import FastLab

pytestmark = pytest.mark.slow


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def dimensions(pairs: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in pairs.items()]


class Publisher:
    """Publishes under a namespace of its own, some whole minutes ago."""

    def __init__(self, lab: FastLab) -> None:
        self.client = lab.client("cloudwatch")
        self.namespace = f"Test/{uuid4()}"
        self.start = lab.minute() - 3600

    def publish(self, name: str, minute: int, of: Mapping[str, str] | None = None, **what: Any) -> None:
        datum = {"MetricName": name, "Dimensions": dimensions(of or {}), "Timestamp": moment(self.start + 60 * minute), **what}
        self.client.put_metric_data(Namespace=self.namespace, MetricData=[datum])

    def stat(self, id: str, name: str, stat: str, of: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
        metric = {"Namespace": self.namespace, "MetricName": name, "Dimensions": dimensions(of or {})}
        return {"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}, **more}

    def ask(self, *queries: dict[str, Any], minutes: int = 5, **more: Any) -> dict[str, list[tuple[int, float]]]:
        """Minutes after the start and values by id, as they come."""
        answer = self.data(queries, minutes, **more)
        return {each["Id"]: self.points(each) for each in answer["MetricDataResults"]}

    def data(self, queries: Sequence[dict[str, Any]], minutes: int = 5, **more: Any) -> dict[str, Any]:
        window = {"StartTime": moment(self.start), "EndTime": moment(self.start + 60 * minutes)}
        answer: dict[str, Any] = self.client.get_metric_data(MetricDataQueries=list(queries), **window, **more)
        return answer

    def points(self, result: Mapping[str, Any]) -> list[tuple[int, float]]:
        minutes = [round(each.timestamp() - self.start) // 60 for each in result["Timestamps"]]
        return list(zip(minutes, result["Values"], strict=True))


@pytest.fixture
def publisher(fast_lab: FastLab) -> Publisher:
    return Publisher(fast_lab)


def test_values_and_counts_have_percentiles_newest_first(publisher: Publisher) -> None:
    publisher.publish("Time", 0, Values=[0.1, 0.4, 2.0], Counts=[98, 1, 1])
    publisher.publish("Time", 1, Values=[0.2, 0.3])
    publisher.publish("Time", 1, Value=0.9)
    asked = {"p50": "p50", "p99": "p99", "most": "p99.9", "sum": "Sum", "count": "SampleCount"}
    told = publisher.ask(*(publisher.stat(id, "Time", stat) for id, stat in asked.items()))
    assert told["p50"] == [(1, 0.3), (0, 0.1)]
    assert told["p99"] == [(1, 0.9), (0, 0.4)]
    assert told["most"] == [(1, 0.9), (0, 2.0)]
    assert told["count"] == [(1, 3), (0, 100)]
    assert [minute for minute, _ in told["sum"]] == [1, 0]
    assert [value for _, value in told["sum"]] == pytest.approx([1.4, 12.2])


def test_the_start_is_in_the_end_is_not_and_other_dimensions_are_others(publisher: Publisher) -> None:
    lane, wider = {"Lane": "lambda", "Group": "g"}, {"Group": "g"}
    for minute in (0, 2, 5):
        publisher.publish("Count", minute, lane, Value=minute + 1)
    told = publisher.ask(
        publisher.stat("lane", "Count", "Sum", dict(reversed(lane.items()))), publisher.stat("group", "Count", "Sum", wider)
    )
    assert told == {"lane": [(2, 3), (0, 1)], "group": []}
    assert publisher.ask(publisher.stat("up", "Count", "Sum", lane), ScanBy="TimestampAscending") == {"up": [(0, 1), (2, 3)]}


def test_metric_math_over_queries_that_are_not_returned(publisher: Publisher) -> None:
    publisher.publish("Errors", 1, Value=3)
    for minute, requests in enumerate((50, 60, 5)):
        publisher.publish("Requests", minute, Value=requests)
    told = publisher.ask(
        publisher.stat("part", "Errors", "Sum", ReturnData=False),
        publisher.stat("whole", "Requests", "Sum", ReturnData=False),
        {"Id": "share", "Expression": "IF(whole >= 10, 100 * part / whole, 0)", "Label": "percent"},
        {"Id": "rate", "Expression": "FILL(whole, 0) / PERIOD(whole)"},
        minutes=4,
    )
    assert told == {"share": [(2, 0), (1, 5), (0, 0)], "rate": [(3, 0), (2, 5 / 60), (1, 1), (0, 50 / 60)]}


def test_pages_hold_as_many_points_as_are_asked_for_and_lose_none(publisher: Publisher) -> None:
    for minute in range(5):
        publisher.publish("A", minute, Value=minute)
        publisher.publish("B", minute, Value=10 * minute)
    queries = [publisher.stat("a", "A", "Sum"), publisher.stat("b", "B", "Sum")]
    got: dict[str, list[tuple[int, float]]] = {"a": [], "b": []}
    statuses: list[tuple[str, str]] = []
    token: dict[str, Any] = {}
    pages = 0
    while True:
        answer = publisher.data(queries, MaxDatapoints=4, **token)
        pages += 1
        for each in answer["MetricDataResults"]:
            got[each["Id"]] += publisher.points(each)
            statuses.append((each["Id"], each["StatusCode"]))
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert pages == 3
    assert got == publisher.ask(*queries)
    assert statuses == [("a", "PartialData"), ("a", "Complete"), ("b", "PartialData"), ("b", "Complete")]


def test_get_metric_statistics_with_percentiles(publisher: Publisher) -> None:
    publisher.publish("Time", 0, Values=[1, 2, 3], Counts=[1, 1, 2], Unit="Seconds")
    publisher.publish("Time", 4, StatisticValues={"SampleCount": 2, "Sum": 10, "Minimum": 4, "Maximum": 6}, Unit="Seconds")
    answer = publisher.client.get_metric_statistics(
        Namespace=publisher.namespace,
        MetricName="Time",
        StartTime=moment(publisher.start),
        EndTime=moment(publisher.start + 300),
        Period=60,
        Statistics=["Average", "Maximum"],
        ExtendedStatistics=["p50"],
    )
    first, last = answer["Datapoints"]
    assert (first["Timestamp"], first["Unit"]) == (moment(publisher.start), "Seconds")
    assert (first["Average"], first["Maximum"], first["ExtendedStatistics"]) == (2.25, 3, {"p50": 2})
    assert (last["Average"], last["Maximum"], "ExtendedStatistics" in last) == (5, 6, False)


def test_what_has_been_published_is_listed_by_page_and_by_dimension(publisher: Publisher) -> None:
    for lane in ("lambda", "container"):
        publisher.publish("Count", 0, {"Lane": lane}, Value=1)
    data = [{"MetricName": f"N{number:03}", "Value": 1} for number in range(510)]
    for part in (data[:300], data[300:]):
        publisher.client.put_metric_data(Namespace=publisher.namespace, MetricData=part)
    pages = list(publisher.client.get_paginator("list_metrics").paginate(Namespace=publisher.namespace))
    assert [len(page["Metrics"]) for page in pages] == [500, 12]
    (found,) = publisher.client.list_metrics(
        Namespace=publisher.namespace, MetricName="Count", Dimensions=[{"Name": "Lane", "Value": "lambda"}]
    )["Metrics"]
    assert found["Dimensions"] == [{"Name": "Lane", "Value": "lambda"}]
    assert len(publisher.client.list_metrics(Namespace=publisher.namespace, Dimensions=[{"Name": "Lane"}])["Metrics"]) == 2


def test_without_a_time_a_data_point_is_of_now_in_the_lab(fast_lab: FastLab, publisher: Publisher) -> None:
    before = fast_lab.minute()
    publisher.client.put_metric_data(Namespace=publisher.namespace, MetricData=[{"MetricName": "Now", "Value": 7}])
    after = fast_lab.minute()
    publisher.start = before
    ((minute, value),) = publisher.ask(publisher.stat("now", "Now", "Sum"), minutes=(after - before) // 60 + 1)["now"]
    assert (0 <= minute <= (after - before) // 60, value) == (True, 7)


def test_what_is_published_can_be_asked_for_after_a_delay(fast_lab: FastLab, publisher: Publisher) -> None:
    assert fast_lab.page("PUT", "/_lab/metrics", {"delay_s": 600}) == {"delay_s": 600}
    try:
        publisher.publish("Late", 0, Value=1)
        assert publisher.ask(publisher.stat("late", "Late", "Sum")) == {"late": []}
        fast_lab.until(
            lambda: publisher.ask(publisher.stat("late", "Late", "Sum")) == {"late": [(0, 1)]}, "the data point is there"
        )
    finally:
        fast_lab.page("PUT", "/_lab/metrics", {"delay_s": 0})
    assert "delay_s must be lab seconds" in fast_lab.refused("PUT", "/_lab/metrics", {"delay_s": -1})


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"Id": "a", "Expression": "RATE(b)"}, "the local CloudWatch knows no RATE"),
        ({"Id": "a", "Expression": "a + 1"}, "query a names itself"),
        ({"Id": "a", "Expression": "b + 1"}, "b is no id of a query"),
        ({"Id": "a", "Expression": "SELECT SUM(x) FROM y"}, "knows no queries of this kind"),
        ({"Id": "a"}, "must have either MetricStat or Expression"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(publisher: Publisher, query: dict[str, Any], why: str) -> None:
    with pytest.raises(ClientError, match=why) as raised:
        publisher.data([query])
    assert raised.value.response["Error"]["Code"] == "ValidationError"


def test_statistics_and_times_that_cloudwatch_would_refuse(publisher: Publisher) -> None:
    with pytest.raises(ClientError, match=r"The value tm99 .* is not supported"):
        publisher.data([publisher.stat("a", "Time", "tm99")])
    with pytest.raises(ClientError, match="no more than two hours in the future"):
        publisher.publish("Time", 60 + 2 * 60 + 30, Value=1)
    with pytest.raises(ClientError, match="within the past two weeks"):
        publisher.publish("Time", -15 * 24 * 60, Value=1)
    with pytest.raises(ClientError, match="StartTime must be less than"):
        publisher.data([publisher.stat("a", "Time", "Sum")], minutes=0)
