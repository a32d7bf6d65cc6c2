"""The routes. Answers are encoded once, straight from the core's structs to bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.search import SearchService
from app.telemetry.counters import SearchCounters
from app.telemetry.exposition import CONTENT_TYPE, render
from app.telemetry.loop_lag import LoopLag
from app.telemetry.metrics import Metrics
from app.web.documentation import SEARCH_OPENAPI, add_schemas
from app.web.errors import error_response, install_error_handlers
from app.web.query import QueryParser


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


def build_web(service: Service, **fastapi_arguments: Any) -> FastAPI:
    """The FastAPI app over `service`."""
    app = FastAPI(
        title="Crossover search",
        summary="Hotel search over many suppliers: the reference workload of the Crossover deployment kit.",
        description="These pages load their scripts from a public CDN; `/openapi.json` is the same document and needs none.",
        version="1",
        redirect_slashes=False,  # a redirect would name a host, which each lane's front sees differently
        **fastapi_arguments,
    )
    # An answer is about 100 kB of JSON and a tenth of that compressed: bytes out cost more than the CPU to compress them.
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=1)
    app.add_middleware(CloseWhileDraining, service=service)
    install_error_handlers(app)
    _add_search(app, service)
    _add_operations(app, service)
    stock_openapi = app.openapi
    app.state.service = service
    app.openapi = lambda: add_schemas(stock_openapi())  # type: ignore[method-assign]
    return app


def _add_search(app: FastAPI, service: Service) -> None:
    encode = msgspec.json.Encoder().encode

    @app.get("/search", openapi_extra=SEARCH_OPENAPI, response_class=Response)
    async def search(request: Request) -> Response:
        """Search every supplier at once; slow, dead or lying ones are reported in `outcomes`, never waited for."""
        if service.search is None:
            return error_response(503, "unavailable", "the service is starting or stopping")
        query, limit = service.parser.parse(request.query_params.multi_items(), today=service.today())
        service.counters.in_flight += 1
        try:
            result = await service.search.search(query, limit=limit)
        finally:
            service.counters.in_flight -= 1
        return Response(encode(result), media_type="application/json")


def _add_operations(app: FastAPI, service: Service) -> None:
    version = msgspec.json.encode({"service": "crossover", **service.version, "python": sys.version.split()[0]})

    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz", response_class=Response)
    async def healthz() -> Response:
        """Live: the process answers."""
        return Response(b'{"status":"live"}', media_type="application/json")

    @app.head("/readyz", include_in_schema=False)
    @app.get("/readyz", response_class=Response)
    async def readyz() -> Response:
        """Ready: start-up has finished and no drain has begun."""
        if service.search is None or service.draining:
            return error_response(503, "not_ready", "draining" if service.draining else "starting or stopping")
        return Response(b'{"status":"ready"}', media_type="application/json")

    @app.get("/version", response_class=Response)
    async def show_version() -> Response:
        """Which bytes run here: the bundle's SHA-256, the revision it was built from, and the lane."""
        return Response(version, media_type="application/json")

    @app.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Prometheus text."""
        return Response(render(service.counters, service.lag, service.metrics), media_type=CONTENT_TYPE)
