"""The Lambda lane's entry point: `lambda_handler.handler.handler`.

The app's lifespan is entered once, while the environment initialises, on the one event loop that every invocation then
runs on: connection pools live as long as the environment. (Mangum's own lifespan handling would start and stop the app on
every invocation.)
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop
from mangum import Mangum

from app.bootstrap import create_app

loop = uvloop.new_event_loop()
asyncio.set_event_loop(loop)

app = create_app()
_lifespan = app.router.lifespan_context(app)
loop.run_until_complete(_lifespan.__aenter__())

_adapter = Mangum(app, lifespan="off")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One event of an ALB, an HTTP API (v2) or a function URL; returns that front's response object."""
    return _adapter(event, context)
