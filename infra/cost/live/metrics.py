"""CloudWatch's metrics: what is kept how long, and one reading of many metrics over a window, page by page.

Retention and periods: "GetMetricData" (API reference) and "Metrics retention" (CloudWatch User Guide).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from infra.aws_calls import asked
from infra.errors import InputError, KitError

DAY_S = 86_400
KEPT = ((15, 60), (63, 300), (455, 3_600))
"""For how many days values are kept at which period, in seconds."""
SETTLE_S = 180
"""How long after a period's end it is left alone: services publish with a delay of a minute or two."""
MOST_QUERIES = 500
ELB, LAMBDA, EC2 = "AWS/ApplicationELB", "AWS/Lambda", "AWS/EC2"

Series = Mapping[str, Mapping[float, float]]
"""By name, the value of each period, which is named by its beginning (seconds since 1970)."""


class MetricsClient(Protocol):
    """The one call of boto3's `cloudwatch` client that is used."""

    def get_metric_data(self, **request: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Metric:
    namespace: str
    name: str
    stat: str
    dimensions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Window:
    """Whole periods from `start` to before `end` (seconds since 1970)."""

    start: float
    end: float
    period_s: int

    @property
    def periods(self) -> list[float]:
        return [self.start + self.period_s * number for number in range(round((self.end - self.start) / self.period_s))]


def finest_period(days: int) -> int:
    """The shortest period that CloudWatch still has for the whole of so many days; `InputError` where it has none."""
    for kept, period in KEPT:
        if 1 <= days <= kept:
            return period
    raise InputError(f"--days {days}: must be 1 to {KEPT[-1][0]}; CloudWatch keeps nothing longer")


def window(days: int, now: float, period_s: int) -> Window:
    """The whole periods of the last `days` that are over and published, beginning a little within what is still kept."""
    start = math.ceil((now - days * DAY_S + SETTLE_S) / period_s) * period_s
    return Window(float(start), float(math.floor((now - SETTLE_S) / period_s) * period_s), period_s)


def read_metrics(client: MetricsClient, wanted: Mapping[str, Metric], of: Window) -> dict[str, dict[float, float]]:
    """Every value that CloudWatch has; a period of which it has none is not in it. `KitError` where it cannot tell."""
    told: dict[str, dict[float, float]] = {name: {} for name in wanted}
    names = list(wanted)
    for first in range(0, len(names), MOST_QUERIES):
        _read(client, {name: wanted[name] for name in names[first : first + MOST_QUERIES]}, of, told)
    return told


def _read(client: MetricsClient, wanted: Mapping[str, Metric], of: Window, told: dict[str, dict[float, float]]) -> None:
    names = list(wanted)
    request: dict[str, Any] = {
        "MetricDataQueries": [_query(f"m{number}", wanted[name], of.period_s) for number, name in enumerate(names)],
        "StartTime": datetime.fromtimestamp(of.start, UTC),
        "EndTime": datetime.fromtimestamp(of.end, UTC),
        "ScanBy": "TimestampAscending",
    }
    state: dict[str, str] = {}
    while True:
        with asked("CloudWatch"):
            answer = client.get_metric_data(**request)
        for result in answer["MetricDataResults"]:
            name = names[int(result["Id"][1:])]
            state[name] = result.get("StatusCode", "Complete")
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                told[name][moment.timestamp()] = _checked(value, name, moment)
        if not answer.get("NextToken"):
            break
        request["NextToken"] = answer["NextToken"]
    for name, code in state.items():
        if code != "Complete":
            raise KitError(f"CloudWatch: {code} for {wanted[name].namespace} {wanted[name].name}; its figures are not whole")


def _checked(value: float, name: str, moment: datetime) -> float:
    if not math.isfinite(value) or value < 0:
        raise KitError(f"CloudWatch: {name} at {moment:%Y-%m-%d %H:%M}: {value} must be a number of 0 or more")
    return float(value)


def _query(id: str, metric: Metric, period_s: int) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions.items()]
    told = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": id, "MetricStat": {"Metric": told, "Period": period_s, "Stat": metric.stat}}
