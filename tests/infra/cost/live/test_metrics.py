"""Reading CloudWatch's metrics: what is kept how long, pages, and what is not whole."""

from __future__ import annotations

import math

import pytest

from infra.cost.live.metrics import Metric, Window, finest_period, read_metrics, window
from infra.errors import InputError, KitError
from tests.infra.cost.live.doubles import Metrics
from tests.infra.switching.aws.moto_stage import refusal

NOW = 1_800_000_000.0
PLACE = {"LoadBalancer": "app/x/1"}
REQUESTS = Metric("AWS/ApplicationELB", "RequestCount", "Sum", PLACE)


@pytest.mark.parametrize(("days", "period"), [(1, 60), (15, 60), (16, 300), (63, 300), (64, 3_600), (455, 3_600)])
def test_the_finest_period_that_is_kept_for_all_days_is_taken_and_has_values(days: int, period: int) -> None:
    assert finest_period(days) == period
    of = window(days, NOW + 7, period)
    assert of.start % period == of.end % period == 0
    assert NOW + 7 - days * 86_400 < of.start
    assert of.end <= NOW
    metrics = Metrics(now=NOW + 9)  # the request comes a little later
    metrics.publish("AWS/ApplicationELB", "RequestCount", "Sum", PLACE, {of.start: 7.0, of.end: 9.0})
    assert read_metrics(metrics, {"a": REQUESTS}, of) == {"a": {of.start: 7.0}}


@pytest.mark.parametrize("days", [0, -3, 456])
def test_days_that_nobody_keeps_are_refused(days: int) -> None:
    with pytest.raises(InputError, match=rf"--days {days}: must be 1 to 455"):
        finest_period(days)


def test_pages_and_more_than_500_metrics_are_put_together() -> None:
    metrics = Metrics(now=NOW, page=50)
    of = Window(NOW - 6_000, NOW, 60)
    wanted = {f"m{n}": Metric("AWS/Lambda", f"M{n}", "Sum", PLACE) for n in range(501)}
    for n in (0, 1, 500):
        metrics.publish("AWS/Lambda", f"M{n}", "Sum", PLACE, {NOW - 60 * (at + 1): at + n for at in range(100)})
    told = read_metrics(metrics, wanted, of)
    assert [len(told[f"m{n}"]) for n in (0, 1, 2, 500)] == [100, 100, 0, 100]
    assert told["m500"][NOW - 60] == 500
    assert len(metrics.asked) == 4 + 2


@pytest.mark.parametrize("status", ["InternalError", "Forbidden", "PartialData"])
def test_figures_that_are_not_whole_are_refused(status: str) -> None:
    with pytest.raises(KitError, match=f"CloudWatch: {status} for AWS/ApplicationELB RequestCount; its figures are not whole"):
        read_metrics(Metrics(now=NOW, status=status), {"a": REQUESTS}, Window(NOW - 60, NOW, 60))


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_values_that_cannot_be_are_refused(value: float) -> None:
    metrics = Metrics(now=NOW)
    metrics.publish("AWS/ApplicationELB", "RequestCount", "Sum", PLACE, {NOW - 60: value})
    with pytest.raises(KitError, match="must be a number of 0 or more"):
        read_metrics(metrics, {"a": REQUESTS}, Window(NOW - 60, NOW, 60))


def test_a_refusal_of_aws_is_one_line() -> None:
    class Refusing:
        def get_metric_data(self, **request: object) -> dict[str, object]:
            raise refusal("AccessDenied", 403, "not authorized to perform:\n cloudwatch:GetMetricData", "GetMetricData")

    with pytest.raises(KitError, match=r"^CloudWatch: .*not authorized to perform: cloudwatch:GetMetricData$"):
        read_metrics(Refusing(), {"a": REQUESTS}, Window(NOW - 60, NOW, 60))
