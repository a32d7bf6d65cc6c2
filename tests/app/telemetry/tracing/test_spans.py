"""What a search's trace says, read where a collector reads it: the spans, their parents, their times, and what is left out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.core.cache import AnswerCache, Freshness
from app.core.errors import SupplierHeldBack, SupplierMalformed, SupplierSkipped, SupplierUnavailable
from app.core.lru import ByteLru
from app.core.rank import Rules
from app.core.search import SearchService
from app.settings import Settings
from app.telemetry.tracing.export import open_pipeline
from app.telemetry.tracing.spans import Traces
from app.web.routes import build_web
from app.web.service import Service
from tests.app.telemetry.tracing.collector import EVERY_ONE, Collector, attributes
from tests.app.web.test_routes import SEARCH, make_service
from tests.fakes import FakeRates, FakeSupplier, hotel

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVER, CLIENT, ERROR = 2, 3, 2


@asynccontextmanager
async def traced(service: Service, collector: Collector, **variables: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service; when the context has ended, all spans are with the collector."""
    settings = Settings.from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **EVERY_ONE, **variables}).traces
    assert settings is not None
    async with open_pipeline(settings, about={"crossover.lane": "container"}, hosts={"a": "a.example"}) as pipeline:
        service.tracer = Traces(pipeline)
        transport = httpx.ASGITransport(build_web(service), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


def parted(collector: Collector) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The one search's span, and its calls by supplier."""
    (root,) = [span for span in collector.spans if span["kind"] == SERVER]
    calls = [span for span in collector.spans if span["kind"] == CLIENT]
    assert {(call["traceId"], call["parentSpanId"]) for call in calls} <= {(root["traceId"], root["spanId"])}
    assert len({span["spanId"] for span in collector.spans}) == len(collector.spans)
    return root, {attributes(call)["crossover.supplier"]: call for call in calls}


async def test_a_search_is_one_span_and_each_supplier_asked_is_one_below_it(collector: Collector) -> None:
    suppliers = [
        FakeSupplier("a", (hotel("a"),)),
        FakeSupplier("broken", error=SupplierUnavailable("status 500: <html>secret</html>")),
        FakeSupplier("lying", error=SupplierMalformed("no JSON")),
        FakeSupplier("slow", delay_s=5),
        FakeSupplier("skipped", error=SupplierSkipped("takes no children")),
        FakeSupplier("held", error=SupplierHeldBack("circuit open")),
    ]
    async with traced(make_service(*suppliers, deadline_ms=200), collector) as client:
        assert (await client.get(SEARCH)).status_code == 200
    root, calls = parted(collector)
    assert (root["name"], root.get("parentSpanId"), root.get("status")) == ("GET /search", None, None)
    assert attributes(root) == {
        "http.request.method": "GET",
        "http.route": "/search",
        "http.response.status_code": 200,
        "url.path": "/search",
        "url.scheme": "http",
        "crossover.place": "LON",
        "crossover.hotels_found": 1,
        "crossover.complete": False,
        "crossover.suppliers_ok": 1,
        "crossover.suppliers_cached": 0,
        "crossover.suppliers_not_asked": ["skipped", "held"],
    }
    assert {name: call.get("status") for name, call in calls.items()} == {
        "a": None, "broken": {"code": ERROR}, "lying": {"code": ERROR}, "slow": {"code": ERROR},
    }  # fmt: skip
    assert calls["a"]["name"] == "supplier a"
    answered = {"crossover.supplier": "a", "crossover.outcome": "ok", "crossover.offers": 1, "server.address": "a.example"}
    assert attributes(calls["a"]) == answered
    late = {"crossover.supplier": "slow", "crossover.outcome": "timeout", "crossover.offers": 0, "error.type": "timeout"}
    assert attributes(calls["slow"]) == late
    assert "secret" not in str(collector.spans)


async def test_the_times_of_calls_lie_inside_the_search(collector: Collector) -> None:
    suppliers = [FakeSupplier("quick", (hotel("quick"),), delay_s=0.05), FakeSupplier("slow", delay_s=5)]
    before = time.time_ns()
    async with traced(make_service(*suppliers, deadline_ms=200), collector) as client:
        await client.get(SEARCH)
    after = time.time_ns()
    root, calls = parted(collector)
    for call in calls.values():
        assert before <= _began(root) <= _began(call) <= _ended(call) <= _ended(root) <= after
    lasted_ms = {name: (_ended(call) - _began(call)) / 1e6 for name, call in calls.items()}
    assert 50 <= lasted_ms["quick"] < lasted_ms["slow"]
    assert 150 <= lasted_ms["slow"] < 5_000


def _began(span: dict[str, Any]) -> int:
    return int(span["startTimeUnixNano"])


def _ended(span: dict[str, Any]) -> int:
    return int(span["endTimeUnixNano"])


async def test_a_search_that_nobody_answered_is_an_error(collector: Collector) -> None:
    async with traced(make_service(FakeSupplier("a", error=SupplierUnavailable("gone"))), collector) as client:
        assert (await client.get(SEARCH)).status_code == 503
    root, calls = parted(collector)
    assert root["status"] == {"code": ERROR}
    about = attributes(root)
    assert (about["http.response.status_code"], about["error.type"]) == (503, "AllSuppliersFailed")
    assert list(calls) == ["a"]


async def test_a_search_that_breaks_is_an_error(collector: Collector) -> None:
    service = make_service(FakeSupplier("a", (hotel("a"),)))
    assert service.search is not None
    service.search._consolidator = None  # type: ignore[assignment]
    async with traced(service, collector) as client:
        assert (await client.get(SEARCH)).status_code == 500
    root, calls = parted(collector)
    about = attributes(root)
    assert (root["status"], about["http.response.status_code"], calls) == ({"code": ERROR}, 500, {})


async def test_a_stream_is_traced_too(collector: Collector) -> None:
    service = make_service(FakeSupplier("a", error=SupplierUnavailable("gone")))
    async with traced(service, collector) as client:
        assert (await client.get(SEARCH.replace("/search", "/search/stream"))).status_code == 200
    root, calls = parted(collector)
    assert (root["name"], list(calls)) == ("GET /search/stream", ["a"])
    assert attributes(root)["http.response.status_code"] == 200, "which was sent before anybody could know"


async def test_the_caller_is_the_parent_and_its_state_is_kept(collector: Collector) -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": 'vendor=a"b%s'}
    async with traced(make_service(FakeSupplier("a", (hotel("a"),))), collector) as client:
        await client.get(SEARCH, headers=headers)
    root, calls = parted(collector)
    assert (root["traceId"], root["parentSpanId"]) == (TRACE, PARENT)
    assert {span["traceState"] for span in (root, *calls.values())} == {'vendor=a"b%s'}
    assert (root["flags"], calls["a"]["flags"]) == (0x301, 0x101)


async def test_a_caller_that_does_not_sample_is_obeyed(collector: Collector) -> None:
    async with traced(make_service(FakeSupplier("a", (hotel("a"),))), collector) as client:
        await client.get(SEARCH, headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    assert collector.received == []


@pytest.mark.parametrize(
    "wrong", ["", "00-zz-1-01", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01", "x" * 9_000, "\xff"]
)
async def test_a_parent_that_cannot_be_read_is_none_without_a_word(
    collector: Collector, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    async with traced(make_service(FakeSupplier("a", (hotel("a"),))), collector) as client:
        await client.get(SEARCH, headers=[(b"traceparent", wrong.encode("latin-1"))])
    root, _ = parted(collector)
    assert "parentSpanId" not in root and root["traceId"] != TRACE
    assert caplog.messages == []


async def test_two_parents_are_none(collector: Collector) -> None:
    parents = [(b"traceparent", f"00-{trace}-{PARENT}-01".encode()) for trace in (TRACE, "1" * 32)]
    async with traced(make_service(FakeSupplier("a", (hotel("a"),))), collector) as client:
        await client.get(SEARCH, headers=parents)
    assert "parentSpanId" not in parted(collector)[0]


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        (["a=1", "b=2, c=3"], "a=1,b=2,c=3"),
        (["a=" + "x" * 250, "b=" + "x" * 250], f"a={'x' * 250},b={'x' * 250}"),
        (["a=" + "x" * 250, "b=" + "x" * 250, "c=" + "x" * 20], None),
        (["a=1," + "b" * 9_000], None),
        (["no pair"], None),
        (["a=\xe9"], None),
        (["", ""], None),
    ],
)
async def test_the_callers_states_are_joined_and_dropped_without_a_word_where_too_long_or_wrong(
    collector: Collector, caplog: pytest.LogCaptureFixture, states: list[str], kept: str | None
) -> None:
    headers = [(b"traceparent", f"00-{TRACE}-{PARENT}-01".encode())]
    headers += [(b"tracestate", state.encode("latin-1")) for state in states]
    async with traced(make_service(FakeSupplier("a", (hotel("a"),))), collector) as client:
        await client.get(SEARCH, headers=headers)
    root, _ = parted(collector)
    assert (root["parentSpanId"], root.get("traceState")) == (PARENT, kept)
    assert caplog.messages == []


@pytest.mark.parametrize(("ratio", "low", "high"), [("0", 0, 0), ("0.5", 60, 140), ("1", 200, 200)])
async def test_the_ratio_decides_how_many_searches_are_traced(collector: Collector, ratio: str, low: int, high: int) -> None:
    sampler = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    async with traced(make_service(FakeSupplier("a", (hotel("a"),))), collector, **sampler) as client:
        for _ in range(200):
            await client.get(SEARCH)
    assert low <= sum(span["kind"] == SERVER for span in collector.spans) <= high


async def test_a_shared_search_is_one_trace_of_the_caller_that_began_it(collector: Collector) -> None:
    supplier = FakeSupplier("a", (hotel("a"),), delay_s=0.1)
    async with traced(make_service(supplier), collector) as client:
        first = asyncio.create_task(client.get(SEARCH, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"}))
        while not supplier.asked:
            await asyncio.sleep(0.005)
        await client.get(SEARCH, headers={"traceparent": f"00-{'1' * 32}-{PARENT}-01"})
        await first
    root, _ = parted(collector)
    assert (root["traceId"], supplier.asked) == (TRACE, 1)


async def test_a_recent_answer_is_counted_and_has_no_span(collector: Collector) -> None:
    service = make_service(FakeSupplier("a", (hotel("a"),)), FakeSupplier("b", (hotel("b"),)))
    cache = AnswerCache(Freshness(0, {"a": 60}), ByteLru(1_000_000), namespace="test")
    assert service.search is not None
    service.search = SearchService(
        service.search.suppliers, rates=FakeRates(), rules=Rules(Decimal(10)), deadline_ms=300, cache=cache
    )
    async with traced(service, collector) as client:
        await client.get(SEARCH)
        await client.get(SEARCH)
    roots = [span for span in collector.spans if span["kind"] == SERVER]
    assert [attributes(root)["crossover.suppliers_cached"] for root in roots] == [0, 1]
    calls = [attributes(span)["crossover.supplier"] for span in collector.spans if span["kind"] == CLIENT]
    assert sorted(calls) == ["a", "b", "b"]


class SlowStore:
    """A shared store that has nothing and takes its time to say so."""

    async def get(self, key: bytes) -> bytes | None:
        await asyncio.sleep(0.05)
        return None

    def put(self, key: bytes, value: bytes, *, ttl_ms: int) -> None: ...


async def test_calls_begin_when_suppliers_are_asked_not_when_the_cache_is(collector: Collector) -> None:
    service = make_service(FakeSupplier("a", (hotel("a"),)))
    cache = AnswerCache(Freshness(60), ByteLru(1_000_000), remote=SlowStore())
    assert service.search is not None
    service.search = SearchService(
        service.search.suppliers, rates=FakeRates(), rules=Rules(Decimal(10)), deadline_ms=300, cache=cache
    )
    async with traced(service, collector) as client:
        await client.get(SEARCH)
    root, calls = parted(collector)
    assert _began(root) + 50e6 <= _began(calls["a"]) <= _ended(calls["a"]) <= _ended(root)
