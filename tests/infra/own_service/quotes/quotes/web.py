"""Tells the price that a symbol had at a minute of the day."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sortedcontainers import SortedDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[dict[str, SortedDict]]:
    """Begins once in each process, on the loop that serves; what it yields is every request's `state`."""
    yield {"prices": SortedDict({0: "99.80", 540: "101.35", 960: "100.10"})}


async def quote(request: Request) -> Response:
    try:
        minute = int(request.query_params["at"])
        known = request.state.prices.peekitem(request.state.prices.bisect_right(minute) - 1)
    except (KeyError, ValueError):
        return JSONResponse({"error": "at: must be a minute of the day"}, status_code=422)
    return JSONResponse({"price": known[1], "since": known[0], "currency": os.environ["QUOTES_CURRENCY"]})


async def ready(_: Request) -> Response:
    return Response(status_code=200)


app = Starlette(routes=[Route("/quote", quote), Route("/readyz", ready)], lifespan=lifespan)
