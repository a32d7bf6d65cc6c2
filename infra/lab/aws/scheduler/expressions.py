"""Schedule expressions of EventBridge Scheduler: `cron(…)`, `rate(…)` and `at(…)`, and when each is due.

As its User Guide has them ("Schedule types"): six fields of cron, of which day of month and day of week exclude each other; a
time that the clock leaps over in spring is skipped, one that comes twice in autumn is taken once. `L`, `W` and `#` are not
done here, and refused as such.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from infra.errors import InputError

UNITS_S = {"minute": 60, "hour": 3_600, "day": 86_400}
MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = {name.upper(): number % 7 + 1 for number, name in enumerate(calendar.day_abbr, start=1)}
AHEAD_DAYS = 9 * 366
"""Over which a date is looked for: the 29th of February is eight years away where a century has no leap year."""


@dataclass(frozen=True, slots=True)
class Rate:
    """From when the schedule was made, or changed, on."""

    every_s: int

    def after(self, moment: float, since: float, zone: ZoneInfo) -> float | None:
        return since + (int((moment - since) // self.every_s) + 1) * self.every_s


@dataclass(frozen=True, slots=True)
class Once:
    """`at` is local, without its zone."""

    at: datetime

    def after(self, moment: float, since: float, zone: ZoneInfo) -> float | None:
        due = self.at.replace(tzinfo=zone).timestamp()
        return due if due > moment else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """`days` are of the month, `weekdays` 1 (Sunday) to 7; the one that is None is the other's."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int]

    def after(self, moment: float, since: float, zone: ZoneInfo) -> float | None:
        first = datetime.fromtimestamp(moment, zone).date()
        for number in range(AHEAD_DAYS):
            day = first + timedelta(days=number)
            if not self._is_on(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    if due.timestamp() > moment and _exists(due, zone):
                        return due.timestamp()
        return None

    def _is_on(self, day: date) -> bool:
        if day.year not in self.years or day.month not in self.months:
            return False
        if self.days is not None:
            return day.day in self.days
        return self.weekdays is not None and day.isoweekday() % 7 + 1 in self.weekdays


Expression = Rate | Once | Cron


def _exists(local: datetime, zone: ZoneInfo) -> bool:
    return datetime.fromtimestamp(local.timestamp(), zone).replace(tzinfo=None) == local.replace(tzinfo=None)


def read_expression(text: str) -> Expression:
    """`InputError` says what is wrong with it; AWS says no more than that it is invalid."""
    found = re.fullmatch(r"(cron|rate|at)\((.*)\)", text)
    if found is None:
        raise InputError(f"{text!r} is none of cron(…), rate(…) and at(…)")
    kind, inside = found.groups()
    if kind == "rate":
        return _rate(inside)
    return _cron(inside) if kind == "cron" else _once(inside)


def _rate(inside: str) -> Rate:
    found = re.fullmatch(r"([1-9]\d*) (minute|hour|day)(s?)", inside)
    if found is None or (found[1] == "1") == bool(found[3]):
        raise InputError(f"rate({inside}): must be as 1 minute, 5 minutes, 1 hour or 2 days")
    return Rate(int(found[1]) * UNITS_S[found[2]])


def _once(inside: str) -> Once:
    try:
        return Once(datetime.strptime(inside, "%Y-%m-%dT%H:%M:%S"))  # noqa: DTZ007 - its zone stands beside it
    except ValueError:
        raise InputError(f"at({inside}): must be as 2027-01-31T07:00:00") from None


def _cron(inside: str) -> Cron:
    fields = inside.split()
    if len(fields) != 6:
        raise InputError(f"cron({inside}): has {len(fields)} fields, not minutes hours day-of-month month day-of-week year")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise InputError(f"cron({inside}): one of day-of-month and day-of-week must be ?, and not both")
    return Cron(
        minutes=_field(minutes, 0, 59),
        hours=_field(hours, 0, 23),
        days=None if days == "?" else _field(days, 1, 31),
        months=_field(months, 1, 12, MONTHS),
        weekdays=None if weekdays == "?" else _field(weekdays, 1, 7, WEEKDAYS),
        years=_field(years, 1970, 2199),
    )


def _field(text: str, least: int, most: int, names: Mapping[str, int] | None = None) -> frozenset[int]:
    """`*`, numbers or names, spans `a-b` (which may go round a week or a year), steps `a/n` and `*/n`, and commas."""
    values: set[int] = set()
    for part in text.upper().split(","):
        span, slash, every = part.partition("/")
        begin, dash, end = span.partition("-")
        if slash and not re.fullmatch(r"[1-9]\d*", every):
            raise InputError(f"{text}: a step must be a whole number above 0")
        if span == "*":
            first, last = least, most
        else:
            first = _value(text, begin, least, most, names)
            last = _value(text, end, least, most, names) if dash else (most if slash else first)
        if last < first and names is None:
            raise InputError(f"{text}: {first} is above {last}")
        size = (last - first) % (most - least + 1)
        values.update(least + (first - least + ahead) % (most - least + 1) for ahead in range(0, size + 1, int(every or 1)))
    return frozenset(values)


def _value(whole: str, text: str, least: int, most: int, names: Mapping[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if re.fullmatch(r"(\d*L|L-\d+|\d+W|LW|\w+#\d)", text):
        raise InputError(f"{whole}: L, W and # are not done by the local AWS")
    if not re.fullmatch(r"\d+", text) or not least <= int(text) <= most:
        raise InputError(
            f"{whole}: {text!r} is not {least} to {most}{f' or {next(iter(names))} and the like' if names else ''}"
        )
    return int(text)


def stamp(moment: float) -> str:
    """As `<aws.scheduler.scheduled-time>` is put in."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
