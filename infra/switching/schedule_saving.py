"""What each change of a schedule saves, by the hours that `crossover cost schedule --json` priced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from infra.documents import read_json
from infra.errors import InputError
from infra.switching.schedule import WEEK, Schedule
from infra.switching.weights import all_on

WEEKS_A_MONTH = Decimal(730) / Decimal(24 * 7)
"""AWS's month of 730 hours, as the cost report has it."""


class _Hour(Struct, frozen=True):
    hour: int
    lambda_usd: Decimal
    container_usd: Decimal


class Hours(Struct, frozen=True):
    """The part of the cost engine's answer that is read here: dollars of each hour of a day or a week on each lane, UTC."""

    schema: int
    traffic: str
    hours: tuple[_Hour, ...]


def read_hours(path: Path) -> Hours:
    """`InputError` for what `crossover cost schedule --json` did not write."""
    try:
        found = msgspec.convert(
            read_json(path, besides="; `crossover cost schedule --json` writes it", parse_float=Decimal), Hours, strict=False
        )
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: is not what `crossover cost schedule --json` writes: {error}") from None
    if found.schema != 1 or len(found.hours) not in (24, 168):
        raise InputError(f"{path}: must be schema 1 with 24 or 168 hours, as `crossover cost schedule --json` writes it")
    return found


def savings(schedule: Schedule, hours: Hours | None, now: float) -> Mapping[str, Decimal | None]:
    """By an entry's name, dollars of compute a month that it saves over staying on the other lane until the next change.

    Hours are UTC and the schedule's are local: the zone's offset of the week of `now` counts. A change to a split is None: what
    the lanes cost there is not in the hours.
    """
    found: dict[str, Decimal | None] = {}
    around = schedule.around()
    monday = _monday(schedule.timezone, now)
    for (minute, change), (then, _) in zip(around, (*around[1:], around[0]), strict=True):
        lanes = [lane for lane in ("lambda", "container") if change.goal.same_split(all_on(lane))]
        if hours is None or not lanes:
            found[change.name] = None
            continue
        saved = _between(hours, monday, minute, (then - minute) % WEEK, lanes[0]) * WEEKS_A_MONTH
        before = found.get(change.name) or Decimal(0)
        found[change.name] = before + saved
    return {name: None if usd is None else usd.quantize(Decimal("0.01")) for name, usd in found.items()}


def _monday(timezone: str, now: float) -> datetime:
    local = datetime.fromtimestamp(now, ZoneInfo(timezone))
    return (local - timedelta(days=local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


def _between(hours: Hours, monday: datetime, minute: int, length: int, lane: str) -> Decimal:
    """Dollars a week that the lane saves from this minute of the local week on, for so many minutes."""
    offset = monday.utcoffset()
    assert offset is not None
    begin = minute - int(offset.total_seconds() // 60)
    saved, at = Decimal(0), begin
    while at < begin + length:
        until = min(begin + length, (at // 60 + 1) * 60)
        hour: Any = hours.hours[at // 60 % len(hours.hours)]
        gain = hour.lambda_usd - hour.container_usd
        saved += (gain if lane == "container" else -gain) * Decimal(until - at) / 60
        at = until
    return saved
