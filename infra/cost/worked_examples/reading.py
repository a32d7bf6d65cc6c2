"""Reads a file of worked examples: JSON, `cases` with id, kind, inputs, the expected total and where it is published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.cost.worked_examples.inputs import Inputs
from infra.cost.worked_examples.kinds import KINDS, kind_of
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
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from None
    cases = document.get("cases") if isinstance(document, dict) else document
    if not isinstance(cases, list) or not cases:
        raise InputError(f"{path}: must have cases, a list of worked examples")
    return [_example(path, number, case) for number, case in enumerate(cases, start=1)]


def _example(path: Path, number: int, case: object) -> Example:
    if not isinstance(case, dict):
        raise InputError(f"{path}: case {number}: must be a table with id, kind, inputs and expected")
    where = f"{path}: {case.get('id', f'case {number}')}"
    kind, inputs = kind_of(case.get("kind")), case.get("inputs")
    if kind is None:
        raise InputError(f"{where}: kind: {case.get('kind')!r} must be one of {', '.join(sorted(KINDS))}")
    if not isinstance(inputs, dict):
        raise InputError(f"{where}: inputs: must be a table")
    return Example(
        id=str(case.get("id", f"case {number}")),
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
    return Inputs(f"{where}: expected", expected).number("total")
