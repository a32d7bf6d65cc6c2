"""The value of metric math: numbers, time series, arrays of them ("Metric math syntax and functions", user guide).

In arithmetic and comparisons a value that one of two series lacks counts as 0; a point that would divide by zero is dropped.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from infra.errors import InputError
from infra.lab.aws.cloudwatch.expression import Array, Call, Name, Node, Number, Operation, Text

TimeSeries = Mapping[int, float]
"""Values by the beginning of their period; what is missing is not there."""
Value = float | TimeSeries | list[TimeSeries]


def _divide(left: float, right: float) -> float | None:
    return None if right == 0 else left / right


def _power(left: float, right: float) -> float | None:
    try:
        raised = left**right
    except (OverflowError, ZeroDivisionError):
        return None
    return raised if isinstance(raised, float) else None


OPERATORS: dict[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "^": _power,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<": lambda left, right: float(left < right),
    ">": lambda left, right: float(left > right),
    "<=": lambda left, right: float(left <= right),
    ">=": lambda left, right: float(left >= right),
    "&&": lambda left, right: float(left != 0 and right != 0),
    "||": lambda left, right: float(left != 0 or right != 0),
}
ROUNDINGS: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
SUMMARIES: dict[str, Callable[[Sequence[float]], float]] = {
    "AVG": lambda values: math.fsum(values) / len(values),
    "MAX": max,
    "MIN": min,
    "SUM": math.fsum,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression can name: other queries' values and periods, the metrics among them, and all periods asked for."""

    value: Callable[[str], Value]
    period: Callable[[str], int]
    metrics: Mapping[str, TimeSeries]
    moments: Sequence[int]


def evaluate(node: Node, scope: Scope) -> Value:
    """Raises `InputError` for what has no value."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Name):
        return scope.value(node.id)
    if isinstance(node, Array):
        return [_series(value, "an array") for member in node.members for value in _members(evaluate(member, scope))]
    if isinstance(node, Operation):
        return _operate(OPERATORS[node.operator], evaluate(node.left, scope), evaluate(node.right, scope))
    if isinstance(node, Text):
        _refuse(f"{node.value!r} stands alone")
    return _call(node, scope)


def _operate(compute: Callable[[float, float], float | None], left: Value, right: Value) -> Value:
    if isinstance(left, list) and isinstance(right, list):
        _refuse("an operator between two arrays")
    if isinstance(left, list):
        return [_series(_operate(compute, each, right), "an array") for each in left]
    if isinstance(right, list):
        return [_series(_operate(compute, left, each), "an array") for each in right]
    if isinstance(left, float) and isinstance(right, float):
        found = compute(left, right)
        return {} if found is None else found
    moments = sorted({*(left if isinstance(left, Mapping) else ()), *(right if isinstance(right, Mapping) else ())})
    points = {moment: compute(_at(left, moment), _at(right, moment)) for moment in moments}
    return {moment: value for moment, value in points.items() if value is not None}


def _call(call: Call, scope: Scope) -> Value:
    name, arguments = call.function, call.arguments
    if name == "METRICS":
        return _metrics(arguments, scope)
    if name == "PERIOD":
        if len(arguments) != 1 or not isinstance(arguments[0], Name):
            _refuse("PERIOD takes the id of a metric")
        return float(scope.period(arguments[0].id))
    values = [evaluate(argument, scope) for argument in arguments]
    if name == "IF" and len(values) in (2, 3):
        return _choose(values[0], values[1], values[2] if len(values) == 3 else None)
    if name == "FILL" and len(values) == 2:
        return _each(values[0], lambda series: {moment: series.get(moment, _at(values[1], moment)) for moment in scope.moments})
    if name in ROUNDINGS and len(values) == 1:
        rounded = ROUNDINGS[name]
        if isinstance(values[0], float):
            return float(rounded(values[0]))
        return _each(values[0], lambda series: {moment: float(rounded(value)) for moment, value in series.items()})
    if name in SUMMARIES and len(values) == 1:
        return _summary(name, values[0])
    _refuse(f"{name} does not take {len(values)} arguments")


def _metrics(arguments: Sequence[Node], scope: Scope) -> Value:
    if len(arguments) > 1 or not all(isinstance(argument, Text) for argument in arguments):
        _refuse("METRICS takes nothing or one text in quotes")
    part = next((argument.value for argument in arguments if isinstance(argument, Text)), "")
    return [series for id, series in scope.metrics.items() if part in id]


def _choose(condition: Value, true: Value, false: Value | None) -> Value:
    """By the condition's points: a true one without a value is 0, a false one without a value is dropped."""
    if isinstance(condition, list) or isinstance(true, list) or isinstance(false, list):
        _refuse("IF takes numbers and time series, no arrays")
    if isinstance(condition, float):
        chosen = true if condition else false
        return {} if chosen is None else chosen
    points: dict[int, float] = {}
    for moment, value in condition.items():
        if value:
            points[moment] = _at(true, moment)
        elif isinstance(false, float):
            points[moment] = false
        elif false is not None and moment in false:
            points[moment] = false[moment]
    return points


def _summary(name: str, value: Value) -> Value:
    """Of one series a number, of an array a series; the mean counts what is missing as 0."""
    summarize = SUMMARIES[name]
    if isinstance(value, float):
        _refuse(f"{name} of a number")
    if isinstance(value, Mapping):
        return summarize(list(value.values())) if value else {}
    found: dict[int, float] = {}
    for moment in sorted({moment for series in value for moment in series}):
        there = [series[moment] for series in value if moment in series]
        missing = [0.0] * (len(value) - len(there) if name == "AVG" else 0)
        found[moment] = summarize(there + missing)
    return found


def _each(value: Value, change: Callable[[TimeSeries], TimeSeries]) -> Value:
    if isinstance(value, list):
        return [change(series) for series in value]
    if isinstance(value, Mapping):
        return change(value)
    _refuse("a function of time series got a number")


def _at(value: Value, moment: int) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, list):
        _refuse("an array where a number or one time series is expected")
    return value.get(moment, 0.0)


def _members(value: Value) -> Sequence[Value]:
    return value if isinstance(value, list) else [value]


def _series(value: Value, where: str) -> TimeSeries:
    if not isinstance(value, Mapping):
        _refuse(f"{where} of something else than time series")
    return value


def _refuse(why: str) -> NoReturn:
    raise InputError(f"metric math: {why}")
