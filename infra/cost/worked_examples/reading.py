"""Reads a file of worked examples: JSON, `cases` with id, kind, inputs, the expected total and where it is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.cost.worked_examples.calculator import is_calculated, worked_out
from infra.cost.worked_examples.inputs import Inputs
from infra.cost.worked_examples.kinds import KINDS, kind_of
from infra.documents import read_json
from infra.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One example. `published` is the total that its source states; `tolerance` how far that is rounded, in dollars."""

    id: str
    kind: str
    inputs: Inputs
    published: Decimal
    tolerance: Decimal
    source: str
    note: str


def read_examples(path: Path) -> list[Example]:
    """All examples of a file; `InputError` names file, example and field."""
    return [example_of(where, case) for where, case in read_cases(path)]


def read_cases(path: Path) -> list[tuple[str, object]]:
    """Each case of a file and where it stands, not looked into yet; `InputError` for what is no file of cases."""
    document = read_json(path, parse_float=Decimal, parse_int=Decimal)
    cases = document.get("cases") if isinstance(document, dict) else document
    if not isinstance(cases, list) or not cases:
        raise InputError(f"{path}: must have cases, a list of worked examples")
    found: list[tuple[str, object]] = []
    for number, case in enumerate(cases, start=1):
        each = list(worked_out(f"{path}: case {number}", case)) if is_calculated(case) else [case]
        found += [(f"{path}: {_id(one) or f'case {number}'}", one) for one in each]
    return found


def _id(case: object) -> str | None:
    name = case.get("id") if isinstance(case, dict) else None
    return name if isinstance(name, str) and name else None


def example_of(where: str, case: object) -> Example:
    """One case; `InputError` names the field that is wrong."""
    if not isinstance(case, dict):
        raise InputError(f"{where}: must be a table with id, kind, inputs and expected")
    kind, inputs = kind_of(case.get("kind")), case.get("inputs")
    if kind is None:
        raise InputError(f"{where}: kind: {case.get('kind')!r} must be one of {', '.join(sorted(KINDS))}")
    if not isinstance(inputs, dict):
        raise InputError(f"{where}: inputs: must be a table")
    return Example(
        id=where.rpartition(": ")[2] if _id(case) is None else str(case["id"]),
        kind=kind,
        inputs=Inputs(where, inputs),
        published=_total(where, case),
        tolerance=Inputs(where, case).number("tolerance_usd", default=0),
        source=str(case.get("source", "")),
        note=str(case.get("note", "")),
    )


def _total(where: str, case: Mapping[str, Any]) -> Decimal:
    expected = case.get("expected")
    if not isinstance(expected, dict):
        raise InputError(f"{where}: expected: must be a table with the total")
    return Inputs(f"{where}: expected", expected).number("total", "total_usd", "total_cost", "monthly_usd", "usd")
