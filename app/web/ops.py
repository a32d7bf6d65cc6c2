"""`/ops`: the last minutes of this process for a person to look at; one row per supplier, live. Off unless `CROSSOVER_OPS=on`.

The page asks `/ops/data` every two seconds over one connection, so of several workers it goes on showing the same one.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.telemetry.history import History
from app.web.service import Service

PAGE = Path(__file__).parent / "ops.html"


def ops_routes(service: Service, history: History) -> list[Route]:
    page = cache(PAGE.read_bytes)
    page()  # not while serving

    async def ops(_: Request) -> Response:
        """The last minutes of this process, as a page."""
        return Response(page(), media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY})

    async def data(_: Request) -> Response:
        """What the page shows, as JSON."""
        about = {**service.version, "pid": os.getpid(), "draining": service.draining}
        return Response(msgspec.json.encode({"about": about, **history.view()}), media_type="application/json")

    return [Route("/ops", ops), Route("/ops/data", data)]


POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
