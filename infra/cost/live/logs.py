"""What a live deployment's own logs say of a search: Lambda's REPORT records and the load balancer's access log entries.

Logs are read line by line into histograms, so that their size does not matter. A REPORT record is a line of text, a JSON line
(`platform.report`), or either of them in what Logs Insights exports. Formats: "Lambda function logs", "Access logs for your
Application Load Balancer", AWS documentation.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.cost.large_files import log_lines
from infra.cost.live.exports import exported, is_export
from infra.cost.profile import Distribution
from infra.cost.traffic.access_log import is_access_log_line
from infra.errors import InputError

WIDTH = math.log(1.005)
"""A histogram's buckets are half a percent wide: so exact are its percentiles. Its mean is exact."""
BEFORE = r"(?:[^\s\"{]+ ){0,2}(?:[^\s\"{,]*,){0,3}\"?"
"""`aws logs tail` puts the time before a record, and the stream; a table as CSV its other columns, and a quote."""
REPORT = re.compile(BEFORE + r"REPORT RequestId: \S+\s+(?P<rest>.*)", re.DOTALL)
RECORD = re.compile(BEFORE + r"(?P<record>\{.*\})", re.DOTALL)
FIELD = re.compile(
    r"(Billed Duration|Billed Restore Duration|Restore Duration|Init Duration|Duration|Max Memory Used|Memory Size|Status): "
    r'([^\s"]+)'
)
FIELDS = {
    "Duration": "durationMs",
    "Memory Size": "memorySizeMB",
    "Max Memory Used": "maxMemoryUsedMB",
    "Init Duration": "initDurationMs",
    "Restore Duration": "restoreDurationMs",
}
SUFFIXES = (".log", ".log.gz", ".txt", ".txt.gz", ".json", ".json.gz", ".jsonl", ".jsonl.gz", ".csv", ".csv.gz")
# Positions in an access log entry.
TARGET, TARGET_TIME, STATUS, RECEIVED, SENT = 4, 6, 8, 10, 11
MOST = {
    "durationMs": 901_000.0, "initDurationMs": 901_000.0, "restoreDurationMs": 901_000.0,
    "memorySizeMB": 32_768.0, "maxMemoryUsedMB": 33_000.0,
    "elb_status_code": 999.0, "target_processing_time": 4_100.0,
}  # fmt: skip
"""What AWS allows, and a little: 15 minutes and 32 GB on Lambda, 4,000 s of a load balancer's patience."""
MOST_BYTES = 1e12
USUAL = frozenset(map(str, range(200, 500)))
PLAIN = re.compile(r"[0-9]{1,3}\.[0-9]{1,9} [0-9]{1,12} [0-9]{1,12}", re.ASCII).fullmatch
"""Seconds and bytes of which each is within what can be."""
LEAST_MEMORY_MB = 128


@dataclass(slots=True)
class Histogram:
    """Samples of 0 or more, by their logarithm."""

    count: int = 0
    sum: float = 0.0
    highest: float = 0.0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, value: float, times: int = 1) -> None:
        self.count += times
        self.sum += value * times
        if value > self.highest:
            self.highest = value
        self.buckets[_bucket(value)] += times

    def add_summary(self, samples: int, total: float, percentiles: Sequence[tuple[float, float]]) -> None:
        """Samples of which only the sum and some percentiles are known, by rising share from 0 (the least) to 1 (the highest):
        those between two percentiles lie evenly between them by their logarithm. Mean, count and highest stay exact."""
        self.count += samples
        self.sum += total
        self.highest = max(self.highest, percentiles[-1][1])
        low, seen = _bucket(percentiles[0][1]), 0
        for share, value in percentiles[1:]:
            high, upto = max(low, _bucket(value)), round(samples * share)
            width, between = high - low + 1, upto - seen
            for number in range(min(width, between)):
                place = low + number * width // min(width, between)
                self.buckets[place] += between * (number + 1) // min(width, between) - between * number // min(width, between)
            low, seen = high, upto

    def percentile(self, share: float) -> float:
        """The middle of the bucket that holds it, and never more than the highest sample."""
        seen, wanted = 0, share * self.count
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                return min(math.exp((bucket + 0.5) * WIDTH), self.highest)
        return self.highest

    def told(self) -> Distribution | None:
        if not self.count:
            return None
        low, middle, high, highest = (round(self.percentile(share), 3) for share in (0.05, 0.5, 0.95, 0.99))
        return Distribution(
            samples=self.count,
            mean=round(self.sum / self.count, 3),
            p5=low,
            p50=middle,
            p95=high,
            p99=highest,
            highest=round(self.highest, 3),
        )


def _bucket(value: float) -> int:
    return math.floor(math.log(max(value, 1e-6)) / WIDTH)


@dataclass(slots=True)
class LiveLane:
    """One lane's samples. `duration_ms` is as the lane's process sees it: from REPORT, or the load balancer's wait for it."""

    duration_ms: Histogram = field(default_factory=Histogram)
    memory_mb: Histogram = field(default_factory=Histogram)
    cold_start_ms: Histogram = field(default_factory=Histogram)
    target_ms: Histogram = field(default_factory=Histogram)
    request_bytes: Histogram = field(default_factory=Histogram)
    response_bytes: Histogram = field(default_factory=Histogram)
    searches: int = 0
    errors: int = 0
    memory_sizes: set[int] = field(default_factory=set)


