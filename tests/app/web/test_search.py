"""`/search` does no work twice: kept answers, identical searches in flight, callers' deadlines, refusing what is too much."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import httpx
import pytest

from app.core.cache import AnswerCache, Freshness
from app.core.lru import ByteLru
from app.core.models import SupplierHotel
from app.core.rank import Rules
from app.core.search import SearchService
from app.web.routes import build_web
from app.web.service import Service
from tests.app.web.test_routes import SEARCH, make_service
from tests.fakes import FakeRates, FakeSupplier, hotel


@asynccontextmanager
async def client_of(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_web(service), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def many(supplier: str, count: int = 30) -> tuple[SupplierHotel, ...]:
    return tuple(hotel(supplier, f"h{n}", f"Hotel {n}", (40 + n, 10.0)) for n in range(count))


def keep_answers(service: Service, fresh_s: float = 60) -> None:
    assert service.search is not None
    service.cache = AnswerCache(Freshness(fresh_s), ByteLru(1_000_000), jitter=lambda: 0.0)
    service.search = SearchService(
        service.search.suppliers, rates=FakeRates(), rules=Rules(Decimal(10)), deadline_ms=300, cache=service.cache
    )


async def test_a_recent_answer_is_given_again_with_its_age() -> None:
    supplier = FakeSupplier("a", many("a"))
    service = make_service(supplier)
    keep_answers(service)
    async with client_of(service) as client:
        first, second, plain = [
            await client.get(SEARCH, headers={"Accept-Encoding": coding}) for coding in ("gzip", "gzip", "identity")
        ]
    assert supplier.asked == 1
    assert "age" not in first.headers
    assert second.headers["age"] == "0"
    assert first.headers["content-encoding"] == second.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert first.content == second.content
    assert plain.json()["hotels"] == first.json()["hotels"]
    assert first.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


async def test_the_order_of_childrens_ages_and_of_parameters_makes_no_other_search() -> None:
    supplier = FakeSupplier("a", many("a"))
    service = make_service(supplier)
    keep_answers(service)
    async with client_of(service) as client:
        for children in ("3,9", "9,3"):
            assert (await client.get(f"/search?children={children}&{SEARCH.partition('?')[2]}")).status_code == 200
        assert supplier.asked == 1
        await client.get(f"{SEARCH}&children=3,8")
        assert supplier.asked == 2


async def test_without_freshness_every_search_is_asked_for() -> None:
    supplier = FakeSupplier("a", many("a"))
    async with client_of(make_service(supplier)) as client:
        for _ in range(3):
            assert "age" not in (await client.get(SEARCH)).headers
    assert supplier.asked == 3


async def test_identical_searches_in_flight_share_one_fan_out() -> None:
    supplier = FakeSupplier("a", many("a"), delay_s=0.1)
    async with client_of(make_service(supplier)) as client:
        answers = await asyncio.gather(*(client.get(SEARCH) for _ in range(20)), client.get(SEARCH + "&limit=3"))
    assert supplier.asked == 2, "another page length is another search"
    assert len({answer.content for answer in answers[:20]}) == 1
    assert len(answers[20].json()["hotels"]) == 3


async def test_callers_with_and_without_gzip_share_a_search() -> None:
    supplier = FakeSupplier("a", many("a"), delay_s=0.1)
    app = build_web(make_service(supplier))

    async def raw(coding: bytes) -> bytes:
        got = bytearray()

        async def receive() -> dict[str, object]:
            await asyncio.sleep(60)
            return {}

        async def send(message: dict[str, object]) -> None:
            body = message.get("body", b"")
            assert isinstance(body, bytes)
            got.extend(body)

        path, _, query = SEARCH.partition("?")
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"accept-encoding", coding)],
        }
        await app(scope, receive, send)  # type: ignore[arg-type]
        return bytes(got)

    packed, plain = await asyncio.gather(raw(b"gzip"), raw(b"br"))
    assert supplier.asked == 1
    assert gzip.decompress(packed) == plain


async def test_a_caller_may_shorten_the_deadline() -> None:
    supplier = FakeSupplier("slow", many("slow"), delay_s=5, timeout_ms=9_000)
    quick = FakeSupplier("quick", many("quick"))
    async with client_of(make_service(supplier, quick, deadline_ms=8_000)) as client:
        for header in ("X-Request-Timeout-Ms", "x-envoy-expected-rq-timeout-ms"):
            answer = (await client.get(SEARCH, headers={header: "200"})).json()
            assert [outcome["status"] for outcome in answer["outcomes"]] == ["timeout", "ok"]
            assert 100 < answer["elapsed_ms"] < 2_000


async def test_a_caller_cannot_lengthen_the_deadline() -> None:
    async with client_of(make_service(FakeSupplier("slow", delay_s=5, timeout_ms=9_000), FakeSupplier("b"))) as client:
        answer = await client.get(SEARCH, headers={"X-Request-Timeout-Ms": "60000"})
    assert answer.json()["outcomes"][0]["status"] == "timeout"


@pytest.mark.parametrize("given", ["", "soon", "-5", "30", "1.5", "1" * 9])
async def test_a_deadline_that_is_no_time_to_search_in_is_a_422(given: str) -> None:
    async with client_of(make_service(FakeSupplier("a"))) as client:
        answer = await client.get(SEARCH, headers={"X-Request-Timeout-Ms": given})
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"][0]["field"] == "x-request-timeout-ms"


async def test_too_much_is_refused_with_when_to_come_back_but_known_answers_are_given() -> None:
    supplier = FakeSupplier("a", many("a"), delay_s=0.2)
    service = make_service(supplier)
    keep_answers(service)
    service.admission.limit = 2.0
    async with client_of(service) as client:
        running = [asyncio.create_task(client.get(f"{SEARCH}&adults={adults}")) for adults in (1, 2)]
        await asyncio.sleep(0.05)
        refused, joined = await asyncio.gather(client.get(f"{SEARCH}&adults=3"), client.get(f"{SEARCH}&adults=2"))
        assert refused.status_code == 503
        assert (refused.headers["retry-after"], refused.json()["error"]["code"]) == ("1", "overloaded")
        assert joined.status_code == 200, "joining a search costs nothing"
        assert [(await task).status_code for task in running] == [200, 200]
        service.admission.limit = 0.0
        assert (await client.get(f"{SEARCH}&adults=1")).status_code == 200, "a kept answer costs nothing"
        metrics = (await client.get("/metrics")).text
    assert supplier.asked == 2
    assert service.admission.shed == 1
    assert "crossover_searches_in_flight 0" in metrics
