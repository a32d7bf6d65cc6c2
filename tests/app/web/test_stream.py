"""Server-sent events over a real server: suppliers as they answer, then the whole answer; a caller that leaves ends it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from app.core.errors import SupplierUnavailable
from app.web.service import Service
from tests.app.web.served import served
from tests.app.web.test_routes import SEARCH, make_service
from tests.fakes import FakeSupplier, hotel

STREAM = SEARCH.replace("/search", "/search/stream")


@asynccontextmanager
async def client_of(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with served(service) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=20) as client:
        yield client


async def events(client: httpx.AsyncClient, path: str = STREAM) -> AsyncIterator[tuple[str, Any, float]]:
    """Each event's name, data, and when it came."""
    async with client.stream("GET", path) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        name = ""
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: ")), time.monotonic()


async def test_each_supplier_is_told_when_it_answers_and_the_whole_answer_comes_last() -> None:
    service = make_service(
        FakeSupplier("slow", (hotel("slow", "x", "Hotel Slow", (40.0, 1.0)),), delay_s=0.6),
        FakeSupplier("quick", (hotel("quick"),)),
        FakeSupplier("dead", error=SupplierUnavailable("status 500")),
        deadline_ms=5_000,
    )
    async with client_of(service) as client:
        came = [event async for event in events(client)]
        whole = (await client.get(SEARCH)).json()
    assert [name for name, _, _ in came] == ["supplier"] * 3 + ["result"]
    told = {data["outcome"]["supplier"]: (data, at) for name, data, at in came if name == "supplier"}
    assert list(told)[-1] == "slow"
    assert told["slow"][1] - told["quick"][1] > 0.3, "not held back until all have answered"
    assert (told["dead"][0]["outcome"]["status"], told["dead"][0]["hotels"]) == ("error", [])
    result = came[-1][1]
    assert told["quick"][0]["hotels"][0]["offers"][0]["price"] == {"amount": "110.00", "currency": "USD"}
    assert {offer["price"]["amount"] for shown in result["hotels"] for offer in shown["offers"]} == {"110.00"}
    assert result["hotels"] == whole["hotels"]


async def test_a_stream_and_a_search_for_the_same_share_one_fan_out() -> None:
    supplier = FakeSupplier("a", (hotel("a"),), delay_s=0.3)
    async with client_of(make_service(supplier, deadline_ms=5_000)) as client:
        search = asyncio.create_task(client.get(SEARCH))
        while not supplier.asked:
            await asyncio.sleep(0.01)
        came = [name async for name, _, _ in events(client)]
        assert (await search).status_code == 200
    assert (supplier.asked, came) == (1, ["supplier", "result"])


async def test_when_nobody_answers_the_last_event_says_so() -> None:
    async with client_of(make_service(FakeSupplier("dead", error=SupplierUnavailable("status 500")))) as client:
        came = [event async for event in events(client)]
    assert [name for name, _, _ in came] == ["supplier", "error"]
    assert came[-1][1]["error"]["code"] == "no_supplier_answered"


async def test_a_caller_that_leaves_ends_the_search() -> None:
    supplier = FakeSupplier("slow", delay_s=30, timeout_ms=30_000)
    service = make_service(FakeSupplier("quick", (hotel("quick"),)), supplier, deadline_ms=30_000)
    async with client_of(service) as client:
        async with client.stream("GET", STREAM) as response:
            async for line in response.aiter_lines():
                assert line == "event: supplier"
                break
        async with asyncio.timeout(10):
            while not supplier.cancelled:
                await asyncio.sleep(0.01)
    assert (service.counters.in_flight, service.counters.abandoned) == (0, 1)


async def test_bad_input_and_overload_are_plain_answers() -> None:
    service = make_service(FakeSupplier("a", (hotel("a"),)))
    async with client_of(service) as client:
        assert (await client.get(STREAM + "&adults=0")).status_code == 422
        service.admission.limit = 0
        assert (await client.get(STREAM)).json()["error"]["code"] == "overloaded"
        assert (await client.head(STREAM)).status_code == 405


async def test_the_lambda_lane_says_that_it_cannot() -> None:
    service = make_service(FakeSupplier("a", (hotel("a"),)))
    service.version["lane"] = "lambda"
    async with client_of(service) as client:
        answer = await client.get(STREAM)
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "streaming_not_supported")
    assert "lambda" in answer.json()["error"]["message"]
