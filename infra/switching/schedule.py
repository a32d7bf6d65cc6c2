"""Switches by the clock: a week of changes from a file, checked, and what each is as an entry of EventBridge Scheduler.

Pure but for reading the file. Scheduler evaluates an entry in its own time zone: a time that the clock leaps over in spring is
skipped, one that comes twice in autumn is taken once (EventBridge Scheduler User Guide, "Schedule types").
`infra.switching.aws.schedules` writes entries, `infra.switching.aws.switcher` is what they start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct

from infra.documents import read_toml
from infra.errors import InputError
from infra.switching.plan import DEFAULT_STEPS, PREWARM_S, WRITE_S, Limits
from infra.switching.weights import Weights, parse_goal

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
DAY, WEEK = 24 * 60, 7 * 24 * 60
FALL_QUIET = 10
"""Minutes that the old lane has to fall quiet in, after the last step."""
AHEAD = 2 * 366
"""Days over which clock changes are looked for."""


class _Change(Struct, frozen=True, forbid_unknown_fields=True):
    days: str
    at: str
    to: str
    units: int | None = None
    steps: tuple[int, ...] = DEFAULT_STEPS


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    timezone: str
    change: tuple[_Change, ...]
    profile: str | None = None
    limits: dict[str, float | str] = {}
    smoke_path: str | None = None
    allow_version_skew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One switch a week, or on several days of it. `days` are 0 (Monday) to 6, `minute` is of the local day."""

    days: tuple[int, ...]
    minute: int
    goal: Weights
    to: str
    units: int | None
    steps: tuple[int, ...]
    limits: Limits

    @property
    def at(self) -> str:
        return f"{self.minute // 60:02}:{self.minute % 60:02}"

    @property
    def when(self) -> str:
        """`MON-FRI 07:00`."""
        return f"{days_text(self.days)} {self.at}"

    @property
    def name(self) -> str:
        """Of the entry: `mon-fri-0700-container`."""
        days = days_text(self.days).lower().replace(",", "_")
        return f"{days}-{self.at.replace(':', '')}-{re.sub('[^a-z0-9]+', '-', self.to)}"

    @property
    def expression(self) -> str:
        return f"cron({self.minute % 60} {self.minute // 60} ? * {days_text(self.days)} *)"

    @property
    def longest_min(self) -> int:
        """How long it may take at most until the next can begin."""
        return int((PREWARM_S + len(self.steps) * (WRITE_S + self.limits.max_bake_s)) / 60) + FALL_QUIET

    def minutes(self) -> tuple[int, ...]:
        """Of the week, from Monday 0:00."""
        return tuple(day * DAY + self.minute for day in self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A week of changes. `profile` is the file of a measured profile that says what the lanes need; the rest is as the
    options of `crossover switch` of these names."""

    timezone: str
    changes: tuple[Change, ...]
    profile: Path | None = None
    smoke_path: str | None = None
    allow_version_skew: bool = False

    def around(self) -> tuple[tuple[int, Change], ...]:
        """Every change of a week, in order, by its minute."""
        return tuple(sorted(((minute, each) for each in self.changes for minute in each.minutes()), key=lambda pair: pair[0]))


def read_schedule(path: Path, today: date) -> Schedule:
    """`InputError` names the file, the change and what would be right."""
    document = read_toml(path)
    try:
        return schedule_of(document, today, path.parent)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def schedule_of(document: Mapping[str, Any], today: date, folder: Path = Path()) -> Schedule:
    try:
        read = msgspec.convert(document, _File)
    except msgspec.ValidationError as error:
        raise InputError(str(error)) from None
    try:
        zone = ZoneInfo(read.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"timezone {read.timezone!r}: must be a name of the IANA database, as Europe/Berlin or UTC") from None
    limits = _limits(read.limits)
    changes = tuple(_change(number, each, limits) for number, each in enumerate(read.change, start=1))
    schedule = Schedule(
        timezone=read.timezone,
        changes=changes,
        profile=None if read.profile is None else folder / read.profile,
        smoke_path=read.smoke_path,
        allow_version_skew=read.allow_version_skew,
    )
    _refuse_what_cannot_be(schedule)
    for change in changes:
        _refuse_leap(change, zone, read.timezone, today)
    return schedule


def _limits(given: Mapping[str, float | str]) -> Limits:
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in Limits.__struct_fields__:
            raise InputError(f"limits.{name}: is not known; must be one of {', '.join(Limits.__struct_fields__)}")
        if isinstance(value, str) and (name, value) != ("loop_lag_ms", "none"):
            raise InputError(f"limits.{name}: {value!r} is no number")
        values[name] = None if isinstance(value, str) else int(value) if name == "min_samples" else value
    return Limits(**values)


def _change(number: int, given: _Change, limits: Limits) -> Change:
    where = f"change {number}"
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", given.at)
    if found is None:
        raise InputError(f"{where}: at {given.at!r}: must be a time of the day, as 07:00")
    try:
        goal = parse_goal(tuple(given.to.split()))
    except InputError as error:
        raise InputError(f"{where}: to {error}") from None
    if given.units is not None and given.units < 1:
        raise InputError(f"{where}: units {given.units}: must be 1 or more")
    steps = given.steps
    if not steps or list(steps) != sorted(set(steps)) or steps[0] < 1 or steps[-1] != 100:
        raise InputError(f"{where}: steps: must rise from 1 or more to 100, as [1, 5, 25, 50, 100]")
    return Change(
        days=_days(where, given.days),
        minute=int(found[1]) * 60 + int(found[2]),
        goal=goal,
        to=given.to,
        units=given.units,
        steps=steps,
        limits=limits,
    )


def _days(where: str, text: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in text.upper().split(","):
        first, dash, last = part.strip().partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise InputError(f"{where}: days {text!r}: must be days or spans of them, as MON-FRI or SAT,SUN")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found += [(begin + number) % 7 for number in range((end - begin) % 7 + 1)]
    if len(set(found)) != len(found):
        raise InputError(f"{where}: days {text!r}: name a day twice")
    return tuple(sorted(found))


def days_text(days: tuple[int, ...]) -> str:
    """`MON-FRI`, `SAT,SUN`, `MON-WED,FRI`: as EventBridge Scheduler's cron takes it."""
    spans: list[list[int]] = []
    for day in days:
        if spans and spans[-1][-1] + 1 == day:
            spans[-1].append(day)
        else:
            spans.append([day])
    parts = [f"{DAYS[span[0]]}-{DAYS[span[-1]]}" if len(span) > 2 else ",".join(DAYS[day] for day in span) for span in spans]
    return ",".join(parts)


def _refuse_what_cannot_be(schedule: Schedule) -> None:
    around = schedule.around()
    if len(around) < 2:
        raise InputError("change: a schedule has two changes at least, there and back")
    for (minute, change), (then, following) in _pairs(around):
        here, there = _moment(minute), _moment(then)
        apart = (then - minute) % WEEK
        if apart == 0:
            raise InputError(f"two changes at {here}: to {change.to} and to {following.to}")
        if change.goal.same_split(following.goal):
            raise InputError(f"nothing leads elsewhere between {here} and {there}, both to {change.to}: leave one out")
        if apart < change.longest_min:
            raise InputError(
                f"the change at {there} begins {apart} min after the one at {here}, which may take {change.longest_min} min "
                f"with {len(change.steps)} steps: they must be further apart, or have fewer steps"
            )


def _pairs(around: tuple[tuple[int, Change], ...]) -> Iterator[tuple[tuple[int, Change], tuple[int, Change]]]:
    """Each change and the one after it; the week closes upon itself."""
    yield from zip(around, (*around[1:], around[0]), strict=True)


def _moment(minute: int) -> str:
    return f"{DAYS[minute // DAY]} {minute % DAY // 60:02}:{minute % 60:02}"


def _refuse_leap(change: Change, zone: ZoneInfo, name: str, today: date) -> None:
    moment = time(change.minute // 60, change.minute % 60)
    for number in range(AHEAD):
        day = today + timedelta(days=number)
        if day.weekday() not in change.days:
            continue
        local = datetime.combine(day, moment, zone)
        if datetime.fromtimestamp(local.timestamp(), zone).time() != moment:
            raise InputError(
                f"{change.when} does not exist in {name} on {day}, when the clock is put forward, and would be skipped: take "
                "another time"
            )


def next_at(change_days: tuple[int, ...], minute: int, timezone: str, now: float) -> datetime:
    """When it is next due, with its zone."""
    zone = ZoneInfo(timezone)
    local = datetime.fromtimestamp(now, zone)
    for number in range(9):
        day = local.date() + timedelta(days=number)
        due = datetime.combine(day, time(minute // 60, minute % 60), zone)
        if day.weekday() in change_days and due.timestamp() > now:
            return due
    raise AssertionError("a week has each of its days")
