"""Reads back what `crossover cost actuals --json` printed, so that a report can show what was billed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from infra.cost.actuals.records import total
from infra.documents import read_bytes
from infra.errors import InputError

Exact = Annotated[str, Meta(pattern=r"^-?\d{1,30}(\.\d{1,150})?$")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class _Line(Struct, frozen=True):
    name: str
    estimated_usd: Exact
    billed_usd: Exact
    change_usd: Exact
    rate_usd: Exact
    volume_usd: Exact
    mix_usd: Exact


class _Unexplained(Struct, frozen=True):
    what: str
    why: str
    usd: Exact


class _Forecast(Struct, frozen=True):
    usd: Exact
    so_far_usd: Exact
    method: str


class _Budget(Struct, frozen=True):
    usd: Exact
    over: bool


class _Calibration(Struct, frozen=True):
    cpu_scale: str
    was: str
    why: str


class _Billed(Struct, frozen=True):
    schema: Literal[1]
    source: str
    stage: str
    lane: str
    basis: Literal["amortized", "cash"]
    first_day: Day
    last_day: Day
    estimated_usd: Exact
    billed_usd: Exact
    lines: tuple[_Line, ...]
    unexplained: tuple[_Unexplained, ...]
    forecast: _Forecast
    budget: _Budget | None
    calibration: _Calibration | None
    no_calibration: str | None


def read_actuals(path: Path) -> dict[str, Any]:
    """The document, every field that a report shows checked; `InputError` naming the file, and the field where one is wrong."""
    try:
        document = msgspec.json.decode(read_bytes(path))
        billed = msgspec.convert(document, _Billed)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: not what `crossover cost actuals --json` prints: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}; `crossover cost actuals --json` prints it") from None
    lines = total(Decimal(each) for each in (*(_.billed_usd for _ in billed.lines), *(_.usd for _ in billed.unexplained)))
    if lines != Decimal(billed.billed_usd):
        raise InputError(
            f"{path}: billed_usd: {billed.billed_usd}, but its lines and what is unexplained add up to {lines:f}; make it anew "
            "with `crossover cost actuals --json`"
        )
    return dict(document)
