"""An error as Lambda documents it for `/invocation/<id>/error` and `/init/error`: one JSON shape, its type also as a header."""

from __future__ import annotations

import traceback
from typing import Any

import msgspec

ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"


def described(error: BaseException, request_id: str = "", *, kind: str | None = None) -> dict[str, Any]:
    """The same fields as AWS's client for Python sends."""
    return {
        "errorMessage": str(error),
        "errorType": kind or type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_list(traceback.extract_tb(error.__traceback__)),
    }


def encoded(description: dict[str, Any]) -> bytes:
    return msgspec.json.encode(description)
