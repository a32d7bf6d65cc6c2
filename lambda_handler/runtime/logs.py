"""Log lines as Lambda's advanced logging controls want them: JSON or text as `AWS_LAMBDA_LOG_FORMAT` says, each with the id of
the request that it belongs to, also where many run at once.

Lambda filters lines of a runtime that is not its own by their `level`, in its own names ("Log-level filtering", AWS Lambda
Developer Guide), so a `WARNING` is written as `WARN`.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from typing import Any

import msgspec

from lambda_handler.runtime.context import REQUEST_ID

LEVELS = {"TRACE": logging.DEBUG, "DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING}
LEVELS |= {"ERROR": logging.ERROR, "FATAL": logging.CRITICAL}
NAMES = ((logging.CRITICAL, "FATAL"), (logging.ERROR, "ERROR"), (logging.WARNING, "WARN"), (logging.INFO, "INFO"))
STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {"message", "asctime", "taskName"}
"""What every record has; the rest is what the caller gave as `extra`."""


def install() -> None:
    """Give the root logger this module's handler, and the level that the function is configured with."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Json() if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON" else Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level = LEVELS.get(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper())
    if level is not None:
        root.setLevel(level)


def level_name(level: int) -> str:
    return next((name for least, name in NAMES if level >= least), "DEBUG")


class Json(logging.Formatter):
    """The fields of AWS's client for Python; a dictionary that is logged stays one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": _timestamp(record.created),
            "level": level_name(record.levelno),
            "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
            "logger": record.name,
        }
        request_id = REQUEST_ID.get()
        if request_id is not None:
            line["requestId"] = request_id
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line |= {
                "errorType": type(error).__name__,
                "errorMessage": str(error),
                "stackTrace": traceback.format_tb(error.__traceback__),
                "location": f"{record.pathname}:{record.funcName}:{record.lineno}",
            }
        line |= {name: value for name, value in record.__dict__.items() if name not in STANDARD and name not in line}
        return msgspec.json.encode(line, enc_hook=str).decode()


class Text(logging.Formatter):
    """As AWS's client for Python; a carriage return keeps a traceback in one event of CloudWatch Logs."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        line = f"[{record.levelname}]\t{_timestamp(record.created)}\t{REQUEST_ID.get() or ''}\t{text}"
        return line.replace("\n", "\r")


def _timestamp(seconds: float) -> str:
    whole = int(seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int((seconds - whole) * 1000):03}Z"
