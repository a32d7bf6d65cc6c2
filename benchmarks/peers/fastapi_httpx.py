"""FastAPI on uvicorn (uvloop, httptools), one shared httpx client, asyncio.gather."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from benchmarks.peers.search import DEADLINE_S, SUPPLIERS, availability_url, check, headers, offers_of, result


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(timeout=DEADLINE_S) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


async def ask(
    client: httpx.AsyncClient, supplier: dict[str, Any], search: dict[str, Any]
) -> tuple[str, str, list[dict[str, Any]]]:
    try:
        async with asyncio.timeout(DEADLINE_S):
            response = await client.get(availability_url(supplier, search), headers=headers())
        response.raise_for_status()
        return supplier["id"], "ok", offers_of(supplier["id"], response.json(), str(search["adults"]))
    except (TimeoutError, httpx.TimeoutException):
        return supplier["id"], "timeout", []
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return supplier["id"], "error", []


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "live"}


@app.get("/search")
async def search(request: Request) -> JSONResponse:
    started = time.perf_counter()
    query, errors = check(request.query_params)
    if query is None:
        return JSONResponse(errors, status_code=422)
    answers = await asyncio.gather(*(ask(request.app.state.client, supplier, query) for supplier in SUPPLIERS))
    return JSONResponse(result(query, answers, started))
