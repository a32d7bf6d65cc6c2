"""The routes, and what every answer passes on its way out; `/search` itself is in `search.py`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Lifespan

from app.telemetry.exposition import CONTENT_TYPE, render
from app.telemetry.history import History
from app.web.documentation import documentation_routes
from app.web.errors import error_response, install_error_handlers
from app.web.ops import ops_routes
from app.web.search import SearchEndpoint, Searches
from app.web.service import Service
from app.web.stream import StreamEndpoint


def build_web(service: Service, *, lifespan: Lifespan[Starlette] | None = None, shown: History | None = None) -> Starlette:
    """The ASGI app over `service`, with a page of the last minutes where they are to be `shown`. An endpoint's docstring is its
    description in the OpenAPI document."""
    packed = [Middleware(GZipMiddleware, minimum_size=1024, compresslevel=1)]
    searches = Searches(service)
    service.metrics.add(searches.samples)
    search = Route("/search", SearchEndpoint(service, searches), methods=["GET"], name="search")
    stream = Route("/search/stream", StreamEndpoint(service, searches), methods=["GET"], name="stream")
    for costly in (search, stream):
        assert costly.methods is not None
        costly.methods.discard("HEAD")  # it would cost a whole search
    routes = [search, stream, *_operations(service, packed)]
    operations = ops_routes(service, shown) if shown is not None else []
    app = Starlette(
        routes=[*routes, *documentation_routes(routes, packed), *operations],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would name a host, which each lane's front sees differently
    app.state.service = service
    install_error_handlers(app)
    return app


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
