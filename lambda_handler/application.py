"""The app as the Lambda lane hosts it, under AWS's runtime client (`handler.py`) and under our own (`runtime/`).

The app's lifespan is entered once, while the environment initialises, on the one event loop that every invocation then
runs on: connection pools live as long as the environment. (Mangum's own use of its lifespan would start and stop the app on
every invocation.) Any ASGI app will do, with a lifespan or without one (docs/bring-your-own-service.md).

Where `CROSSOVER_SECRET` names a secret, its values are put into the environment first, as systemd does on the container lane.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

import uvloop
from mangum import Mangum
from mangum.protocols import LifespanCycle
from starlette.types import Receive, Scope, Send

from app.web.errors import error_response
from lambda_handler import snapshot
from lambda_handler.alb import AlbEvent
from lambda_handler.api import ApiEvent

# JSON logging lets INFO through by default; at that level these write a line for every supplier call and every request.
for _name in ("httpx", "mangum"):
    logging.getLogger(_name).setLevel(logging.WARNING)

loop = uvloop.new_event_loop()
asyncio.set_event_loop(loop)


def _create_app() -> Any:
    """A secret that cannot be read fails INIT with its one line."""
    if os.environ.get("CROSSOVER_SECRET"):
        from secret_values.fetch import fill  # nobody else pays for its import

        fill(os.environ)
    from app.bootstrap import create_app  # only now: an app may read its environment while it is imported

    return create_app()


app = _create_app()
lifespan = LifespanCycle(app, "auto")
lifespan.__enter__()  # under AWS's client it is never left: an environment ends without a word
snapshot.prepare()

_service = getattr(getattr(app, "state", None), "service", None)
_lag, _settle = getattr(_service, "lag", None), getattr(_service, "settle", None)


async def serve_among_others(scope: Scope, receive: Receive, send: Send) -> None:
    """One request on a loop that goes on running when it is answered."""
    if lifespan.lifespan_state:
        scope["state"] = lifespan.lifespan_state.copy()
    await app(scope, receive, send)


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """One request, and then what it left to do in the background: the loop stands still once it is answered."""
    await serve_among_others(scope, receive, send)
    if _settle is not None:
        await _settle()


def resume() -> None:
    """Call before an invocation when the loop stood still since the last one: that time is no lag."""
    if _lag is not None:
        _lag.resume()


adapter = Mangum(serve, lifespan="off", custom_handlers=[AlbEvent, ApiEvent])


def bad_request(event: dict[str, Any]) -> dict[str, Any]:
    """What an event is answered that cannot be read (`ValueError`)."""
    answer = error_response(400, "bad_request", "the request cannot be read: its path, query, headers and body must be text")
    multi_value = event.get("multiValueHeaders") is not None
    headers = {name: [value] if multi_value else value for name, value in answer.headers.items()}
    return {
        "statusCode": answer.status_code,
        "multiValueHeaders" if multi_value else "headers": headers,
        "body": bytes(answer.body).decode(),
        "isBase64Encoded": False,
    }
