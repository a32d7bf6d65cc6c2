"""CloudWatch and Logs Insights as their API references have them: metrics by place, queries carried out on records.

moto has neither percentiles in GetMetricData nor `filter` and `stats` in Logs Insights.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

RETENTION = ((3 * 3_600, 1), (15 * 86_400, 60), (63 * 86_400, 300), (455 * 86_400, 3_600))


@dataclass
class Metrics:
    """`published`: by metric, statistic and dimensions, the value of each period's beginning. A start before what is kept at
    the period asked for has no values; an answer holds `page` values at most, those of one metric after another's."""

    now: float
    page: int = 100_800
    published: dict[tuple[str, str, str, frozenset[tuple[str, str]]], dict[float, float]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    status: str = "Complete"

    def publish(self, namespace: str, name: str, stat: str, place: Mapping[str, str], values: Mapping[float, float]) -> None:
        self.published.setdefault((namespace, name, stat, frozenset(place.items())), {}).update(values)

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        assert request["ScanBy"] == "TimestampAscending"
        assert len(request["MetricDataQueries"]) <= 500
        first = int(request.get("NextToken", 0))
        every = [
            (query["Id"], at, value)
            for query in request["MetricDataQueries"]
            for at, value in self._values(query, request["StartTime"].timestamp(), request["EndTime"].timestamp())
        ]
        page = every[first : first + self.page]
        results = [
            {
                "Id": query["Id"],
                "StatusCode": self.status,
                "Timestamps": [datetime.fromtimestamp(at, UTC) for id, at, _ in page if id == query["Id"]],
                "Values": [value for id, _, value in page if id == query["Id"]],
            }
            for query in request["MetricDataQueries"]
        ]
        more = {"NextToken": str(first + self.page)} if first + self.page < len(every) else {}
        return {"MetricDataResults": results, **more}

    def _values(self, query: Mapping[str, Any], start: float, end: float) -> list[tuple[float, float]]:
        stat, metric = query["MetricStat"], query["MetricStat"]["Metric"]
        multiple = next((least for age, least in RETENTION if self.now - start <= age), None)
        if multiple is None or stat["Period"] % multiple:
            return []
        place = frozenset((each["Name"], each["Value"]) for each in metric["Dimensions"])
        values = self.published.get((metric["Namespace"], metric["MetricName"], stat["Stat"], place), {})
        return [(at, value) for at, value in sorted(values.items()) if start <= at < end]


Record = dict[str, Any]


FUNCTIONS: dict[str, Any] = {
    "floor": math.floor,
    "log": math.log,
    "greatest": max,
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "ispresent": lambda a: a is not None,
}


def _value(expression: str, record: Record) -> Any:
    """A Logs Insights expression on one record: a name is a function or a field; what is made of a missing one is missing."""

    def name(match: re.Match[str]) -> str:
        word = match[0]
        if word in ("and", "or", "not") or word in FUNCTIONS:
            return word
        return f"field({word!r})"

    text = re.sub(r"(?<![\w.\"])[@A-Za-z][\w.@]*(?![\w\"])", name, expression).replace(" = ", " == ")

    def read(key: str) -> Any:
        value = record.get(key)
        return float(value) if isinstance(value, str) and re.fullmatch(r"[0-9.]+", value) else value

    try:
        return eval(text, {"__builtins__": {}}, {**FUNCTIONS, "field": read})
    except TypeError:  # None in arithmetic
        return None


def carried_out(query: str, records: list[Record]) -> list[dict[str, str]]:
    """The rows of a query made of `filter`, `parse` with a regular expression, `fields … as`, `stats … by` and `limit`."""
    rows = [dict(record) for record in records]
    for command in re.split(r" \| ", query):
        verb, _, rest = command.partition(" ")
        if verb == "filter":
            rows = [row for row in rows if _value(rest, row)]
        elif verb == "parse":
            source, _, pattern = rest.partition(" ")
            for row in rows:
                found = re.search(re.sub(r"\(\?<", "(?P<", pattern.strip("/")), str(row.get(source, "")))
                row.update(found.groupdict() if found else {})
        elif verb == "fields":
            for expression, name in re.findall(r"(.+?) as (\w+)(?:, )?", rest):
                for row in rows:
                    row[name] = _value(expression, row)
        elif verb == "stats":
            rows = _stats(rest, rows)
        elif verb == "limit":
            rows = rows[: int(rest)]
        else:
            raise AssertionError(f"{verb} is no command of the double")
    return [{key: str(value) for key, value in row.items() if value is not None} for row in rows]


def _stats(rest: str, rows: list[Record]) -> list[Record]:
    wanted, _, keys = rest.partition(" by ")
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key) for key in keys.split(", ")), []).append(row)
    found = []
    for values, group in groups.items():
        told: Record = dict(zip(keys.split(", "), values, strict=True))
        for function, field_name, name in re.findall(r"(\w+)\(([\w*]+)\) as (\w+)", wanted):
            of = [row[field_name] for row in group if row.get(field_name) is not None] if field_name != "*" else group
            told[name] = {"count": len, "sum": sum, "max": max}[function](of)  # type: ignore[operator]
        found.append(told)
    return found


@dataclass
class Insights:
    """StartQuery and GetQueryResults: a query runs for `polls` answers, its rows come in pages of `page`."""

    messages: list[str]
    polls: int = 1
    page: int = 10_000
    ends_as: str = "Complete"
    asked: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)

    def start_query(self, **request: Any) -> dict[str, str]:
        self.asked.append(request)
        return {"queryId": str(len(self.asked) - 1)}

    def stop_query(self, **request: Any) -> dict[str, bool]:
        self.stopped.append(request["queryId"])
        return {"success": True}

    def get_query_results(self, **request: Any) -> dict[str, Any]:
        query = request["queryId"]
        seen = self.answers[query] = self.answers.get(query, -1) + 1
        if seen < self.polls:
            return {"status": "Scheduled" if seen == 0 else "Running", "results": []}
        rows = carried_out(self.asked[int(query)]["queryString"], [_discovered(each) for each in self.messages])
        first = int(request.get("nextToken", "0"))
        told = [[{"field": key, "value": value} for key, value in row.items()] for row in rows[first : first + self.page]]
        more = {"nextToken": str(first + self.page)} if first + self.page < len(rows) else {}
        return {"status": self.ends_as, "results": told, "statistics": {"bytesScanned": 1_000.0}, **more}


def _discovered(message: str) -> Record:
    """The fields that Logs Insights finds by itself: of JSON each by its path, of Lambda's text those with an at sign."""
    if message.startswith("{"):
        return {"@message": message, **_paths(json.loads(message))}
    record: Record = {"@message": message, "@type": message.split(" ", 1)[0]}
    for label, name, factor in (
        (r"\tDuration", "@duration", 1.0),
        ("Memory Size", "@memorySize", 1e6),
        ("Max Memory Used", "@maxMemoryUsed", 1e6),
    ):
        found = re.search(label + r": ([0-9.]+)", message)
        if found:
            record[name] = float(found[1]) * factor
    return record


def _paths(value: Mapping[str, Any], prefix: str = "") -> Record:
    found: Record = {}
    for key, each in value.items():
        found |= _paths(each, f"{prefix}{key}.") if isinstance(each, dict) else {prefix + key: each}
    return found
