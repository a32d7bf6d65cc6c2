"""The OpenAPI document at `/openapi.json` and a page to read it at `/docs`, made when first asked for: from the routes, and
from the very structs the answers are encoded from."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.core.models import SearchResult
from app.web.errors import ErrorBody
from app.web.query import DEFAULT_LIMIT, MAX_ADULTS, MAX_LIMIT, MAX_NIGHTS

REF = "#/components/schemas/{name}"


def _parameter(name: str, schema: dict[str, Any], description: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema, "description": description}


SEARCH_PARAMETERS = [
    _parameter("place", {"type": "string", "examples": ["LON"]}, "Place code", required=True),
    _parameter("check_in", {"type": "string", "format": "date"}, "First night", required=True),
    _parameter(
        "check_out", {"type": "string", "format": "date"}, f"Day of leaving, 1 to {MAX_NIGHTS} nights later", required=True
    ),
    _parameter("adults", {"type": "integer", "minimum": 1, "maximum": MAX_ADULTS, "default": 2}, "Adults in the room"),
    _parameter("children", {"type": "string", "examples": ["4,7"]}, "Ages of the children in the room, 0 to 17"),
    _parameter("currency", {"type": "string", "default": "USD"}, "ISO 4217 currency of the prices shown"),
    _parameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}, "Most hotels to return"
    ),
    {
        "name": "X-Request-Timeout-Ms",
        "in": "header",
        "required": False,
        "schema": {"type": "integer", "minimum": 31},
        "description": "How long the caller will wait; shortens the search's deadline",
    },
]


def _answer(description: str, name: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": REF.format(name=name)}}}}


SEARCH_OPENAPI: dict[str, Any] = {
    "parameters": SEARCH_PARAMETERS,
    "responses": {
        "200": _answer("Hotels, best first, and one outcome per supplier", "SearchResult"),
        "422": _answer("Which field is wrong, and why", "ErrorBody"),
        "503": _answer("No supplier answered (the outcomes say why), or there is more load than CPU", "ErrorBody"),
    },
}
STREAM_OPENAPI: dict[str, Any] = {
    "parameters": SEARCH_PARAMETERS,
    "responses": {
        **SEARCH_OPENAPI["responses"],
        "200": {
            "description": "Events `supplier` (its outcome and hotels), then one `result` (as /search) or `error`",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        "501": _answer("This lane cannot stream", "ErrorBody"),
    },
}
ABOUT = {"/search": SEARCH_OPENAPI, "/search/stream": STREAM_OPENAPI}


INFO = {
    "title": "Crossover search",
    "summary": "Hotel search over many suppliers: the reference workload of the Crossover deployment kit.",
    "description": "`/docs` loads its script from a public CDN; `/openapi.json` is the same document and needs none.",
    "version": "1",
}

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Crossover search</title>
<link rel="stylesheet" href="https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/swagger-ui.css"></head>
<body><div id="ui"><p>This page needs scripts from cdn.jsdelivr.net; the document itself is at
<a href="openapi.json">openapi.json</a>.</p></div>
<script src="https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "openapi.json", dom_id: "#ui"})</script></body>
</html>
"""


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these routes; an endpoint's docstring is its description."""
    paths = {}
    for route in routes:
        said = inspect.getdoc(route.endpoint) or ""
        about = ABOUT.get(route.path) or {"responses": {"200": {"description": said}}}
        paths[route.path] = {"get": {"summary": said.split(":")[0], "description": said, "operationId": route.name, **about}}
    _, schemas = msgspec.json.schema_components([SearchResult, ErrorBody], ref_template=REF)
    return {"openapi": "3.1.0", "info": INFO, "paths": paths, "components": {"schemas": schemas}}


def documentation_routes(routes: Sequence[Route], packed: Sequence[Middleware]) -> list[Route]:
    """`/openapi.json` and `/docs` for these routes."""
    encoded = cache(lambda: msgspec.json.encode(document(routes)))

    async def openapi(_: Request) -> Response:
        return Response(encoded(), media_type="application/json")

    async def docs(_: Request) -> Response:
        return Response(_PAGE, media_type="text/html; charset=utf-8")

    return [Route("/openapi.json", openapi, middleware=packed), Route("/docs", docs)]
