"""Lambda's REPORT records through Logs Insights: counted there into the very buckets of `live_logs.Histogram`.

So an answer has as many rows as there are buckets (under 6,000 from a nanosecond to 15 minutes), however many invocations
there were; no record is sampled or fetched. Syntax: "CloudWatch Logs Insights query syntax" (`fields`, `filter`, `parse`,
`stats`, natural `log`); fields: "Supported logs and discovered fields" for text, `platform.report`'s own for JSON.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from infra.aws_calls import asked
from infra.cost.live.logs import WIDTH, Histogram, LiveLane
from infra.errors import KitError

MOST_ROWS = 10_000
POLL_S, MOST_WAITING_S = 2.0, 900.0
UNDER_WAY = ("Scheduled", "Running")
SMALLEST_MS = 1e-6

Row = Mapping[str, str]


class LogsClient(Protocol):
    """The three calls of boto3's `logs` client that are used."""

    def start_query(self, **request: Any) -> Mapping[str, Any]: ...
    def get_query_results(self, **request: Any) -> Mapping[str, Any]: ...
    def stop_query(self, **request: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """How a log group's REPORT records are found, and what of them succeeded; fields of durations in ms, memory in MB."""

    reports: str
    status: str
    succeeded: str
    duration: str
    starting: tuple[str, ...]
    memory_size: str
    memory_used: str


JSON = Records(
    reports='filter type = "platform.report"',
    status="record.status",
    succeeded='filter record.status = "success"',
    duration="record.metrics.durationMs",
    starting=("record.metrics.initDurationMs", "record.metrics.restoreDurationMs"),
    memory_size="record.metrics.memorySizeMB",
    memory_used="record.metrics.maxMemoryUsedMB",
)
TEXT = Records(
    reports='filter @type = "REPORT" | parse @message /Status: (?<failed>\\w+)/ | '
    "parse @message /Init Duration: (?<begun>[0-9.]+)/ | parse @message /Restore Duration: (?<restored>[0-9.]+)/",
    status="failed",
    succeeded="filter not ispresent(failed)",
    duration="@duration",
    starting=("begun", "restored"),
    memory_size="@memorySize / 1000000",
    memory_used="@maxMemoryUsed / 1000000",
)


def queries(records: Records) -> dict[str, str]:
    """By what they tell: durations, cold starts, and memory by size and status."""
    begun = f"coalesce({', '.join(records.starting)})"
    return {
        "durations": f"{records.reports} | {records.succeeded} | {_buckets(records.duration)}",
        "starts": f"{records.reports} | {records.succeeded} | filter {_any_present(records.starting)} | {_buckets(begun)}",
        "memory": f"{records.reports} | fields {records.status} as state, {records.memory_size} as size, "
        f"{records.memory_used} as used | stats count(*) as samples by state, size, used | limit {MOST_ROWS}",
    }


def _any_present(names: tuple[str, ...]) -> str:
    return " or ".join(f"ispresent({name})" for name in names)


def _buckets(value: str) -> str:
    bucket = f"floor(log(greatest({value}, {SMALLEST_MS:f})) / {WIDTH!r})"
    return (
        f"fields {value} as taken, {bucket} as bucket | "
        f"stats count(*) as samples, sum(taken) as total, max(taken) as highest by bucket | limit {MOST_ROWS}"
    )


def read_reports(
    client: LogsClient, group: str, records: Records, *, start: float, end: float, sleep: Callable[[float], None] = time.sleep
) -> tuple[LiveLane, int]:
    """The Lambda lane's samples, and the bytes that Logs Insights read for it (it bills them). `KitError` where a query ends
    in another way than complete."""
    asked_for = queries(records)
    ids: dict[str, str] = {}
    try:
        for name, text in asked_for.items():
            with asked(f"Logs Insights on {group}"):
                begun = client.start_query(logGroupName=group, startTime=int(start), endTime=int(end) - 1, queryString=text)
            ids[name] = begun["queryId"]
        answers = {name: _finished(client, id, group, sleep) for name, id in ids.items()}
    except BaseException:
        _stop(client, ids)
        raise
    lane = LiveLane()
    _count(lane.duration_ms, answers["durations"][0])
    _count(lane.cold_start_ms, answers["starts"][0])
    lane.searches = lane.duration_ms.count
    for row in answers["memory"][0]:
        _memory(lane, row)
    return lane, sum(scanned for _, scanned in answers.values())


def _finished(client: LogsClient, id: str, group: str, sleep: Callable[[float], None]) -> tuple[list[Row], int]:
    """All rows of a query, and the bytes it read."""
    waited = 0.0
    while True:
        with asked(f"Logs Insights on {group}"):
            answer = client.get_query_results(queryId=id)
        if answer["status"] not in UNDER_WAY:
            break
        if waited >= MOST_WAITING_S:
            raise KitError(f"Logs Insights on {group}: not done after {MOST_WAITING_S / 60:.0f} minutes; take fewer --days")
        sleep(POLL_S)
        waited += POLL_S
    if answer["status"] != "Complete":
        raise KitError(f"Logs Insights on {group}: the query ended as {answer['status']!r}; try again, or take fewer --days")
    rows = list(_rows(answer))
    scanned = int(answer.get("statistics", {}).get("bytesScanned", 0))
    while answer.get("nextToken"):
        with asked(f"Logs Insights on {group}"):
            answer = client.get_query_results(queryId=id, nextToken=answer["nextToken"])
        rows += _rows(answer)
    if len(rows) >= MOST_ROWS:
        raise KitError(f"Logs Insights on {group}: {MOST_ROWS:,} rows or more, which may be cut short; take fewer --days")
    return rows, scanned


def _rows(answer: Mapping[str, Any]) -> Iterator[Row]:
    for row in answer["results"]:
        yield {each["field"]: each["value"] for each in row if "value" in each}


def _count(histogram: Histogram, rows: list[Row]) -> None:
    for row in rows:
        samples = round(_number(row, "samples"))
        histogram.count += samples
        histogram.sum += _number(row, "total")
        histogram.highest = max(histogram.highest, _number(row, "highest"))
        histogram.buckets[round(_number(row, "bucket", least=-math.inf))] += samples


def _memory(lane: LiveLane, row: Row) -> None:
    samples = round(_number(row, "samples"))
    if (row.get("state") or "success") != "success":  # a line of text has no status where all went well
        lane.errors += samples
        return
    lane.memory_sizes.add(round(_number(row, "size")))
    lane.memory_mb.add(_number(row, "used"), samples)


def _number(row: Row, name: str, least: float = 0.0) -> float:
    try:
        value = float(row[name])
    except (KeyError, ValueError):
        raise KitError(f"Logs Insights: {name}: {row.get(name)!r} must be a number") from None
    if not math.isfinite(value) or value < least:
        raise KitError(f"Logs Insights: {name}: {value} must be a number of {least:g} or more")
    return value


def _stop(client: LogsClient, ids: Mapping[str, str]) -> None:
    """Queries that nobody waits for any more; what cannot be stopped ends by itself within the hour."""
    for id in ids.values():
        try:
            with asked("Logs Insights"):
                client.stop_query(queryId=id)
        except KitError:
            continue
