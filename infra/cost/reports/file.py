"""Reads a report.json back, for what compares reports: every field that is used later is checked here, so that a file edited by
hand or cut short is one clear line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from infra.documents import read_bytes
from infra.errors import InputError

Exact = Annotated[str, Meta(pattern=r"^-?\d{1,30}(\.\d{1,60})?$")]
Amount = Annotated[float, Meta(ge=0, lt=1e30)]


class _Line(Struct, frozen=True):
    name: str
    service: str
    dimension: str
    quantity: Exact
    unit: str
    unit_price: Exact
    usd_exact: Exact
    resources: tuple[str, ...] = ()


class _Capacity(Struct, frozen=True):
    billed_ms_per_search: Amount = 0
    mean_instances: Amount = 0


class _Lane(Struct, frozen=True):
    title: str
    usd_per_month_exact: Exact
    searches_per_month: Amount
    capacity: _Capacity
    lines: tuple[_Line, ...]


class _Lanes(Struct, frozen=True):
    lambda_lane: _Lane = msgspec.field(name="lambda")
    container: _Lane


class _Measured(Struct, frozen=True):
    wait_ms: Amount


class _MeasuredLanes(Struct, frozen=True):
    lambda_lane: _Measured = msgspec.field(name="lambda")


class _Assumption(Struct, frozen=True):
    name: str
    value: str


class _Choice(Struct, frozen=True):
    egress: str
    chosen: bool


class _Traffic(Struct, frozen=True):
    source: str


class _Prices(Struct, frozen=True):
    region: str
    as_of: str


class _Report(Struct, frozen=True):
    schema: Literal[1]
    headline: str
    cheaper_lane: Literal["lambda", "container"]
    measured: _MeasuredLanes
    lanes: _Lanes
    network_choices: tuple[_Choice, ...]
    traffic: _Traffic
    prices: _Prices
    assumptions: tuple[_Assumption, ...]
    not_priced: tuple[str, ...]


def read_report(path: Path) -> dict[str, Any]:
    """A report.json; `InputError` naming the file, and the field where one is wrong."""
    try:
        document = msgspec.json.decode(read_bytes(path))
        report = msgspec.convert(document, _Report)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: not a report, which `crossover cost report --json` writes: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}; `crossover cost report --json` writes a report") from None
    for name, lane in (("lambda", report.lanes.lambda_lane), ("container", report.lanes.container)):
        lines = sum((Decimal(line.usd_exact) for line in lane.lines), Decimal(0))
        if lines != Decimal(lane.usd_per_month_exact):
            raise InputError(
                f"{path}: lanes.{name}: its lines add up to {lines:f}, usd_per_month_exact is {lane.usd_per_month_exact}; "
                "make it anew with `crossover cost report --json`"
            )
    return dict(document)
