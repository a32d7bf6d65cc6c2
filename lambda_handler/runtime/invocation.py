"""One event: to the app, within its deadline, and back as its front's response object.

Event and answer are mapped by the same code as under AWS's client (Mangum's handlers, `lambda_handler/alb.py`).
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, NamedTuple

import msgspec
from mangum.types import ASGI

from lambda_handler.application import adapter, bad_request, serve, serve_among_others
from lambda_handler.runtime.context import Context
from lambda_handler.runtime.cycle import Cycle
from lambda_handler.runtime.errors import described, encoded

log = logging.getLogger("crossover.lambda")

UNMARSHAL_ERROR = "Runtime.UnmarshalError"
TIMED_OUT = "Sandbox.Timedout"
"""Lambda's own type; by then it has told the caller itself, and kills the environment unless that is a Managed Instance's."""


class Outcome(NamedTuple):
    """`error_type` is `None` for an answer."""

    body: bytes
    error_type: str | None


async def invoke(event: bytes, context: Context, *, alone: bool) -> Outcome:
    """Raises nothing that the app raises; cancelling cancels the app. `alone`: the environment freezes once it has answered."""
    try:
        parsed = json.loads(event)
    except ValueError as error:
        return _failed(error, context, UNMARSHAL_ERROR)
    try:
        async with asyncio.timeout(context.get_remaining_time_in_millis() / 1000 if context.deadline_ms else None):
            return Outcome(msgspec.json.encode(await answer(parsed, context, serve if alone else serve_among_others)), None)
    except TimeoutError as error:
        return _failed(error, context, TIMED_OUT)
    except Exception as error:
        return _failed(error, context, None)


async def answer(event: dict[str, Any], context: Context, app: ASGI) -> dict[str, Any]:
    """The front's response object. Raises `RuntimeError` for an event of no known front or an app without an answer."""
    try:
        request = adapter.infer(event, context)  # type: ignore[arg-type]  # AWS's context is a class, ours has its names
        scope, body = request.scope, request.body
        response = await Cycle(body).run(app, scope)
        return request(response)
    except ValueError:  # reading the headers; what the app raises never gets here
        return bad_request(event)


def _failed(error: Exception, context: Context, kind: str | None) -> Outcome:
    description = described(error, context.aws_request_id, kind=kind)
    if kind == TIMED_OUT:
        description["errorMessage"] = "the invocation's deadline has passed; it was cancelled"
    log.error("the invocation failed: %s", description["errorMessage"], exc_info=error)
    return Outcome(encoded(description), description["errorType"])
