"""The way to the collector: what is sent along, and that a collector that is slow, dead or refuses costs no search anything."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import certifi
import pytest
from msgspec.structs import replace
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
    assert (headers["authorization"], headers["x-tenant"], headers["connection"]) == ("Basic abc", "7", "close")
    about = collector.resource
    assert (about["service.name"], about["deployment.environment"]) == ("hotels", "beta")
    assert (about["crossover.lane"], about["telemetry.sdk.language"]) == ("container", "python")
    assert about["service.instance.id"]


async def test_the_resource_is_what_the_settings_say_whatever_stands_in_the_environment(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "stray=1")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "stray")
    monkeypatch.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "process")
    settings = settings_for(collector.url, OTEL_RESOURCE_ATTRIBUTES="service.instance.id=mine")
    async with open_pipeline(settings, about={}, hosts={}) as pipeline:
        search_once(pipeline)
    sdk = {"telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version"}
    assert collector.resource.keys() == {*sdk, "service.name", "service.instance.id"}
    assert (collector.resource["service.name"], collector.resource["service.instance.id"]) == ("crossover", "mine")


@pytest.mark.usefixtures("patient")
async def test_batches_go_straight_to_the_collector_and_leave_no_word_of_where(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
        monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    settings = settings_for(collector.url, OTEL_EXPORTER_OTLP_ENDPOINT=f"{collector.url}?api-key=s3cret")
    with caplog.at_level(logging.INFO):
        async with open_pipeline(settings, about={}, hosts={}) as pipeline:
            search_once(pipeline)
            await pipeline.settle()
            assert counts(pipeline) == {"sent": 1, "failed": 0, "dropped": 0}
    assert [got.path for got in collector.received] == ["/v1/traces?api-key=s3cret"]
    assert caplog.messages == []


async def test_certificates_are_read_only_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certifi, "where", lambda: "/nowhere")
    async with open_pipeline(settings_for("http://collector"), about={}, hosts={}):
        pass
    with pytest.raises(FileNotFoundError):
        async with open_pipeline(settings_for("https://collector"), about={}, hosts={}):
            pass


@pytest.mark.usefixtures("patient")
async def test_settling_sends_what_waits(collector: Collector) -> None:
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        await pipeline.settle()
        assert collector.received == []
        search_once(pipeline)
        await pipeline.settle()
        assert len(collector.spans) == 1
        assert counts(pipeline) == {"sent": 1, "failed": 0, "dropped": 0}


@pytest.mark.usefixtures("patient")
async def test_settling_waits_for_a_batch_that_is_on_its_way_already(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "SEND_EVERY_S", 0.02)
    collector.delay_s = 0.3
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        search_once(pipeline)
        async with asyncio.timeout(10):
            while pipeline._sender.calls:  # until the timer takes it
                await asyncio.sleep(0.005)
        await pipeline.settle()
        assert counts(pipeline) == {"sent": 1, "failed": 0, "dropped": 0}


async def test_a_collector_that_hangs_costs_a_search_nothing_and_the_end_little(collector: Collector) -> None:
    collector.answers.clear()
    service = make_service(FakeSupplier("a", (hotel("a"),)))
    async with traced(service, collector) as client:
        took = []
        for _ in range(3 * export.BATCH):  # full batches are sent at once, and hang
            began = time.perf_counter()
            assert (await client.get(SEARCH)).status_code == 200
            took.append(time.perf_counter() - began)
        assert sorted(took)[-2] < 0.5 * export.SEND_TIMEOUT_S
        ending = time.perf_counter()
    assert time.perf_counter() - ending < export.CLOSE_S + 2


async def test_settling_waits_little_for_a_collector_that_hangs_and_not_twice(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "SEND_TIMEOUT_S", 30.0)
    begun: list[Callable[[], object]] = []
    in_thread = export._in_thread

    def counted(work: Callable[[], object]) -> asyncio.Event:
        begun.append(work)
        return in_thread(work)

    monkeypatch.setattr(export, "_in_thread", counted)
    collector.answers.clear()
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        search_once(pipeline)
        began = time.perf_counter()
        await pipeline.settle()
        assert export.SETTLE_S * 0.9 <= time.perf_counter() - began < 0.5 * export.SEND_TIMEOUT_S
        for _ in range(2):
            search_once(pipeline)
            await pipeline.settle()
        assert len(begun) == 1
        collector.answers.set()
        monkeypatch.setattr(export, "CLOSE_S", 30.0)
    assert counts(pipeline) == {"sent": 3, "failed": 0, "dropped": 0}


@pytest.mark.parametrize(
    ("part", "piece", "pause_s", "reason"),
    [("head", 1, 0.05, "TimeoutError"), ("body", 1, 0.05, "TimeoutError"), ("body", 16_384, 0, "the answer has no end")],
)
async def test_an_answer_without_an_end_is_cut_off_and_its_batch_has_failed(
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    part: str,
    piece: int,
    pause_s: float,
    reason: str,
) -> None:
    monkeypatch.setattr(export, "SEND_TIMEOUT_S", 0.5 if reason == "TimeoutError" else 10.0)
    monkeypatch.setattr(export, "SETTLE_S", 10.0)
    collector.endless, collector.piece, collector.pause_s = part, piece, pause_s
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        search_once(pipeline)
        await pipeline.settle()
        assert counts(pipeline) == {"sent": 0, "failed": 1, "dropped": 0}
        collector.endless = None
        search_once(pipeline)
        await pipeline.settle()
        assert counts(pipeline) == {"sent": 1, "failed": 1, "dropped": 0}
    assert caplog.messages == [f"traces cannot be sent ({reason}; 1 spans lost so far); searches go on without"]


@pytest.mark.usefixtures("patient")
async def test_a_span_that_cannot_be_encoded_takes_no_others_with_it(collector: Collector) -> None:
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        Traces(pipeline).begin(replace(QUERY, place="\udc00"), ORIGIN).finished(RESULT)
        search_once(pipeline, 2)
        await pipeline.settle()
        assert counts(pipeline) == {"sent": 2, "failed": 1, "dropped": 0}
        assert pipeline._sender.calls == {}, "else its room would never be free again"
    assert len(collector.spans) == 2


@pytest.mark.usefixtures("patient")
async def test_a_dead_collector_is_told_of_once_a_minute_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock(100.0)
    settings = settings_for(f"http://127.0.0.1:{free_port()}")
    resource = Resource({})
    pipeline = Pipeline(settings, resource, Sender(settings, Encoder(resource, {}), clock))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            search_once(pipeline)
            await pipeline.settle()
        assert caplog.messages == ["traces cannot be sent (ConnectError; 1 spans lost so far); searches go on without"]
        clock.now += export.COMPLAIN_EVERY_S
        search_once(pipeline)
        await pipeline.settle()
        assert len(caplog.records) == 2
    assert counts(pipeline) == {"sent": 0, "failed": 4, "dropped": 0}
    await pipeline.close()


@pytest.mark.usefixtures("patient")
async def test_what_the_collector_refuses_is_counted(collector: Collector) -> None:
    collector.status = 401
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        search_once(pipeline)
        await pipeline.settle()
        assert counts(pipeline) == {"sent": 0, "failed": 1, "dropped": 0}


@pytest.mark.usefixtures("patient")
async def test_what_has_no_room_is_dropped_and_counted(collector: Collector) -> None:
    collector.answers.clear()
    async with open_pipeline(settings_for(collector.url), about={}, hosts={}) as pipeline:
        search_once(pipeline, export.MAX_WAITING + 300)
        counted = counts(pipeline)
        assert 300 - export.BATCH <= counted["dropped"] <= 300
        collector.answers.set()
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
