"""The routes. Answers are encoded once, straight from the core's structs to bytes.

An answer is about 100 kB of JSON and a tenth of that compressed: bytes out cost more than the CPU to compress them.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from app.core.search import SearchService
from app.telemetry.counters import SearchCounters
from app.telemetry.exposition import CONTENT_TYPE, render
from app.telemetry.loop_lag import LoopLag
from app.telemetry.metrics import Metrics
from app.web.disconnect import CallerGone, unless_gone
from app.web.documentation import documentation_routes
from app.web.errors import error_response, install_error_handlers
from app.web.query import QueryParser

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a caller that has gone; nobody sees it but middleware."""

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class Service:
    """What the routes need once the lifespan has begun; `search` is `None` before it and after it.

    `draining` is set by the server when it is told to stop; entry points find the service at `app.state.service`.
    """

    parser: QueryParser
    counters: SearchCounters
    lag: LoopLag
    version: dict[str, str | None]
    search: SearchService | None = None
    draining: bool = False
    metrics: Metrics = field(default_factory=Metrics)
    today: Callable[[], date] = lambda: datetime.now(UTC).date()


class CloseWhileDraining:
    """Ends each connection with its next answer once a drain has begun, so that none is open, and perhaps just being
    used, when the server stops."""

    def __init__(self, app: ASGIApp, *, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._service.draining or scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, send_last)


def build_web(service: Service, *, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """The ASGI app over `service`. An endpoint's docstring is its description in the OpenAPI document."""
    packed = [Middleware(GZipMiddleware, minimum_size=1024, compresslevel=1)]
    search = Route("/search", _search(service), methods=["GET"], middleware=packed)
    assert search.methods is not None
    search.methods.discard("HEAD")  # it would cost a whole search
    routes = [search, *_operations(service, packed)]
    app = Starlette(
        routes=[*routes, *documentation_routes(routes, packed)],
        middleware=[Middleware(CloseWhileDraining, service=service)],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would name a host, which each lane's front sees differently
    app.state.service = service
    install_error_handlers(app)
    return app


def _search(service: Service) -> Endpoint:
    encode = msgspec.json.Encoder().encode

    async def search(request: Request) -> Response:
        """Search every supplier at once; slow, dead or lying ones are reported in `outcomes`, never waited for."""
        if service.search is None:
            return error_response(503, "unavailable", "the service is starting or stopping")
        query, limit = service.parser.parse(request.query_params.multi_items(), today=service.today())
        service.counters.in_flight += 1
        try:
            result = await unless_gone(request.receive, service.search.search(query, limit=limit))
        except CallerGone:
            service.counters.abandoned += 1
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        finally:
            service.counters.in_flight -= 1
        return Response(encode(result), media_type="application/json")

    return search


def _operations(service: Service, packed: Sequence[Middleware]) -> list[Route]:
    version = msgspec.json.encode({"service": "crossover", **service.version, "python": sys.version.split()[0]})

    async def healthz(_: Request) -> Response:
        """Live: the process answers."""
        return Response(b'{"status":"live"}', media_type="application/json")

    async def readyz(_: Request) -> Response:
        """Ready: start-up has finished and no drain has begun."""
        if service.search is None or service.draining:
            return error_response(503, "not_ready", "draining" if service.draining else "starting or stopping")
        return Response(b'{"status":"ready"}', media_type="application/json")

    async def show_version(_: Request) -> Response:
        """Which bytes run here: the bundle's SHA-256, the revision it was built from, and the lane."""
        return Response(version, media_type="application/json")

    async def metrics(_: Request) -> Response:
        """Prometheus text."""
        return Response(render(service.counters, service.lag, service.metrics), media_type=CONTENT_TYPE)

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/version", show_version),
        Route("/metrics", metrics, middleware=packed),
    ]
