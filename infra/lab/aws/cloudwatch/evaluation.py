"""The state of a metric alarm, from its data points ("Configuring how CloudWatch alarms treat missing data", user guide).

CloudWatch looks at more points than the alarm's evaluation periods, in case the newest are not there yet: the evaluation
range, which its tables give as two more. Real points are taken before any missing one is filled in, the newest first.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
EXTRA_POINTS = 2
COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
MISSING = ("breaching", "notBreaching", "ignore", "missing")
TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True, slots=True)
class Point:
    """`value` None: there is none of the period that begins at `moment`."""

    moment: int
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """In alarm when `enough` of the last `of` points are on the wrong side of `threshold`."""

    comparison: str
    threshold: float
    enough: int
    of: int
    missing: str = "missing"

    @property
    def range(self) -> int:
        return self.of + EXTRA_POINTS

    def breaches(self, value: float) -> bool:
        return COMPARISONS[self.comparison][0](value, self.threshold)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state` None: as it was. `evaluated` are the real points that counted, newest first."""

    state: State | None
    reason: str
    evaluated: tuple[Point, ...] = ()


def evaluate(criterion: Criterion, points: Sequence[Point]) -> Verdict:
    """`points` are those of the evaluation range, newest first, the missing ones included."""
    recent = points[: criterion.range]
    real = [point for point in recent if point.value is not None]
    counted = tuple(real[: criterion.of])
    filled = criterion.of - len(counted)
    breaching = [point for point in counted if point.value is not None and criterion.breaches(point.value)]
    if filled and criterion.missing in ("missing", "ignore"):
        state = _with_gaps(criterion, recent, real, breaching)
    else:
        bad = len(breaching) + (filled if criterion.missing == "breaching" else 0)
        state = "ALARM" if bad >= criterion.enough else "OK"
    return Verdict(state, _told(criterion, state, counted, breaching), counted)


def _with_gaps(
    criterion: Criterion, recent: Sequence[Point], real: Sequence[Point], breaching: Sequence[Point]
) -> State | None:
    """Too few points, none of which is to be made up."""
    if not real:
        return "INSUFFICIENT_DATA" if criterion.missing == "missing" else None
    if len(breaching) >= criterion.enough:
        return "ALARM"
    if len(breaching) < len(real):
        return "OK"
    if criterion.missing == "ignore":
        return None
    # All that is known breaches, and long enough ago that what came after it should have been seen: "- - X - -".
    return "ALARM" if list(recent).index(real[-1]) + 1 >= criterion.enough else "OK"


def _told(criterion: Criterion, state: State | None, counted: Sequence[Point], breaching: Sequence[Point]) -> str:
    """In CloudWatch's words, as far as its published examples show them."""
    filled = criterion.of - len(counted)
    treated = f"{_many(filled, 'missing datapoint')} {_was(filled)} treated as [{TREATED.get(criterion.missing, '-')}]"
    if not counted and criterion.missing in TREATED:
        return f"Threshold Crossed: no datapoints were received for {_many(criterion.of, 'period')} and {treated}."
    if not counted:
        return f"Insufficient Data: {_many(criterion.of, 'datapoint')} {_was(criterion.of)} unknown."
    alarmed = state == "ALARM"
    within = [point for point in counted if point not in breaching]
    shown = breaching if alarmed or not within else within
    side = f"{_was(len(shown))} {'' if shown is breaching else 'not '}{COMPARISONS[criterion.comparison][1]}"
    values = ", ".join(f"{point.value} ({_when(point.moment)})" for point in shown)
    also = f" and {treated}" if filled and criterion.missing in TREATED else ""
    least, change = (criterion.enough, "OK -> ALARM") if alarmed else (criterion.of - criterion.enough + 1, "ALARM -> OK")
    return (
        f"Threshold Crossed: {len(shown)} out of the last {criterion.of} datapoints [{values}] {side} the threshold "
        f"({criterion.threshold}){also} (minimum {_many(least, 'datapoint')} for {change} transition)."
    )


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _when(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%d/%m/%y %H:%M:%S")


def fewest_samples(percentile: str) -> float:
    """Below so many a percentile says little ("Percentile-based alarms and low data samples", user guide)."""
    share = float(percentile[1:]) / 100
    if share in (0.0, 1.0):
        return 1.0
    return 10 / (1 - share) if share >= 0.5 else 10 / share
