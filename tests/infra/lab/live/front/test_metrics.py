"""What is published of a minute: the metrics that the alarms and the switch read, with AWS's dimensions, and no zeros."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from infra.components.watch.alarm import Share
from infra.components.watch.catalogue import alarms
from infra.config import Stage
from infra.lab.forwarding import ElbError, Forwarded
from infra.lab.lab_time import LabTime
from infra.lab.lambda_lane import InvokeResult
from infra.lab.live.front.counts import Counts, Tally, rounded
from infra.lab.live.front.metrics import Dimensions, Point, points
from infra.lab.live.front.publisher import VALUES_OF_A_DATUM, Publisher, data
from infra.switching.aws import figures
from infra.switching.aws.resources import Resources
from tests.infra.lab.live.front.targets import BALANCER, FUNCTION, ONE, until
from tests.infra.switching.aws.moto_stage import REGION, aws_in_moto

NAME = BALANCER.partition("loadbalancer/")[2]
MINUTE = 1_700_000_040.0


class Answer:
    """As much of a target's answer as is counted."""

    def __init__(self, status: int) -> None:
        self.status = status


def answered(counts: Counts, arn: str, status: int, waited_s: float, times: int = 1) -> None:
    for _ in range(times):
        counts.answered(arn, Forwarded(Answer(status), waited_s, 100))  # type: ignore[arg-type]


def result(status: int = 200, duration_ms: float = 12.0, error: str | None = None) -> InvokeResult:
    return InvokeResult("1", status, b"", duration_ms, 13, None, None, error)


def a_minute() -> Counts:
    """One in which everything that is read happened."""
    counts = Counts()
    answered(counts, ONE, 200, 0.1, times=7)
    answered(counts, ONE, 503, 0.2)
    answered(counts, FUNCTION, 500, 0.3)
    counts.answered(ONE, Forwarded(ElbError(504), None))
    counts.most_connections, counts.functions_size = 17, 900
    counts.answered(FUNCTION, Forwarded(ElbError(502, "function"), None))
    counts.answered(FUNCTION, Forwarded(ElbError(502, "service"), None))
    counts.elb_statuses[503] += 2
    counts.group(ONE).healthy[2.0] += 6
    counts.group(ONE).unhealthy[0.0] += 6
    function = counts.function("prod-function:live")
    for each in (result(), result(error="Unhandled"), result(429)):
        function.ended(each)
    function.at_once[1.0] += 2
    return counts


def published(counts: Counts) -> dict[tuple[str, str, Dimensions], Point]:
    return {(point.namespace, point.name, point.dimensions): point for point in points(counts, NAME)}


def test_everything_the_switch_reads_of_aws_is_published_with_the_dimensions_it_asks_for() -> None:
    resources = Resources(
        stage="prod",
        region=REGION,
        url="",
        rule=BALANCER.replace(":loadbalancer/", ":listener-rule/") + "/1/2",
        target_groups={"lambda": FUNCTION, "container": ONE},
        group="group",
        function="prod-function",
        table="",
        parameter="",
    )
    told = published(a_minute())
    for name, metric in (figures.metrics(resources) | figures.load_metrics(resources)).items():
        if metric.namespace in (figures.ELB, figures.LAMBDA):
            assert any(
                (space, called) == (metric.namespace, metric.name) and dict(of) == dict(metric.dimensions)
                for space, called, of in told
            ), name


def test_what_the_alarms_read_of_aws_is_published() -> None:
    read = [alarm.reads for alarm in alarms(Stage(name="prod"))]
    metrics = [metric for each in read for metric in ((each.part, each.whole) if isinstance(each, Share) else (each,))]
    published_names = {(space, name) for space, name, _ in published(a_minute())}
    asked = {(metric.namespace, metric.name) for metric in metrics if metric.namespace in (figures.ELB, figures.LAMBDA)}
    assert asked <= published_names
    assert len(asked) > 8


