"""From spans to the collector: which are made, a bounded queue, batches on a thread; failures are counted, and told seldom.

A collector that is slow, dead or lying costs no search anything: its batches are lost after `SEND_TIMEOUT_S`, and what does not
find room meanwhile is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import anyio.lowlevel
import httpx
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider, sampling
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import Span, Tracer

from app.telemetry.metrics import Sample
from app.telemetry.tracing.otlp import Calls, Encoder
from app.telemetry.tracing.port import TraceSettings

MAX_WAITING = 512
"""Searches whose spans are not yet sent, at most: about 7 MB."""

BATCH = 64
SEND_EVERY_S = 5.0
SEND_TIMEOUT_S = 2.0
"""For a batch, from connecting to the end of the answer."""

MAX_ANSWER_BYTES = 65_536
SETTLE_S = 0.2
CLOSE_S = 3.0
COMPLAIN_EVERY_S = 60.0

Clock = Callable[[], float]

log = logging.getLogger("crossover.traces")


class Sender(SpanExporter):
    """Posts batches, each once and on a connection of its own; counts what became of spans, and tells of failures once a minute
    instead of each time.

    `calls` holds what is known of the calls of each search whose span waits, by span id; `exporting`: a batch that is out of
    `calls` is on its way.
    """

    def __init__(self, settings: TraceSettings, encoder: Encoder, clock: Clock = time.monotonic) -> None:
        self._endpoint = settings.endpoint
        self._headers = {"content-type": "application/json", **settings.headers, "connection": "close"}
        self._transport = httpx.AsyncHTTPTransport(verify=settings.endpoint.startswith("https://"), trust_env=False)
        self._encoder = encoder
        self._clock = clock
        self._complained_at: float | None = None
        self.calls: dict[int, Calls] = {}
        self.exporting = False
        self.exported = 0
        self.failed = 0
        self.closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """On the processor's thread, or on one that flushes; never on two at once."""
        self.exporting = True
        try:
            return self._export([(span, self._calls_of(span)) for span in spans])
        finally:
            self.exporting = False

    def _calls_of(self, span: ReadableSpan) -> Calls:
        assert span.context is not None
        return self.calls.pop(span.context.span_id)

    def _export(self, batch: Sequence[tuple[ReadableSpan, Calls]]) -> SpanExportResult:
        if self.closed:
            return self._lost(sum(calls.spans for _, calls in batch), "closed")
        searches, count = [], 0
        for span, calls in batch:
            try:
                searches.append(self._encoder.search(span, calls))
                count += calls.spans
            except Exception as error:  # the others of the batch can be told all the same
                self._lost(calls.spans, type(error).__name__)
        if not searches:
            return SpanExportResult.FAILURE
        try:
            reason = asyncio.run(self._post(self._encoder.request(searches)))
        except Exception as error:
            reason = type(error).__name__
        if reason is not None:
            return self._lost(count, reason)
        self.exported += count
        return SpanExportResult.SUCCESS

    async def _post(self, body: bytes) -> str | None:
        """Send this; why it was not taken, or `None`. The transport is used without a client, which would log the URL, and go
        through a proxy that the environment names."""
        request = httpx.Request("POST", self._endpoint, headers=self._headers, content=body)
        async with asyncio.timeout(SEND_TIMEOUT_S), self._transport:  # closes what it has opened, and can be used again
            answer = await self._transport.handle_async_request(request)
            async with contextlib.aclosing(answer):
                size = 0
                async for part in answer.aiter_raw():
                    size += len(part)
                    if size > MAX_ANSWER_BYTES:
                        return "the answer has no end"
        return None if answer.is_success else f"status {answer.status_code}"

    def _lost(self, count: int, reason: str) -> SpanExportResult:
        self.failed += count
        self._complain(reason)
        return SpanExportResult.FAILURE

    def _complain(self, reason: str) -> None:
        now = self._clock()
        if self._complained_at is None or now - self._complained_at >= COMPLAIN_EVERY_S:
            self._complained_at = now
            log.warning("traces cannot be sent (%s; %d spans lost so far); searches go on without", reason, self.failed)


