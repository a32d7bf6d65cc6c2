"""Enough of CloudWatch's metric math to evaluate one point of the kit's formulas."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from infra.components.watch.widgets import Formula, Line

PERIOD_S = 300


def evaluate(lines: Iterable[Line | Formula], values: Mapping[str, float | None]) -> dict[str, float]:
    """The value of each formula, in order, for metrics' values by id; None is a minute without data."""
    known: dict[str, Any] = {
        **values,
        "FILL": lambda value, fill: fill if value is None else value,
        "PERIOD": lambda _: PERIOD_S,
        "IF": lambda condition, then, otherwise: then if condition else otherwise,
        "CEIL": math.ceil,
        "MAX": max,
    }
    found: dict[str, float] = {}
    for line in lines:
        if isinstance(line, Formula):
            assert re.fullmatch(r"[A-Za-z0-9_ .,*/()+<>=\[\]-]+", line.expression), line.expression
            found[line.id] = known[line.id] = eval(line.expression, {"__builtins__": {}}, known)
    return found
