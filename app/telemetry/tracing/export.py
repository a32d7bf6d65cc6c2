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

import httpx
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider, sampling
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, Tracer

from app.telemetry.metrics import Sample
from app.telemetry.tracing.otlp import Calls, Encoder
from app.telemetry.tracing.port import TraceSettings

MAX_WAITING = 512
"""Searches whose spans are not yet sent, at most: about 7 MB."""

BATCH = 64
SEND_EVERY_S = 5.0
SEND_TIMEOUT_S = 2.0
"""For a batch: to connect, and again to be answered."""

SETTLE_S = 0.2
CLOSE_S = 3.0
COMPLAIN_EVERY_S = 60.0

CLOSED_MEANWHILE = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""What a kept connection raises that the collector has closed."""

Clock = Callable[[], float]

log = logging.getLogger("crossover.traces")


class Sender(SpanExporter):
    """Posts batches, each tried once; counts what became of spans, and tells of failures once a minute instead of each time.

    `calls` holds what is known of the calls of each search whose span waits, by span id.
    """

    def __init__(self, client: httpx.Client, endpoint: str, encoder: Encoder, clock: Clock = time.monotonic) -> None:
        self._client = client
        self._endpoint = endpoint
        self._encoder = encoder
        self._clock = clock
        self._complained_at: float | None = None
        self.calls: dict[int, Calls] = {}
        self.exported = 0
        self.failed = 0
        self.closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """On the processor's thread, or on one that flushes; never on two at once."""
        count, searches = 0, []
        for span in spans:
            assert span.context is not None
            calls = self.calls.pop(span.context.span_id)
            count += 1 + len(calls.outcomes)
            if not self.closed:
                searches.append(self._encoder.search(span, calls))
        reason = "closed" if self.closed else self._refusal(self._encoder.request(searches))
        if reason is None:
            self.exported += count
            return SpanExportResult.SUCCESS
        self.failed += count
        self._complain(reason)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Called by the library when nothing more is exported."""
        self._client.close()

    def _refusal(self, body: bytes) -> str | None:
        """Send this; why it was not taken, or `None`."""
        try:
            try:
                answer = self._client.post(self._endpoint, content=body)
            except CLOSED_MEANWHILE:
                answer = self._client.post(self._endpoint, content=body)
        except (httpx.HTTPError, OSError) as error:
            return type(error).__name__
        return None if answer.is_success else f"status {answer.status_code}"

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
            self.dropped += 1 + len(calls.outcomes)
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
        if not self._sender.calls or (self._flush is not None and not self._flush.is_set()):
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
    resource = Resource.create({**about, **settings.resource})
    headers = {"content-type": "application/json", **settings.headers}
    client = httpx.Client(headers=headers, timeout=SEND_TIMEOUT_S)
    pipeline = Pipeline(settings, resource, Sender(client, settings.endpoint, Encoder(resource, hosts)))
    try:
        yield pipeline
    finally:
        await pipeline.close()


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