class Pipeline:
    """The library's tracer and what lies behind it. Whether there is room is asked here, for the library's queue drops what is
    oldest without counting it."""

    def __init__(self, settings: TraceSettings, resource: Resource, sender: Sender) -> None:
        self._sender = sender
        self._provider = TracerProvider(_sampler(settings), resource, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                sender,
                max_queue_size=MAX_WAITING,
                schedule_delay_millis=SEND_EVERY_S * 1000,
                max_export_batch_size=BATCH,
            )
        )
        self.tracer: Tracer = self._provider.get_tracer("crossover")
        self._flush: asyncio.Event | None = None
        self.dropped = 0

    def end(self, span: Span, ended_ns: int, calls: Calls) -> None:
        """Hand over a search's span with its calls; dropped whole when too many wait."""
        if len(self._sender.calls) >= MAX_WAITING:
            self.dropped += calls.spans
            return
        self._sender.calls[span.get_span_context().span_id] = calls
        span.end(ended_ns)

    def samples(self) -> Iterator[Sample]:
        about = "What became of spans: sent, not taken by the collector, dropped because too many waited."
        counts = ("sent", self._sender.exported), ("failed", self._sender.failed), ("dropped", self.dropped)
        for result, count in counts:
            yield Sample("crossover_trace_spans_total", "counter", about, count, (("result", result),))

    async def settle(self) -> None:
        """Send what waits, at most `SETTLE_S`. While an earlier flush still hangs nobody waits again."""
        waits = self._sender.calls or self._sender.exporting
        if not waits or (self._flush is not None and not self._flush.is_set()):
            return
        self._flush = _in_thread(self._provider.force_flush)
        await _is_set(self._flush, SETTLE_S)

    async def close(self) -> None:
        """Send what waits, at most `CLOSE_S`; what is not sent by then is lost."""
        if not await _is_set(_in_thread(self._provider.shutdown), CLOSE_S):
            log.warning("the traces of some searches could not be sent in time and are lost")
        self._sender.closed = True


@asynccontextmanager
async def open_pipeline(
    settings: TraceSettings, *, about: Mapping[str, str], hosts: Mapping[str, str]
) -> AsyncIterator[Pipeline]:
    """A pipeline to that collector, `about` this service. That the collector is away is no reason not to start."""
    resource = _resource({**about, **settings.resource})
    pipeline = Pipeline(settings, resource, Sender(settings, Encoder(resource, hosts)))
    await anyio.lowlevel.checkpoint()  # imports what the transport waits with, else in the first batch's time
    try:
        yield pipeline
    finally:
        await pipeline.close()


def _resource(about: Mapping[str, str]) -> Resource:
    """What `Resource.create` would make, but that it reads the environment."""
    sdk = {"language": "python", "name": "opentelemetry", "version": sdk_version}
    known = {f"telemetry.sdk.{name}": value for name, value in sdk.items()}
    return Resource({**known, "service.instance.id": str(uuid4()), **about})


def _sampler(settings: TraceSettings) -> sampling.Sampler:
    base = settings.sampler.removeprefix("parentbased_")
    fixed = {"always_on": sampling.ALWAYS_ON, "always_off": sampling.ALWAYS_OFF}
    sampler = fixed.get(base) or sampling.TraceIdRatioBased(settings.ratio)
    return sampler if base == settings.sampler else sampling.ParentBased(sampler)


def _in_thread(work: Callable[[], object]) -> asyncio.Event:
    """Set when `work` is done. Not the loop's executor: a thread that hangs there would hold up the end of the process."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        try:
            work()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="crossover-traces", daemon=True).start()
    return done


async def _is_set(event: asyncio.Event, timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
