"""The way to the collector: what is sent along, and that a collector that is slow, dead or refuses costs no search anything."""

from __future__ import annotations

import asyncio
import logging
import time

import httpx
import pytest
from opentelemetry.sdk.resources import Resource

from app.core.models import SearchResult
from app.settings import Settings
from app.telemetry.tracing import export
from app.telemetry.tracing.export import Pipeline, Sender, open_pipeline
from app.telemetry.tracing.otlp import Encoder
from app.telemetry.tracing.port import Origin, TraceSettings
from app.telemetry.tracing.spans import Traces
from tests.app.telemetry.tracing.collector import EVERY_ONE, Collector
from tests.app.telemetry.tracing.test_spans import traced
from tests.app.web.test_routes import SEARCH, make_service
from tests.conftest import free_port
from tests.fakes import QUERY, FakeClock, FakeSupplier, hotel

ORIGIN = Origin("/search", "http", [])
RESULT = SearchResult(QUERY, 0, (), (), True, 1.0)


def settings_for(url: str, **variables: str) -> TraceSettings:
    settings = Settings.from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": url, **EVERY_ONE, **variables}).traces
    assert settings is not None
    return settings


def counts(pipeline: Pipeline) -> dict[str, float]:
    return {sample.labels[0][1]: sample.value for sample in pipeline.samples()}


def search_once(pipeline: Pipeline, times: int = 1) -> None:
    for _ in range(times):
        Traces(pipeline).begin(QUERY, ORIGIN).finished(RESULT)


async def test_resource_headers_and_path_reach_the_collector(collector: Collector) -> None:
    settings = settings_for(
        collector.url,
        OTEL_EXPORTER_OTLP_HEADERS="authorization=Basic%20abc,x-tenant=7",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment=beta,service.name=other",
        OTEL_SERVICE_NAME="hotels",
    )
    async with open_pipeline(settings, about={"crossover.lane": "container"}, hosts={}) as pipeline:
        search_once(pipeline)
    (got,) = collector.received
    headers = {name.lower(): value for name, value in got.headers.items()}
    assert (got.path, headers["content-type"]) == ("/v1/traces", "application/json")
    assert (headers["authorization"], headers["x-tenant"]) == ("Basic abc", "7")
    about = collector.resource
    assert (about["service.name"], about["deployment.environment"]) == ("hotels", "beta")
    assert (about["crossover.lane"], about["telemetry.sdk.language"]) == ("container", "python")


async def test_settling_sends_what_waits(collector: Collector) -> None:
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        await pipeline.settle()
        assert collector.received == []
        search_once(pipeline)
        await pipeline.settle()
        assert len(collector.spans) == 1
        assert counts(pipeline) == {"sent": 1, "failed": 0, "dropped": 0}


async def test_a_connection_that_the_collector_has_closed_loses_nothing(collector: Collector) -> None:
    collector.close_silently = True
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        for _ in range(3):
            search_once(pipeline)
            await pipeline.settle()
            await asyncio.sleep(0.05)
        assert counts(pipeline) == {"sent": 3, "failed": 0, "dropped": 0}


async def test_a_collector_that_hangs_costs_a_search_nothing_and_the_end_little(collector: Collector) -> None:
    collector.delay_s = 30
    service = make_service(FakeSupplier("a", (hotel("a"),)))
    async with traced(service, collector) as client:
        took = []
        for _ in range(3 * export.BATCH):  # full batches are sent at once, and hang
            began = time.perf_counter()
            assert (await client.get(SEARCH)).status_code == 200
            took.append(time.perf_counter() - began)
        assert sorted(took)[-2] < 0.3
        ending = time.perf_counter()
    assert time.perf_counter() - ending < export.CLOSE_S + 1
    collector.delay_s = 0


async def test_settling_waits_little_for_a_collector_that_hangs_and_not_twice(collector: Collector) -> None:
    collector.delay_s = 1
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        took = []
        for _ in range(3):
            search_once(pipeline)
            began = time.perf_counter()
            await pipeline.settle()
            took.append(time.perf_counter() - began)
        assert export.SETTLE_S * 0.9 <= took[0] < export.SETTLE_S + 0.2
        assert max(took[1:]) < 0.05


async def test_a_dead_collector_is_told_of_once_a_minute_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock(100.0)
    settings = settings_for(f"http://127.0.0.1:{free_port()}")
    client = httpx.Client(timeout=1)
    resource = Resource.create({})
    pipeline = Pipeline(settings, resource, Sender(client, settings.endpoint, Encoder(resource, {}), clock))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            search_once(pipeline)
            await pipeline.settle()
        assert [record.getMessage() for record in caplog.records] == [
            "traces cannot be sent (ConnectError; 1 spans lost so far); searches go on without"
        ]
        clock.now += export.COMPLAIN_EVERY_S
        search_once(pipeline)
        await pipeline.settle()
        assert len(caplog.records) == 2
    assert counts(pipeline) == {"sent": 0, "failed": 4, "dropped": 0}
    await pipeline.close()


async def test_what_the_collector_refuses_is_counted(collector: Collector) -> None:
    collector.status = 401
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        search_once(pipeline)
        await pipeline.settle()
        assert counts(pipeline) == {"sent": 0, "failed": 1, "dropped": 0}


async def test_what_has_no_room_is_dropped_and_counted(collector: Collector) -> None:
    collector.delay_s = 0.5
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        search_once(pipeline, export.MAX_WAITING + 300)
        counted = counts(pipeline)
        assert 300 - 2 * export.BATCH <= counted["dropped"] <= 300
        collector.delay_s = 0
    counted = counts(pipeline)
    assert counted["sent"] + counted["dropped"] == export.MAX_WAITING + 300
    assert len(collector.spans) == counted["sent"]


async def test_a_trace_that_cannot_be_made_takes_no_answer_away(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Pipeline, "end", lambda *_: 1 / 0)
    async with traced(make_service(FakeSupplier("a", (hotel("a"),))), collector) as client:
        assert (await client.get(SEARCH)).status_code == 200
    assert "a search could not be traced" in caplog.text
