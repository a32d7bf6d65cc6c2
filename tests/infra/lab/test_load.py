"""The load generator offers what it says, counts what comes back, and hides no waiting."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import date

from aiohttp import web
from aiohttp.test_utils import TestServer

from infra.lab.load import run_load
from infra.lab.queries import search_paths


async def serve(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> TestServer:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    server = TestServer(app)
    await server.start_server()
    return server


async def test_every_request_is_counted_with_its_status_and_sizes() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.query["n"] != "3" else 503, body=b"x" * 100)

    server = await serve(handler)
    paths = (f"/s?n={n}" for n in itertools.count())
    result = await run_load(str(server.make_url("/")), paths, rps=500, requests=20, seed=1)
    await server.close()
    assert (result.sent, result.succeeded, result.failed, result.statuses[503]) == (20, 19, 1, 1)
    assert all(size > 100 for size in result.response_bytes)
    assert len(result.latencies_ms) == 19


async def test_sizes_are_those_on_the_wire_not_after_decompressing() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert "gzip" in request.headers["Accept-Encoding"], "callers take compressed answers"
        response = web.Response(body=b"x" * 100_000)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    server = await serve(handler)
    result = await run_load(str(server.make_url("/")), itertools.repeat("/"), rps=500, requests=2, seed=1)
    await server.close()
    assert result.mean_response_bytes < 2_000


async def test_a_slow_server_does_not_slow_the_offered_load() -> None:
    alive = most = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        await asyncio.sleep(0.4)
        alive -= 1
        return web.Response()

    server = await serve(handler)
    result = await run_load(str(server.make_url("/")), itertools.repeat("/"), rps=100, requests=40, seed=1)
    await server.close()
    assert most > 15, "requests waited for answers: the loop is closed"
    assert result.succeeded == 40


async def test_a_broken_connection_counts_as_broken_and_nothing_is_retried() -> None:
    calls = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    server = await serve(handler)
    result = await run_load(str(server.make_url("/")), itertools.repeat("/"), rps=200, requests=5, seed=1)
    await server.close()
    assert (result.broken, result.succeeded, calls) == (5, 0, 5)


def test_the_same_seed_asks_the_same_searches() -> None:
    def first(seed: int) -> list[str]:
        return list(itertools.islice(search_paths(["LON", "PAR"], seed=seed, today=date(2026, 1, 1)), 50))

    assert first(7) == first(7)
    assert first(7) != first(8)
    assert any("children=" in path for path in first(7))