def read_logs(paths: Iterable[Path]) -> dict[str, LiveLane]:
    """All files and folders together, by lane; `InputError` names file, line and field."""
    lanes = {"lambda": LiveLane(), "container": LiveLane()}
    for path in paths:
        files = sorted(each for each in path.rglob("*") if each.name.endswith(SUFFIXES)) if path.is_dir() else [path]
        found = sum(_read(file, lanes) for file in files)
        if not found:
            raise InputError(f"{path}: no REPORT line of Lambda and no access log entry in it")
    return lanes


def _read(file: Path, lanes: dict[str, LiveLane]) -> int:
    found = 0
    for where, text in _messages(file):
        if is_access_log_line(text):
            _entry(text, where, lanes)
            found += 1
        else:
            report = _report(text, where)
            if report is not None:
                _invocation(report, where, lanes["lambda"])
                found += 1
    return found


def _messages(file: Path) -> Iterator[tuple[str, str]]:
    """Lines, or the messages in a JSON document that Logs Insights exported; each with where it stands."""
    if is_export(file):
        yield from exported(file)
        return
    for number, line in log_lines(file):
        if line.strip():
            yield f"{file}: line {number}", line.strip()


def _report(text: str, where: str) -> dict[str, Any] | None:
    """The metrics of a REPORT, and its status; None for any other line."""
    if '""platform.report""' in text:  # a cell of CSV
        text = text.replace('""', '"')
    if '"platform.report"' in text:
        try:
            found = RECORD.match(text)
            record = json.loads(found["record"] if found else text)["record"]
            return {**record["metrics"], "status": record.get("status", "success")}
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InputError(f"{where}: platform.report: has no record.metrics") from None
    match = REPORT.match(text) if "REPORT RequestId" in text else None
    if match is None:
        return None
    told = {"Status": "success", **dict(FIELD.findall(match["rest"]))}
    return {"status": told["Status"], **{FIELDS[name]: value for name, value in told.items() if name in FIELDS}}


def _invocation(report: dict[str, Any], where: str, lane: LiveLane) -> None:
    if report["status"] != "success":
        lane.errors += 1
        return
    lane.searches += 1
    lane.duration_ms.add(_number(report, "durationMs", where))
    lane.memory_mb.add(_number(report, "maxMemoryUsedMB", where))
    size = _number(report, "memorySizeMB", where)
    if size < LEAST_MEMORY_MB or size % 1:
        raise InputError(f"{where}: memorySizeMB: {size:g} must be a whole number of {LEAST_MEMORY_MB} or more")
    lane.memory_sizes.add(int(size))
    for name in ("initDurationMs", "restoreDurationMs"):
        if name in report:
            lane.cold_start_ms.add(_number(report, name, where))


def _number(report: dict[str, Any], name: str, where: str) -> float:
    told = report.get(name)
    try:
        plain = isinstance(told, (int, float)) or (isinstance(told, str) and told.isascii() and "_" not in told)
        value = float(told) if plain and told is not None and not isinstance(told, bool) else None
    except ValueError:
        value = None
    if value is None:
        raise InputError(f"{where}: {name}: {told if told is None else str(told)[:40]!r} must be a number")
    if not math.isfinite(value) or value < 0:
        raise InputError(f"{where}: {name}: {value} must be a number of 0 or more")
    if value > (most := MOST.get(name, MOST_BYTES)):
        raise InputError(f"{where}: {name}: {value:g} is more than can be ({most:g} at most)")
    return value


def _entry(text: str, where: str, lanes: dict[str, LiveLane]) -> None:
    """A Lambda target has no address; what the load balancer answered itself belongs to no lane."""
    fields = text.split(" ", 12)  # the thirteenth, the request, is the first that may have spaces
    if len(fields) < 13:
        raise InputError(f"{where}: {len(fields)} fields, an access log entry has at least 13")
    if fields[STATUS + 1] == "-":  # but for an instance that was asked, and hung up or did not answer
        lanes["container"].errors += fields[TARGET] != "-" and fields[STATUS].startswith("5")
        return
    lane = lanes["lambda" if fields[TARGET] == "-" else "container"]
    took, received, sent = fields[TARGET_TIME], fields[RECEIVED], fields[SENT]
    if fields[STATUS] in USUAL and PLAIN(f"{took} {received} {sent}"):  # nearly every entry: nothing in it can be wrong
        lane.target_ms.add(float(took) * 1000)
        lane.request_bytes.add(int(received))
        lane.response_bytes.add(int(sent))
        return
    named = {"elb_status_code": fields[STATUS], "target_processing_time": fields[TARGET_TIME]}
    named |= {"received_bytes": fields[RECEIVED], "sent_bytes": fields[SENT]}
    status = int(_number(named, "elb_status_code", where))
    if status >= 500:
        lane.errors += lane is lanes["container"]  # a function's own errors stand in its REPORT lines
        return
    if fields[TARGET_TIME] != "-1":
        lane.target_ms.add(_number(named, "target_processing_time", where) * 1000)
    lane.request_bytes.add(_number(named, "received_bytes", where))
    lane.response_bytes.add(_number(named, "sent_bytes", where))
