"""Log lines in Lambda's own words: levels it filters by, one JSON object or one text event each."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from lambda_handler.runtime import logs
from lambda_handler.runtime.context import REQUEST_ID


def record(level: int, message: object, *args: object, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("own", level, "own.py", 3, message, args, None)
    made.created = 1_800_000_000.25
    made.__dict__.update(extra)
    return made


@pytest.mark.parametrize(
    ("level", "name"),
    [(logging.DEBUG, "DEBUG"), (logging.INFO, "INFO"), (logging.WARNING, "WARN"), (45, "ERROR"), (logging.CRITICAL, "FATAL")],
)
def test_levels_have_the_names_that_lambda_filters_by(level: int, name: str) -> None:
    line = json.loads(logs.Json().format(record(level, "%d hotels", 3, supplier="rapid-01", odd=object)))
    assert line["level"] == name
    assert (line["timestamp"], line["message"], line["logger"]) == ("2027-01-15T08:00:00.250Z", "3 hotels", "own")
    assert (line["supplier"], line["odd"]) == ("rapid-01", "<class 'object'>")
    assert "requestId" not in line


def test_a_dictionary_stays_one_and_belongs_to_its_request() -> None:
    token = REQUEST_ID.set("8f507cfc")
    try:
        line = json.loads(logs.Json().format(record(logging.INFO, {"hotels": 3})))
    finally:
        REQUEST_ID.reset(token)
    assert (line["message"], line["requestId"]) == ({"hotels": 3}, "8f507cfc")


def test_text_is_one_event_with_its_traceback() -> None:
    made = record(logging.ERROR, "failed")
    try:
        raise LookupError("gone")
    except LookupError:
        made.exc_info = sys.exc_info()
    line = logs.Text().format(made)
    assert line.startswith("[ERROR]\t2027-01-15T08:00:00.250Z\t\tfailed\rTraceback")
    assert line.endswith("LookupError: gone")
    assert "\n" not in line
