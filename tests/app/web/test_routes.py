"""The HTTP face over stand-in suppliers: answers, the one error shape, and the OpenAPI document."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal

import httpx
import jsonschema
import pytest

from app.core.errors import SupplierUnavailable
from app.core.rank import Rules
from app.core.search import SearchService
from app.telemetry.counters import SearchCounters
from app.telemetry.loop_lag import LoopLag
from app.web.query import QueryParser
from app.web.routes import build_web
from app.web.service import Service
from tests.fakes import FakeRates, FakeSupplier, hotel

SEARCH = "/search?place=LON&check_in=2027-02-01&check_out=2027-02-03"


def make_service(*suppliers: FakeSupplier, deadline_ms: int = 300) -> Service:
    counters = SearchCounters()
    rules = Rules(Decimal(10))
    search = SearchService(suppliers, rates=FakeRates(), rules=rules, deadline_ms=deadline_ms, observer=counters)
    version: dict[str, str | None] = {"bundle_sha256": "ab" * 32, "git_revision": "c0ffee", "lane": "container"}
    parser = QueryParser({"LON": "London"}, frozenset({"USD", "EUR"}))
    return Service(parser, counters, LoopLag(), version, search, today=lambda: date(2027, 1, 10))


@pytest.fixture
async def service() -> Service:
    return make_service(FakeSupplier("a", (hotel("a"),)), FakeSupplier("b", error=SupplierUnavailable("status 500")))


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_web(service), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_a_search_answers_json_that_its_own_schema_accepts(client: httpx.AsyncClient) -> None:
    answer = await client.get(SEARCH)
    assert answer.status_code == 200
    body = answer.json()
    assert [outcome["status"] for outcome in body["outcomes"]] == ["ok", "error"]
    assert body["hotels"][0]["offers"][0]["price"] == {"amount": "110.00", "currency": "USD"}
    document = (await client.get("/openapi.json")).json()
    schema = {"$ref": "#/components/schemas/SearchResult", "components": document["components"]}
    jsonschema.validate(body, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**body, "hotels": [{"name": 1}]}, schema)


async def test_openapi_documents_every_route_and_parameter(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert set(document["paths"]) == {"/search", "/search/stream", "/healthz", "/readyz", "/version", "/metrics"}
    search = document["paths"]["/search"]["get"]
    names = [parameter["name"] for parameter in search["parameters"]]
    assert names == ["place", "check_in", "check_out", "adults", "children", "currency", "limit", "X-Request-Timeout-Ms"]
    assert set(search["responses"]) == {"200", "422", "503"}
    assert (await client.get("/docs")).status_code == 200


async def test_bad_input_is_a_422_naming_field_and_reason(client: httpx.AsyncClient) -> None:
    answer = await client.get(SEARCH + "&adults=0&colour=red")
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "invalid_request"
    assert {"field": "adults", "reason": "must be 1 to 9, got 0"} in error["fields"]
    assert [wrong["field"] for wrong in error["fields"]] == ["colour", "adults"]


async def test_when_every_supplier_fails_the_answer_says_so_with_the_outcomes() -> None:
    app = build_web(make_service(FakeSupplier("b", error=SupplierUnavailable("status 500"))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get(SEARCH)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    error = answer.json()["error"]
    assert (error["code"], error["outcomes"][0]["detail"]) == ("no_supplier_answered", "status 500")


@pytest.mark.parametrize(("method", "path", "status", "code"), [
    ("GET", "/nowhere", 404, "not_found"),
    ("GET", "/search/", 404, "not_found"),
    ("POST", "/search", 405, "method_not_allowed"),
])  # fmt: skip
async def test_every_failure_has_the_one_error_shape(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]["code"] == code


async def test_an_unexpected_failure_tells_no_internals(service: Service, client: httpx.AsyncClient) -> None:
    def boom() -> date:
        raise RuntimeError("secret detail")

    service.today = boom
    answer = await client.get(SEARCH)
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "secret" not in answer.text


async def test_live_ready_and_version(service: Service, client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.head("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    version = (await client.get("/version")).json()
    assert (version["bundle_sha256"], version["git_revision"], version["lane"]) == ("ab" * 32, "c0ffee", "container")
    service.draining = True
    draining = await client.get("/readyz")
    assert (draining.status_code, draining.json()["error"]["code"]) == (503, "not_ready")
    service.search = None
    assert (await client.get(SEARCH)).status_code == 503
    assert (await client.get("/healthz")).status_code == 200


async def test_metrics_count_searches_and_each_suppliers_outcomes(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await client.get(SEARCH)
    text = (await client.get("/metrics")).text
    assert "crossover_search_duration_milliseconds_count 3" in text
    assert 'crossover_supplier_outcomes_total{supplier="b",status="error"} 3' in text


async def test_metrics_show_searches_in_flight_tasks_and_lag(service: Service, client: httpx.AsyncClient) -> None:
    slow = make_service(FakeSupplier("slow", delay_s=0.25))
    service.search = slow.search
    search = asyncio.create_task(client.get(SEARCH))
    await asyncio.sleep(0.1)
    during = (await client.get("/metrics")).text
    assert "crossover_searches_in_flight 1" in during
    assert re.search(r"^crossover_tasks_alive [1-9]", during, re.MULTILINE)
    assert "crossover_event_loop_lag_milliseconds{" not in during, "no sample yet is unknown, not zero"
    await search
    assert "crossover_searches_in_flight 0" in (await client.get("/metrics")).text


async def test_a_failed_search_is_no_longer_in_flight() -> None:
    service = make_service(FakeSupplier("b", error=SupplierUnavailable("status 500")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(build_web(service)), base_url="http://test") as client:
        assert (await client.get(SEARCH)).status_code == 503
    assert service.counters.in_flight == 0
