"""GetMetricData, GetMetricStatistics and ListMetrics as the CloudWatch API reference has them.

Periods begin at the start asked for, rounded down to the whole minute ("Round down to the nearest whole minute"), which is
included; the end is not. A period of which nothing was published has no value.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from infra.errors import InputError
from infra.lab.aws.cloudwatch.expression import parse
from infra.lab.aws.cloudwatch.metric_math import Scope, TimeSeries, Value, evaluate
from infra.lab.aws.cloudwatch.statistics import SIMPLE, is_percentile, is_statistic
from infra.lab.aws.cloudwatch.store import MINUTE, Metric, MetricStore

MOST_DATAPOINTS = 100_800
"""In one answer of GetMetricData."""
MOST_STATISTICS = 1_440
MOST_METRICS = 500

Query = Mapping[str, Any]
"""A MetricDataQuery of the API: its keys are the API's."""


class Refused(InputError):
    """A request that CloudWatch would refuse with `code`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Queries:
    """The queries of one request over one store, from `start` to `end` (lab seconds since 1970), each computed once."""

    def __init__(self, store: MetricStore, queries: Sequence[Query], start: int, end: int) -> None:
        self._store, self._start, self._end = store, start, end
        self._queries = {str(query["Id"]): query for query in queries}
        if len(self._queries) != len(queries):
            raise Refused("ValidationError", "The values for parameter Id in MetricDataQueries must be unique.")
        self._found: dict[str, Value] = {}
        self._open: list[str] = []

    def series(self, id: str) -> TimeSeries:
        value = self._value(id)
        if not isinstance(value, Mapping):
            raise Refused("ValidationError", f"Error in query {id}: the result is not one time series")
        return value

    def period(self, id: str) -> int:
        """Of an expression that of what it names, which must be one."""
        query = self._queries.get(id)
        if query is None:
            raise Refused("ValidationError", f"{id} is no id of a query")
        if "MetricStat" in query:
            return int(query["MetricStat"]["Period"])
        periods = {int(each["MetricStat"]["Period"]) for each in self._queries.values() if "MetricStat" in each}
        if len(periods | ({int(query["Period"])} if query.get("Period") else set())) > 1:
            raise Refused("ValidationError", "the local CloudWatch computes only with metrics of one period")
        return periods.pop() if periods else int(query.get("Period") or MINUTE)

    def _value(self, id: str) -> Value:
        if id in self._open:
            raise Refused("ValidationError", f"query {id} names itself")
        if id not in self._found:
            self._open.append(id)
            self._found[id] = self._compute(id)
            self._open.pop()
        return self._found[id]

    def _compute(self, id: str) -> Value:
        period = self.period(id)
        query = self._queries[id]
        if "MetricStat" in query:
            return _metric_series(self._store, query["MetricStat"], self._start, self._end)
        text = str(query.get("Expression", ""))
        if text.lstrip().upper().startswith(("SELECT", "SEARCH")):
            raise Refused("ValidationError", f"the local CloudWatch knows no queries of this kind: {text}")
        try:
            scope = Scope(self._value, self.period, self._metrics(), range(self._start, self._end, period))
            return evaluate(parse(text), scope)
        except Refused:
            raise
        except InputError as error:
            raise Refused("ValidationError", f"Error in query {id}: {error}") from None

    def _metrics(self) -> dict[str, TimeSeries]:
        return {id: self.series(id) for id, query in self._queries.items() if "MetricStat" in query}


def metric_data(store: MetricStore, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to GetMetricData, in pages of at most MaxDatapoints."""
    start, end = window(request)
    queries = request.get("MetricDataQueries") or []
    for number, query in enumerate(queries, start=1):
        _check(query, number)
    computed = Queries(store, queries, start, end)
    ascending = request.get("ScanBy") == "TimestampAscending"
    results = []
    for query in queries:
        if query.get("ReturnData", True):
            points = sorted(computed.series(query["Id"]).items(), reverse=not ascending)
            results.append((query["Id"], _label(query), points))
    limit = min(int(request.get("MaxDatapoints") or MOST_DATAPOINTS), MOST_DATAPOINTS)
    return _page(results, _skip(request.get("NextToken")), limit)


