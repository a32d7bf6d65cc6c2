"""What `/docs` and `/openapi.json` say about `/search`, made from the very structs the answers are encoded from."""

from __future__ import annotations

from typing import Any

import msgspec

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
]


def _answer(description: str, name: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": REF.format(name=name)}}}}


SEARCH_OPENAPI: dict[str, Any] = {
    "parameters": SEARCH_PARAMETERS,
    "responses": {
        "200": _answer("Hotels, best first, and one outcome per supplier", "SearchResult"),
        "422": _answer("Which field is wrong, and why", "ErrorBody"),
        "503": _answer("No supplier answered; the outcomes say why", "ErrorBody"),
    },
}


def add_schemas(openapi: dict[str, Any]) -> dict[str, Any]:
    """Add the JSON schemas of our own structs to FastAPI's document."""
    _, schemas = msgspec.json.schema_components([SearchResult, ErrorBody], ref_template=REF)
    openapi.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    return openapi
