"""The spans of one search, made when it has ended, from what is known anyway; nothing is made when the sampler says no."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from app.core.errors import AllSuppliersFailed
from app.core.models import OutcomeStatus, SearchQuery, SearchResult, SupplierOutcome
from app.telemetry.counters import NOT_ASKED
from app.telemetry.tracing.export import Pipeline
from app.telemetry.tracing.otlp import Calls
from app.telemetry.tracing.port import Origin

MAX_PARENT_BYTES, MAX_STATE_BYTES = 128, 512
"""A longer header counts as none. `traceparent` has 55 bytes, in a later version perhaps more; 512 is how much `tracestate` W3C
Trace Context asks to pass on."""

log = logging.getLogger("crossover.traces")


class SearchTrace:
    """Implements the port's `Trace`: remembers when the search began, on a clock that nobody sets."""

    __slots__ = ("_asking_ns", "_begun", "_begun_ns", "_origin", "_pipeline", "_query")

    def __init__(self, pipeline: Pipeline, query: SearchQuery, origin: Origin) -> None:
        self._pipeline = pipeline
        self._query = query
        self._origin = origin
        self._begun_ns = self._asking_ns = time.time_ns()
        self._begun = time.perf_counter_ns()

    def asking(self) -> None:
        self._asking_ns = self._now_ns()

    def finished(self, result: SearchResult) -> None:
        found: dict[str, AttributeValue] = {
            "http.response.status_code": 200,
            "crossover.hotels_found": result.hotels_found,
            "crossover.complete": result.complete,
        }
        self._tell(found, result.outcomes, failed=False)

    def failed(self, error: Exception) -> None:
        nobody = isinstance(error, AllSuppliersFailed)
        status = 200 if self._origin.streamed else 503 if nobody else 500  # as `app.web.errors` answers
        about: dict[str, AttributeValue] = {"http.response.status_code": status, "error.type": type(error).__name__}
        self._tell(about, error.outcomes if isinstance(error, AllSuppliersFailed) else (), failed=True)

    def _tell(self, about: dict[str, AttributeValue], outcomes: tuple[SupplierOutcome, ...], *, failed: bool) -> None:
        try:
            origin = self._origin
            name, parent = f"GET {origin.route}", _parent(origin.headers)
            span = self._pipeline.tracer.start_span(name, parent, SpanKind.SERVER, start_time=self._begun_ns)
            if not span.is_recording():
                return
            span.set_attributes(self._request() | about | _counts(outcomes))
            if failed:
                span.set_status(Status(StatusCode.ERROR))
            asked = [outcome for outcome in outcomes if outcome.cached_age_ms is None and outcome.status not in NOT_ASKED]
            self._pipeline.end(span, self._now_ns(), Calls(self._asking_ns, asked))
        except Exception:  # the search has its answer; that it cannot be told of must not take it away
            log.exception("a search could not be traced")

    def _request(self) -> dict[str, AttributeValue]:
        route = self._origin.route
        return {
            "http.request.method": "GET",
            "http.route": route,
            "url.path": route,
            "url.scheme": self._origin.scheme,
            "crossover.place": self._query.place,
        }

    def _now_ns(self) -> int:
        return self._begun_ns + time.perf_counter_ns() - self._begun


class Traces:
    """Implements the port's `Tracer`."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        logging.getLogger("opentelemetry.trace.span").setLevel(logging.ERROR)  # it warns of every caller's wrong tracestate

    def begin(self, query: SearchQuery, origin: Origin) -> SearchTrace:
        return SearchTrace(self._pipeline, query, origin)


def _parent(headers: Sequence[tuple[bytes, bytes]]) -> Context:
    """The caller's span (W3C Trace Context), or none."""
    parents = [value for name, value in headers if name == b"traceparent"]
    if len(parents) != 1 or len(parents[0]) > MAX_PARENT_BYTES:
        return Context()
    carrier = {"traceparent": parents[0].decode("latin-1")}
    state = b",".join(value for name, value in headers if name == b"tracestate")
    if 0 < len(state) <= MAX_STATE_BYTES:
        carrier["tracestate"] = state.decode("latin-1")
    return TraceContextTextMapPropagator().extract(carrier, Context())


def _counts(outcomes: tuple[SupplierOutcome, ...]) -> dict[str, AttributeValue]:
    """What there is no span for: answers that were kept, and suppliers that were not asked, by name."""
    return {
        "crossover.suppliers_ok": sum(outcome.status is OutcomeStatus.OK for outcome in outcomes),
        "crossover.suppliers_cached": sum(outcome.cached_age_ms is not None for outcome in outcomes),
        "crossover.suppliers_not_asked": [outcome.supplier for outcome in outcomes if outcome.status in NOT_ASKED],
    }