def test_figures_are_those_that_were_counted() -> None:
    told = published(a_minute())
    balancer = (("LoadBalancer", NAME),)
    container = (("TargetGroup", ONE.rpartition(":")[2]), *balancer)
    function = (("TargetGroup", FUNCTION.rpartition(":")[2]),)

    def value(name: str, of: Dimensions, namespace: str = "AWS/ApplicationELB") -> dict[float, int]:
        return dict(told[namespace, name, of].values)

    assert value("RequestCount", balancer) == {12.0: 1}, "those without a target are not in it"
    assert value("RequestCount", container) == {9.0: 1}
    assert value("HTTPCode_ELB_5XX_Count", balancer) == {5.0: 1}
    assert value("HTTPCode_ELB_502_Count", balancer) == {2.0: 1}
    assert value("HTTPCode_Target_5XX_Count", container) == {1.0: 1}
    assert value("TargetResponseTime", container) == {0.1: 7, 0.2: 1}
    assert value("TargetResponseTime", balancer) == {0.1: 7, 0.2: 1, 0.3: 1}
    assert value("LambdaUserError", function) == {1.0: 1}
    assert value("LambdaInternalError", function) == {1.0: 1}
    assert value("UnHealthyHostCount", container) == {0.0: 6}, "of hosts 0 is told"
    assert value("RequestCountPerTarget", container) == {4.5: 1}
    assert value("ProcessedBytes", balancer) == {900.0: 1}
    assert value("LambdaTargetProcessedBytes", balancer) == {900.0: 1}
    assert value("ActiveConnectionCount", balancer) == {17.0: 1}, "one value, for it is read as a sum"
    of = (("FunctionName", "prod-function"),)
    assert value("Invocations", of, "AWS/Lambda") == {2.0: 1}
    assert value("Errors", of, "AWS/Lambda") == {1.0: 1}
    assert value("Throttles", of, "AWS/Lambda") == {1.0: 1}
    assert value("Duration", (*of, ("Resource", "prod-function:live")), "AWS/Lambda") == {12.0: 2}


def test_what_did_not_happen_is_not_published() -> None:
    counts = Counts()
    answered(counts, ONE, 200, 0.1)
    names = {name for _, name, _ in published(counts)}
    assert names == {"RequestCount", "HTTPCode_Target_2XX_Count", "TargetResponseTime", "ProcessedBytes"}
    assert not published(Counts())


def test_a_metric_with_many_values_is_several_data_that_add_up() -> None:
    values = Counter({rounded(0.1 + number / 1_000): 2 for number in range(400)})
    only = len(values)
    point = Point("AWS/ApplicationELB", "TargetResponseTime", (), values, "Seconds")
    told = [datum for _, datum in data([point], MINUTE)]
    assert [len(datum["Values"]) for datum in told] == [VALUES_OF_A_DATUM, VALUES_OF_A_DATUM, only - 2 * VALUES_OF_A_DATUM]
    assert sum(sum(datum["Counts"]) for datum in told) == 2 * only


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    with aws_in_moto():
        yield boto3.Session().client("cloudwatch", REGION)


async def test_a_closed_minute_is_in_cloudwatch_under_its_own_time(cloudwatch: Any) -> None:
    tally = Tally()
    tally.now = a_minute()
    publisher = Publisher(cloudwatch, tally, LabTime(), NAME)
    publisher.close_minute(MINUTE)
    await publisher.publish()
    (point,) = cloudwatch.get_metric_statistics(
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_ELB_5XX_Count",
        Dimensions=[{"Name": "LoadBalancer", "Value": NAME}],
        StartTime=datetime.fromtimestamp(MINUTE, UTC),
        EndTime=datetime.fromtimestamp(MINUTE + 60, UTC),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    assert point["Sum"] == 5.0
    assert tally.now == Counts(), "the next minute begins with nothing"


async def test_what_cloudwatch_does_not_take_is_offered_again(cloudwatch: Any) -> None:
    class Failing:
        def __init__(self) -> None:
            self.calls: list[str] = []
            self.fails = True

        def put_metric_data(self, **told: Any) -> None:
            self.calls.append(told["Namespace"])
            if self.fails:
                cloudwatch.get_metric_data(MetricDataQueries=[{"Id": "A"}], StartTime=1, EndTime=0)

    problems: list[str] = []
    failing, tally = Failing(), Tally()
    publisher = Publisher(failing, tally, LabTime(), NAME, problem=problems.append)
    tally.now = a_minute()
    publisher.close_minute(MINUTE)
    await publisher.publish()
    assert len(problems) == 1
    failing.fails = False
    await publisher.publish()
    assert failing.calls[-2:] == ["AWS/ApplicationELB", "AWS/Lambda"]


async def test_minutes_close_as_the_labs_time_passes() -> None:
    class Noting:
        def __init__(self) -> None:
            self.minutes: list[float] = []

        def put_metric_data(self, **told: Any) -> None:
            self.minutes += [told["MetricData"][0]["Timestamp"].timestamp()]

    noting, tally = Noting(), Tally()
    time = LabTime(600.0)

    def sample() -> None:
        tally.now.most_connections = 1

    running = asyncio.create_task(Publisher(noting, tally, time, NAME, sample=sample).run())
    await until(lambda: len(noting.minutes) >= 2)
    running.cancel()
    assert all(minute % 60 == 0 for minute in noting.minutes)
    assert noting.minutes == sorted(set(noting.minutes))
