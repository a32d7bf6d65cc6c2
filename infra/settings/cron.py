"""Whether text is a cron expression as EC2 Auto Scaling takes it: minute, hour, day of the month, month, day of the week.

Checked here, for AWS refuses a wrong one in the middle of a deployment only.
"""

from __future__ import annotations

import re

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Lowest and highest value of each field, and the names that stand for values from the lowest up.
FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, MONTHS), (0, 7, DAYS))


def is_cron(text: str) -> bool:
    """Each field a comma-separated list of `*`, `N`, `N-M`, each with `/STEP` or without."""
    fields = text.split(" ")
    return len(fields) == len(FIELDS) and all(
        _is_item(item, *bounds) for field, bounds in zip(fields, FIELDS, strict=True) for item in field.split(",")
    )


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
