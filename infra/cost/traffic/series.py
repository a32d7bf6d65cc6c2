"""Traffic from a CSV series: `timestamp,value` with counts a period or a rate, or 24 rows of a typical day.

The period is the median step between stamps, so a real export with gaps and odd stamps reads as what it is;
what was found is said in the profile's notes.
"""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, pairwise
from pathlib import Path
from statistics import median_low
from typing import Any

from infra.cost.large_files import open_text
from infra.cost.traffic.profile import TrafficProfile, check_rate
from infra.errors import InputError

STAMP_COLUMNS = ("timestamp", "time", "date", "datetime", "bin")
COUNT_COLUMNS = ("value", "count", "requests", "searches", "sum", "requestcount", "hits")
RATE_COLUMNS = ("rate", "rps", "requests_per_second", "searches_per_second", "requests/s", "req/s")
SEPARATORS = ",;\t|"
"""Excel writes semicolons where the comma is the decimal sign, what is copied out of a sheet has tabs."""
HOUR_COLUMN = "hour"
MAX_MISSING_SHARE = 0.5
MAX_ROWS = 2_000_000
MAX_PERIOD_S = 31 * 86_400
MADE = re.compile(r"\s*\((\*|utc|gmt|\d+[smhd])\)$", re.ASCII)
OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$", re.ASCII)
YEAR_FIRST = re.compile(r"^(\d{4})/(\d\d)/(\d\d)", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1990, 2100

Row = tuple[int, str, float]
"""Line number, first column as it stands, value."""


def read_series(path: Path) -> TrafficProfile:
    """Read a series; `InputError` names file, line and field of what is wrong."""
    with open_text(path) as stream:
        try:
            head = _head(stream)
            separator = max(SEPARATORS, key=head[-1].count)  # the first of them where none is there
            reader = csv.reader(chain(head, stream), delimiter=separator)
            written = next((row for row in reader if row), [])
            header = [_name(cell) for cell in written]
            first, value, is_rate = _columns(header, f"{path}: line 1: {separator.join(written)[:80]!r}")
            rows = list(_rows(reader, path, header, first, value))
        except csv.Error as error:
            raise InputError(f"{path}: line {reader.line_num}: not a line of CSV ({error})") from None
    if not rows:
        raise InputError(f"{path}: line 2: no data below the header {','.join(header)}")
    if header[first] == HOUR_COLUMN:
        return _typical_day(rows, path, is_rate)
    return _stamped(rows, path, header[first], is_rate)


def _head(stream: Iterable[str]) -> list[str]:
    """The lines up to the first that is not blank."""
    head = []
    for line in stream:
        head.append(line)
        if line.strip():
            break
    return head or [""]


def _name(cell: str) -> str:
    """A column's name without what says how it was made: `@timestamp`, `bin(5m)`, `count(*)`, `Time (UTC)`."""
    return MADE.sub("", cell.strip().lower()).removeprefix("@").replace(" ", "_")


def _columns(header: Sequence[str], written: str) -> tuple[int, int, bool]:
    """Index of the time column, index of the value column, and whether the value is a rate; `written` says where and what."""
    wanted = "; it must be a header such as timestamp,value (a count a period), timestamp,rate or hour,value"
    for row in ((*STAMP_COLUMNS, HOUR_COLUMN), COUNT_COLUMNS + RATE_COLUMNS):
        found = [name for name in header if name in row]
        if len(found) != 1:
            raise InputError(f"{written} has {len(found) or 'none'} of {', '.join(row)}{wanted}")
    value = next(i for i, name in enumerate(header) if name in COUNT_COLUMNS + RATE_COLUMNS)
    first = next(i for i, name in enumerate(header) if name in STAMP_COLUMNS or name == HOUR_COLUMN)
    return first, value, header[value] in RATE_COLUMNS


def _rows(reader: Any, path: Path, header: Sequence[str], first: int, value: int) -> Iterator[Row]:
    """Of the columns `first` and `value`. `reader` is one of `csv`: it knows the line in the file, beyond which a quoted cell
    may go. A row longer than the header would have a value cut at its comma."""
    for number, row in enumerate(reader, start=1):
        line = reader.line_num
        if number > MAX_ROWS:
            raise InputError(f"{path}: line {line}: more than {MAX_ROWS:,} rows; sum them to minutes")
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= max(first, value):
            raise InputError(f"{path}: line {line}: {header[value]}: missing; the line has {len(row)} fields")
        if any(cell.strip() for cell in row[len(header) :]):
            more = "write numbers without signs between thousands"
            raise InputError(f"{path}: line {line}: {len(row)} fields, the header has {len(header)}; {more}")
        text = row[value].strip()
        yield line, row[first].strip(), _number(text, f"{path}: line {line}: {header[value]}")


def _number(text: str, where: str) -> float:
    """Plain digits: Python would take `1_000` and other scripts' digits too."""
    try:
        number = float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        number = None
    if number is None:
        point = "; write it with a point, and without signs between thousands" if "," in text else ""
        raise InputError(
            f"{where}: {text[:40]!r} is not a number{point}" if text else f"{where}: empty; leave out what is not known"
        )
    if not math.isfinite(number) or number < 0:
        raise InputError(f"{where}: {text} must be a finite number of 0 or more")
    return number


def _typical_day(rows: Sequence[Row], path: Path, is_rate: bool) -> TrafficProfile:
    day: dict[int, float] = {}
    for line, text, value in rows:
        if not text.isascii() or not text.isdigit() or int(text) > 23:
            raise InputError(f"{path}: line {line}: hour: {text!r} must be 0 to 23")
        if int(text) in day:
            raise InputError(f"{path}: line {line}: hour: {text} stands twice; each hour of 0 to 23 once")
        day[int(text)] = check_rate(value if is_rate else value / 3600, f"{path}: line {line}: value")
    missing = sorted(set(range(24)) - set(day))
    if missing:
        raise InputError(f"{path}: hour: {', '.join(map(str, missing))} missing; each hour of 0 to 23 once")
    return TrafficProfile(step_s=3600, rates=tuple(day[hour] for hour in range(24)), source=f"typical day of {path.name}")


def _stamped(rows: Sequence[Row], path: Path, column: str, is_rate: bool) -> TrafficProfile:
    stamped = [(line, _stamp(text, f"{path}: line {line}: {column}"), value) for line, text, value in rows]
    times = sorted({stamp for _, stamp, _ in stamped})
    if len(times) < 2:
        raise InputError(f"{path}: {column}: at least two different stamps are needed to know the period")
    period = round(median_low([(b - a).total_seconds() for a, b in pairwise(times)]))
    if period < 1:
        raise InputError(f"{path}: {column}: the stamps are less than a second apart; sum them to seconds or more")
    if period > MAX_PERIOD_S:
        raise InputError(
            f"{path}: {column}: the stamps are {period / 86_400:,.0f} days apart; a month at most tells of traffic"
        )
    start = times[0]
    slots: dict[int, list[float]] = defaultdict(list)
    odd = 0
    for line, stamp, value in stamped:
        offset = (stamp - start).total_seconds()
        slot = round(offset / period)
        odd += abs(offset - slot * period) > 0.5
        slots[slot].append(check_rate(value if is_rate else value / period, f"{path}: line {line}: value"))
    count = max(slots) + 1
    missing = count - len(slots)
    if missing > MAX_MISSING_SHARE * count:
        raise InputError(
            f"{path}: {column}: {missing} of {count} periods of {period} s are missing; more than half cannot be filled"
        )
    disordered = sum(b < a for (_, a, _), (_, b, _) in pairwise(stamped))
    notes = _notes(period, missing, odd, sum(len(values) - 1 for values in slots.values()), disordered, _offsets(rows))
    return TrafficProfile(
        step_s=period,
        rates=filled({slot: math.fsum(values) / len(values) for slot, values in slots.items()}, count),
        source=f"series {path.name}",
        start=start,
        notes=notes,
        parameters={"rows": len(rows), "gaps": missing, "period_s": period},
    )


def _stamp(text: str, where: str) -> datetime:
    """ISO 8601, with slashes too, or seconds since 1970, or thousandths, millionths or billionths of them by their number of
    digits; without an offset it is taken as UTC."""
    try:
        if not text.isascii():
            raise ValueError(text)
        if text.replace(".", "", 1).isdigit() and (digits := len(text.split(".")[0])) > 8:
            stamp = datetime.fromtimestamp(float(text) / 1000 ** max(0, (digits - 8) // 3), tz=UTC)
        else:
            plain = re.sub(r" ?(UTC|GMT)$", "Z", YEAR_FIRST.sub(r"\1-\2-\3", text))
            stamp = datetime.fromisoformat(plain)
            stamp = stamp.astimezone(UTC) if stamp.tzinfo else stamp.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        raise InputError(f"{where}: {text[:40]!r} must be ISO 8601 such as 2026-01-31 13:05:00 or seconds since 1970") from None
    if not FIRST_YEAR <= stamp.year < LAST_YEAR:
        raise InputError(f"{where}: {text[:40]!r} is in the year {stamp.year}; must be from {FIRST_YEAR} to {LAST_YEAR - 1}")
    return stamp


def filled(known: dict[int, float], count: int) -> tuple[float, ...]:
    """All slots in order; a missing one lies on the straight line between its neighbours (unknown is not zero)."""
    rates: list[float] = []
    slots = sorted(known)
    for left, right in pairwise(slots):
        step = (known[right] - known[left]) / (right - left)
        rates.extend(max(0.0, known[left] + step * i) for i in range(right - left))
    rates.append(known[slots[-1]])
    assert len(rates) == count
    return tuple(rates)


def gaps_note(missing: int) -> tuple[str, ...]:
    """What is said of periods that are missing; nothing of none."""
    if not missing:
        return ()
    return (f"{missing:,} missing period{'' if missing == 1 else 's'}, filled on the line between their neighbours",)


def _offsets(rows: Sequence[Row]) -> tuple[str, ...]:
    """The offsets from UTC that stand in the stamps, "none" among them; none where they are alike."""
    found = dict.fromkeys(
        (match[0].replace("Z", "+00:00") if (match := OFFSET.search(text)) else "none") for _, text, _ in rows
    )
    return tuple(found) if len(found) > 1 else ()


def _notes(period: int, missing: int, odd: int, repeated: int, disordered: int, offsets: tuple[str, ...]) -> tuple[str, ...]:
    notes = [f"one row every {period} s (median step)", *gaps_note(missing)]
    if odd:
        notes.append(f"{odd} stamps off the period, moved to the nearest one")
    if repeated:
        notes.append(f"{repeated} rows repeat a period (a clock change?), averaged with the row they repeat")
    if disordered:
        notes.append(f"{disordered} rows out of order, sorted")
    if offsets:
        none = "; where none stands it is taken as UTC" if "none" in offsets else ""
        notes.append(f"stamps with different offsets from UTC ({', '.join(offsets[:6])}), brought to UTC{none}")
    return tuple(notes)
