"""What Logs Insights exported, or the CLI read, row by row, however large.

The console writes a list of rows, `aws logs get-query-results` prints `results` with a list of field and value for each,
`aws logs filter-log-events` and `get-log-events` print `events`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ijson

from infra.cost.large_files import open_bytes, open_text
from infra.errors import InputError

HEAD = 1 << 16
REREAD_BYTES = 16 << 20
"""Up to this size a malformed file is read again for the line and column, which a streaming reader does not know."""
DEEPEST = 16
SUFFIXES = (".json", ".json.gz")


def is_export(file: Path) -> bool:
    """Whether a `.json` file is one document rather than a record on each line."""
    if not file.name.endswith(SUFFIXES):
        return False
    with open_text(file, errors="replace") as stream:
        head = stream.read(HEAD).lstrip()
    if head.startswith("[") or re.match(r'\{\s*"(results|events)"', head):
        return True
    first, end, _ = head.partition("\n")
    if not end and len(head) >= HEAD:
        return '"results"' in head or '"events"' in head
    return bool(first) and not _is_json(first)


def exported(file: Path) -> Iterator[tuple[str, str]]:
    """The messages of an export, each with where it stands."""
    number = 0
    try:
        with open_bytes(file) as stream:
            events = ijson.basic_parse(_without_mark(stream), use_float=True)
            for number, row in enumerate(_rows(events, file), start=1):
                yield f"{file}: row {number}", _message(row, f"{file}: row {number}")
    except ijson.JSONError as error:
        raise _malformed(file, number + 1, error) from None


def _rows(events: Iterator[tuple[str, Any]], file: Path) -> Iterator[Any]:
    """The members of the document's list, or of the list that is its `results` or `events`; each is built alone."""
    depth, rows_at = 0, 0  # how deep the event is, and the depth of the rows' list once it has begun
    key, row = None, None
    for event, value in events:
        ends = event.startswith("end_")
        depth -= ends
        if row is not None:
            row.event(event, value)
            if ends and depth == rows_at:
                yield row.value
                row = None
        elif rows_at and depth == rows_at and not ends:
            if event.startswith("start_"):
                row = ijson.ObjectBuilder()
                row.event(event, value)
            else:
                yield value
        elif event == "map_key" and depth == 1:
            key = value
        elif event == "start_array" and (depth == 0 or (depth == 1 and key in ("results", "events"))):
            rows_at = depth + 1
        elif ends and depth < rows_at:
            return
        depth += event.startswith("start_")
        if depth > DEEPEST:
            raise InputError(f"{file}: nested more than {DEEPEST} deep; Logs Insights exports rows of fields")
    if not rows_at:
        raise InputError(f"{file}: results: must be the list of rows that Logs Insights exports")


def _message(row: Any, where: str) -> str:
    if isinstance(row, list):
        row = {each.get("field"): each.get("value") for each in row if isinstance(each, dict)}
    message = row.get("@message", row.get("message")) if isinstance(row, dict) else None
    if message is None:
        raise InputError(f"{where}: @message: missing; query it with `fields @message`")
    return message if isinstance(message, str) else json.dumps(message)


def _without_mark(stream: Any) -> Any:
    """The stream after a byte order mark, which editors of Windows write."""
    if stream.read(3) != b"\xef\xbb\xbf":
        stream.seek(0)
    return stream


def _malformed(file: Path, row: int, error: Exception) -> InputError:
    """Line and column where the file is small enough to be read whole, else the row."""
    if file.stat().st_size <= REREAD_BYTES:
        try:
            with open_text(file, errors="replace") as stream:
                json.loads(stream.read())
        except json.JSONDecodeError as found:
            return InputError(f"{file}: line {found.lineno}, column {found.colno}: not JSON: {found.msg}")
        except RecursionError:
            pass
    return InputError(f"{file}: row {row}: not JSON: {str(error).splitlines()[0]}")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return False
    return True
