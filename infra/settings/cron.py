"""Cron expressions as EC2 Auto Scaling takes them: minute, hour, day of the month, month, day of the week.

Checked here, for AWS refuses a wrong one in the middle of a deployment only; and read, for the cost model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Lowest and highest value of each field, and the names that stand for values from the lowest up.
FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, MONTHS), (0, 7, DAYS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """When an expression fires: `minutes` of the day, `days` of the month, `months`, `weekdays` from Sunday 0. Where day of the
    month and of the week are both restricted (`either`), one of them is enough, as in crontab(5)."""

    minutes: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    @property
    def weekly(self) -> bool:
        """Whether every week is like the others."""
        return len(self.months) == 12 and not self.either and len(self.days) == 31

    def fires_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either else by_date and by_weekday


def is_cron(text: str) -> bool:
    """Each field a comma-separated list of `*`, `N`, `N-M`, each with `/STEP` or without."""
    fields = text.split(" ")
    return len(fields) == len(FIELDS) and all(
        _is_item(item, *bounds) for field, bounds in zip(fields, FIELDS, strict=True) for item in field.split(",")
    )


def read_cron(text: str) -> Cron:
    """What `is_cron` takes; a step after a single value runs from it to the field's end."""
    minutes, hours, days, months, weekdays = (
        frozenset(value for item in field.split(",") for value in _values(item, *bounds))
        for field, bounds in zip(text.split(" "), FIELDS, strict=True)
    )
    _, _, day, _, weekday = text.split(" ")
    return Cron(
        minutes=tuple(sorted(60 * hour + minute for hour in hours for minute in minutes)),
        days=days,
        months=months,
        weekdays=frozenset(each % 7 for each in weekdays),
        either=not day.startswith("*") and not weekday.startswith("*"),
    )


def _values(item: str, low: int, high: int, names: tuple[str, ...]) -> range:
    span, stepped, step = item.partition("/")
    first, to, last = span.partition("-")
    if first == "*":
        start, end = low, high
    else:
        start = _value(first, low, names)
        end = _value(last, low, names) if to else high if stepped else start
    return range(start, end + 1, int(step) if stepped else 1)


def _is_item(item: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    found = re.fullmatch(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d{1,2}))?", item, re.ASCII)
    if not found or (found[3] and int(found[3]) < 1):
        return False
    values = [_value(text, low, names) for text in found.groups()[:2] if text is not None]
    return all(low <= value <= high for value in values) and values == sorted(values)


def _value(text: str, low: int, names: tuple[str, ...]) -> int:
    """-1 where the text is no value."""
    if text.upper() in names:
        return low + names.index(text.upper())
    return int(text) if text.isdecimal() else -1
