"""How a simulated supplier can misbehave, and how long it takes to answer; both can be set by a scenario file or at run time.

latency = "lognormal"                # or "fixed:5" (ms)
[faults]
rapid-01 = "status:500"
"*" = "hang"                         # every supplier
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from infra.documents import read_text, read_toml
from infra.errors import InputError
from infra.lab.simulator.inventory import SUPPLIERS

KINDS = {
    "status": "status:<code>, such as status:500",
    "garbage": "bytes that are no JSON",
    "truncated": "half an answer, then the connection closes",
    "redirect": "a redirect to another host",
    "huge": "a 200 MB answer",
    "hang": "never an answer",
    "reset": "the connection is reset",
    "drip": "a byte every 50 ms",
    "empty": "an empty body with status 200",
    "lie": "prices below zero",
    "currency": "prices in a currency that was not asked for",
    "throttle": "the format's own throttling answer",
}
MEDIAN_MS, P99_MS = 60.0, 500.0
_SIGMA = math.log(P99_MS / MEDIAN_MS) / 2.326  # 2.326: the 99th percentile of a standard normal


class Fault(NamedTuple):
    """A kind of `KINDS`, and the status code for `status`."""

    kind: str
    status: int = 0


def parse_fault(text: str) -> Fault:
    """`garbage`, `status:503` …; raises `InputError` naming what is known."""
    kind, _, value = text.partition(":")
    if kind == "status" and value.isdigit() and 100 <= int(value) <= 599:
        return Fault(kind, int(value))
    if kind in KINDS and kind != "status" and not value:
        return Fault(kind)
    raise InputError(f"unknown fault {text!r}; known: {', '.join('status:<code>' if k == 'status' else k for k in KINDS)}")


class Latency:
    """Draws each supplier's answering time: lognormal around its own seeded median, or one fixed time."""

    def __init__(self, spec: str, seed: int) -> None:
        self.spec = spec
        self._draw = self._fixed(spec) if spec.startswith("fixed:") else self._lognormal(spec, seed)

    def next_s(self, supplier: str) -> float:
        """The next answering time of this supplier, in seconds."""
        return self._draw(supplier)

    @staticmethod
    def _fixed(spec: str) -> Callable[[str], float]:
        try:
            milliseconds = float(spec.removeprefix("fixed:"))
        except ValueError:
            milliseconds = math.nan
        if not 0 <= milliseconds <= 60_000:
            raise InputError(f"latency: {spec!r} must be lognormal or fixed:<ms>, from 0 to 60000")
        return lambda supplier: milliseconds / 1000

    @staticmethod
    def _lognormal(spec: str, seed: int) -> Callable[[str], float]:
        if spec != "lognormal":
            raise InputError(f"latency: {spec!r} must be lognormal or fixed:<ms>")
        streams = {supplier: random.Random(f"{seed}:latency:{supplier}") for supplier in SUPPLIERS}
        centres = {supplier: math.log(MEDIAN_MS / 1000) + stream.gauss(0, 0.15) for supplier, stream in streams.items()}
        return lambda supplier: streams[supplier].lognormvariate(centres[supplier], _SIGMA)


class Scenario(NamedTuple):
    latency: str
    faults: dict[str, Fault]


def read_scenario(path: Path) -> Scenario:
    """Read a scenario; raises `InputError` naming file, line and field."""
    text, document = read_text(path), read_toml(path)
    unknown = set(document) - {"latency", "faults"}
    if unknown:
        raise _wrong(path, text, min(unknown), "unknown field; known: latency, faults")
    latency, faults = document.get("latency", "lognormal"), document.get("faults", {})
    if not isinstance(faults, dict):
        raise _wrong(path, text, "faults", "must be a table, as [faults]")
    try:
        Latency(str(latency), 0)
    except InputError as error:
        raise _wrong(path, text, "latency", str(error).removeprefix("latency: ")) from None
    parsed = {}
    for supplier, fault in faults.items():
        if supplier != "*" and supplier not in SUPPLIERS:
            known = f"{next(iter(SUPPLIERS))} to {next(reversed(SUPPLIERS))}"
            raise _wrong(path, text, supplier, f"no such supplier; they are {known}, or *", table="faults.")
        try:
            parsed[supplier] = parse_fault(str(fault))
        except InputError as error:
            raise _wrong(path, text, supplier, str(error), table="faults.") from None
    return Scenario(str(latency), parsed)


def _wrong(path: Path, text: str, key: str, reason: str, *, table: str = "") -> InputError:
    """One line naming file, line and field; the line is the first that sets or opens `key`."""
    pattern = re.compile(rf"""\s*\[?\s*(faults\s*\.\s*)?["']?{re.escape(key)}["']?\s*[=.\]]""")
    line = next((f", line {number}" for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), "")
    return InputError(f"{path}{line}: {table}{key}: {reason}")
