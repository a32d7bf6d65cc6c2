"""Traffic from access logs of an Application Load Balancer: requests a minute by each entry's time field.

Entries are read one by one, so a log of any size needs memory only for one number a minute. Format: "Access logs for
your Application Load Balancer", AWS documentation (type, time, load balancer, client:port, ...).
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from infra.cost.large_files import log_lines
from infra.cost.traffic.profile import TrafficProfile
from infra.errors import InputError

TYPES = ("http", "https", "h2", "grpcs", "ws", "wss")
STEP_S = 60
MAX_MINUTES = 366 * 24 * 60
SECONDS = re.compile(r":[0-5][0-9](\.[0-9]{1,9})?Z", re.ASCII)
SHORTEST, FEWEST_FIELDS = 120, 13
"""Characters under which an entry is looked at for being cut off, and how many fields one has at least."""


def is_access_log_line(line: str) -> bool:
    """Whether a line starts as an access log entry does: a type, then a field that is not a CSV cell."""
    kind, _, rest = line.partition(" ")
    return kind in TYPES and "," not in rest.partition(" ")[0]


def read_access_log(path: Path) -> TrafficProfile:
    """Count the entries of one log, or of all `*.log` and `*.log.gz` below a folder, by the minute.

    A minute without an entry had no request: a log is complete where a metrics export may not be.
    """
    files = sorted([*path.rglob("*.log"), *path.rglob("*.log.gz")]) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path}: no *.log or *.log.gz in this folder")
    minutes: Counter[str] = Counter()
    for file in files:
        _count(file, minutes)
    if not minutes:
        raise InputError(f"{path}: no entries in it")
    stamps = {_minute(text): count for text, count in minutes.items()}
    start, end = min(stamps), max(stamps)
    steps = int((end - start).total_seconds()) // STEP_S + 1
    if steps > MAX_MINUTES:
        raise InputError(f"{path}: time: entries from {start:%Y-%m-%d} to {end:%Y-%m-%d}; at most a year can be read")
    rates = [0.0] * steps
    for stamp, count in stamps.items():
        rates[int((stamp - start).total_seconds()) // STEP_S] = count / STEP_S
    return TrafficProfile(
        step_s=STEP_S,
        rates=tuple(rates),
        source=f"access log {path.name}",
        start=start,
        parameters={"entries": minutes.total(), "files": len(files)},
        notes=(
            f"{minutes.total():,} entries in {steps:,} minutes; the first and last minute may be cut short",
            f"{rates.count(0.0):,} minutes without an entry, taken as no requests",
        ),
    )


def _count(file: Path, minutes: Counter[str]) -> None:
    for number, line in log_lines(file):
        fields = line.split(" ", 2)
        if len(fields) < 3 or fields[0] not in TYPES:
            if not line.strip():
                continue
            raise InputError(f"{file}: line {number}: type: {fields[0][:20].strip()!r} must be one of {', '.join(TYPES)}")
        minute, rest = fields[1][:16], fields[1][16:]
        if minute not in minutes or not SECONDS.fullmatch(rest):
            _check(fields[1], f"{file}: line {number}: time")
        if len(line) < SHORTEST and (count := len(line.split(" "))) < FEWEST_FIELDS:
            raise InputError(f"{file}: line {number}: {count} fields, an access log entry has at least {FEWEST_FIELDS}")
        minutes[minute] += 1


def _check(text: str, where: str) -> None:
    try:
        whole = datetime.fromisoformat(text)
    except ValueError:
        whole = None
    if whole is None or not SECONDS.fullmatch(text[16:]):
        raise InputError(f"{where}: {text[:40]!r} must be ISO 8601 in UTC such as 2026-01-31T13:05:00.000000Z")


def _minute(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