def metric_statistics(store: MetricStore, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to GetMetricStatistics."""
    simple, extended = request.get("Statistics") or [], request.get("ExtendedStatistics") or []
    if not simple and not extended:
        raise Refused("InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics")
    for name in [*simple, *extended]:
        if name not in (SIMPLE if name in simple else ()) and not is_percentile(name):
            raise Refused("InvalidParameterValue", f"The value {name} for parameter Statistics is not supported.")
    start, end = window(request)
    period = int(request["Period"])
    _check_period(period, "Period")
    if math.ceil((end - start) / period) > MOST_STATISTICS:
        why = f"You have requested up to {math.ceil((end - start) / period):,} datapoints, which exceeds the limit of 1,440."
        raise Refused("InvalidParameterCombination", why)
    metric = metric_of(request)
    points = []
    for moment, samples in sorted(store.samples(metric, start, end, period).items()):
        point: dict[str, Any] = {"Timestamp": datetime.fromtimestamp(moment, UTC), "Unit": store.unit(metric)}
        point |= {name: value for name in simple if (value := samples.statistic(name)) is not None}
        percentiles = {name: value for name in extended if (value := samples.statistic(name)) is not None}
        points.append({**point, "ExtendedStatistics": percentiles} if percentiles else point)
    return {"Label": request["MetricName"], "Datapoints": points}


def listed(store: MetricStore, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to ListMetrics: what has been published lately, filtered; a dimension's name alone takes any value."""
    wanted = request.get("Dimensions") or []
    found = [
        metric
        for metric in store.metrics()
        if request.get("Namespace") in (None, metric.namespace)
        and request.get("MetricName") in (None, metric.name)
        and all(any(_has(pair, each) for pair in metric.dimensions) for each in wanted)
    ]
    skip = _skip(request.get("NextToken"))
    page = found[skip : skip + MOST_METRICS]
    metrics = [
        {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": [_pair(*pair) for pair in metric.dimensions]}
        for metric in page
    ]
    more = skip + MOST_METRICS < len(found)
    return {"Metrics": metrics} | ({"NextToken": _token(skip + MOST_METRICS)} if more else {})


def window(request: Mapping[str, Any]) -> tuple[int, int]:
    """Whole minutes from StartTime on; EndTime to the second."""
    start, end = seconds(request["StartTime"]), seconds(request["EndTime"])
    if start >= end:
        raise Refused("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    return math.floor(start / MINUTE) * MINUTE, math.ceil(end)


def seconds(moment: datetime) -> float:
    """Since 1970. moto has the times of the query protocol without their zone, which is UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def metric_of(told: Mapping[str, Any]) -> Metric:
    """Of what has Namespace, MetricName and Dimensions."""
    dimensions = {each["Name"]: each["Value"] for each in told.get("Dimensions") or []}
    return Metric.of(told["Namespace"], told["MetricName"], dimensions)


def _metric_series(store: MetricStore, stat: Mapping[str, Any], start: int, end: int) -> TimeSeries:
    metric = metric_of(stat["Metric"])
    if stat.get("Unit") not in (None, store.unit(metric)):
        return {}
    found = store.samples(metric, start, end, int(stat["Period"]))
    return {moment: value for moment, samples in found.items() if (value := samples.statistic(stat["Stat"])) is not None}


def _check(query: Query, number: int) -> None:
    name = f"MetricDataQueries.member.{number}"
    if ("MetricStat" in query) == ("Expression" in query):
        raise Refused("ValidationError", f"The parameter {name} must have either MetricStat or Expression.")
    if "MetricStat" in query:
        if not is_statistic(query["MetricStat"]["Stat"]):
            why = f"The value {query['MetricStat']['Stat']} for parameter {name}.MetricStat.Stat is not supported."
            raise Refused("ValidationError", why)
        _check_period(int(query["MetricStat"]["Period"]), f"{name}.MetricStat.Period")


def _check_period(period: int, name: str) -> None:
    if period not in (1, 5, 10, 20, 30) and (period < MINUTE or period % MINUTE):
        raise Refused("ValidationError", f"The parameter {name} must be 1, 5, 10, 20, 30 or a multiple of 60, not {period}.")


def _label(query: Query) -> str:
    if query.get("Label"):
        return str(query["Label"])
    return str(query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query else query["Id"])


def _page(results: Sequence[tuple[str, str, list[tuple[int, float]]]], skip: int, limit: int) -> dict[str, Any]:
    """Data points `skip` to `skip + limit` of all, query after query; each query is in the first page at least by its name."""
    shown, at = [], 0
    for id, label, points in results:
        part = points[max(0, skip - at) : max(0, skip + limit - at)]
        after = at + len(points) > skip + limit
        if part or (not points and not skip):
            shown.append(_result(id, label, part, "PartialData" if after else "Complete"))
        at += len(points)
    more = {"NextToken": _token(skip + limit)} if at > skip + limit else {}
    return {"MetricDataResults": shown, "Messages": [], **more}


def _result(id: str, label: str, points: Sequence[tuple[int, float]], status: str) -> dict[str, Any]:
    moments = [datetime.fromtimestamp(moment, UTC) for moment, _ in points]
    return {"Id": id, "Label": label, "Timestamps": moments, "Values": [value for _, value in points], "StatusCode": status}


def _token(skip: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(skip).encode()).decode()


def _skip(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except ValueError:
        raise Refused("InvalidNextToken", "Request parameter NextToken is invalid") from None


def _has(pair: tuple[str, str], wanted: Mapping[str, str]) -> bool:
    return pair[0] == wanted["Name"] and wanted.get("Value") in (None, pair[1])


def _pair(name: str, value: str) -> dict[str, str]:
    return {"Name": name, "Value": value}
