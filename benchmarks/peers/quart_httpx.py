"""Quart on hypercorn, one shared httpx client, asyncio.gather: the usual way from Flask to asyncio."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
from quart import Quart, jsonify, request
from quart.typing import ResponseReturnValue

from benchmarks.peers.search import DEADLINE_S, SUPPLIERS, availability_url, check, headers, offers_of, result

app = Quart(__name__)
app.json.sort_keys = False  # type: ignore[attr-defined]
clients: list[httpx.AsyncClient] = []


@app.before_serving
async def open_client() -> None:
    clients.append(httpx.AsyncClient(timeout=DEADLINE_S))


@app.after_serving
async def close_client() -> None:
    await clients.pop().aclose()


async def ask(supplier: dict[str, Any], search: dict[str, Any]) -> tuple[str, str, list[dict[str, Any]]]:
    try:
        async with asyncio.timeout(DEADLINE_S):
            response = await clients[0].get(availability_url(supplier, search), headers=headers())
        response.raise_for_status()
        return supplier["id"], "ok", offers_of(supplier["id"], response.json(), str(search["adults"]))
    except (TimeoutError, httpx.TimeoutException):
        return supplier["id"], "timeout", []
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return supplier["id"], "error", []


@app.get("/healthz")
async def healthz() -> ResponseReturnValue:
    return {"status": "live"}


@app.get("/search")
async def search() -> ResponseReturnValue:
    started = time.perf_counter()
    query, errors = check(request.args)
    if query is None:
        return jsonify(errors), 422
    answers = await asyncio.gather(*(ask(supplier, query) for supplier in SUPPLIERS))
    return jsonify(result(query, answers, started))
