"""A correction that the bill suggests to the estimate. It is proposed, shown, and written only on request; a report uses it
only where its file is given, and then says so among its assumptions.

`cpu_scale` is what is corrected: CPU time in AWS over CPU time on the measuring machine, which is the one figure of the model
that no measurement outside AWS can give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from infra.cost.lane import CostOptions
from infra.documents import json_bytes, read_bytes, write_whole
from infra.errors import InputError

Said = tuple[tuple[str, str, str], ...]
LOWEST, HIGHEST = Decimal("0.01"), Decimal(100)


class Calibration(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file. `cpu_scale` and `was` are decimal numbers as text; `why` is the arithmetic in words."""

    schema: int
    lane: str
    cpu_scale: str
    was: str
    why: str
    period: str
    source: str


def scale_of(report: Mapping[str, Any]) -> Decimal:
    """The CPU scale that a report was made with."""
    for each in report["assumptions"]:
        if each["name"] == "CPU scale":
            return Decimal(str(each["value"]))
    raise InputError("the estimate says no CPU scale among its assumptions; make it anew with `crossover cost report --json`")


def write(calibration: Calibration, path: Path) -> None:
    try:
        write_whole(path, json_bytes(calibration))
    except OSError as error:
        raise InputError(f"--write-calibration {path}: cannot be written ({error.strerror})") from None


def read(path: Path) -> Calibration:
    """A calibration; `InputError` names the file and the field."""
    try:
        found = msgspec.json.decode(read_bytes(path), type=Calibration)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: not a calibration: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    if found.schema != 1:
        raise InputError(f"{path}: schema: {found.schema}, must be 1")
    if found.lane not in ("lambda", "container"):
        raise InputError(f"{path}: lane: {found.lane[:40]!r} must be lambda or container")
    for name in ("cpu_scale", "was"):
        text = str(getattr(found, name))
        try:
            scale = Decimal(text)
        except InvalidOperation:
            scale = Decimal("NaN")
        if not (scale.is_finite() and LOWEST <= scale <= HIGHEST):
            raise InputError(f"{path}: {name}: {text!r} must be a number of {LOWEST} to {HIGHEST}")
    return found


def calibrated(options: CostOptions, path: Path) -> tuple[CostOptions, Said]:
    """The options with the file's CPU scale, and what a report then says of it; refused beside a CPU scale of one's own."""
    found = read(path)
    if options.cpu_scale not in (1.0, float(found.cpu_scale)):
        raise InputError(f"--calibration {path}: the CPU scale is given as {options.cpu_scale:g} already; give one of the two")
    value = f"CPU scale {found.cpu_scale}, before {found.was}"
    why = f"calibrated on the {found.lane} lane's bill of {found.period} ({found.source}): {found.why}"
    return replace(options, cpu_scale=float(found.cpu_scale)), (("Calibration", value, why),)
