"""Our OTLP/JSON, read by OpenTelemetry's own reader of it."""

from __future__ import annotations

from opentelemetry.proto_json.collector.trace.v1.trace_service import ExportTraceServiceRequest
from opentelemetry.proto_json.trace.v1.trace import Span, Status
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags, TraceState
from opentelemetry.trace import Status as SdkStatus

from app.core.models import OutcomeStatus, SupplierOutcome
from app.telemetry.tracing.otlp import Calls, Encoder

TRACE, CALLER, OURS = 0x0AF7651916CD43DD8448EB211C80319C, 0x00F067AA0BA902B7, 0x1
FAILED = Status.from_dict({"code": Status.StatusCode.STATUS_CODE_ERROR})
STRANGE = 'a"b%s\\é\n'


def search() -> ReadableSpan:
    state = TraceState([("vendor", "x%sy")])
    return ReadableSpan(
        "GET /search",
        context=SpanContext(TRACE, OURS, False, TraceFlags(1), state),
        parent=SpanContext(TRACE, CALLER, True, TraceFlags(1), state),
        kind=SpanKind.SERVER,
        attributes={"text": STRANGE, "count": 2**53 + 1, "yes": True, "list": ("a", "b")},
        start_time=1_795_662_595_384_706_193,
        end_time=1_795_662_595_999_999_999,
        status=SdkStatus(StatusCode.ERROR),
    )


def read(encoder: Encoder, calls: Calls) -> list[Span]:
    body = encoder.request([encoder.search(search(), calls), encoder.search(search(), Calls(1, ()))])
    (resource,) = ExportTraceServiceRequest.from_json(body).resource_spans
    assert resource.resource is not None
    assert {pair.key: pair.value and pair.value.string_value for pair in resource.resource.attributes} == {
        "service.name": STRANGE
    }
    (scope,) = resource.scope_spans
    assert scope.scope is not None
    assert scope.scope.name == "crossover"
    *spans, last = scope.spans
    assert last.span_id == OURS.to_bytes(8, "big")
    return spans


def values(span: Span) -> dict[str, object]:
    told: dict[str, object] = {}
    for pair in span.attributes:
        assert pair.key is not None and pair.value is not None
        value = pair.value
        single = (value.string_value, value.int_value, value.bool_value)
        listed = value.array_value and [each.string_value for each in value.array_value.values]
        (told[pair.key],) = [each for each in (*single, listed) if each is not None]
    return told


def test_the_searchs_span_is_read_as_it_was_meant() -> None:
    (span,) = read(Encoder(Resource({"service.name": STRANGE}), {}), Calls(1, ()))
    assert (span.trace_id, span.span_id) == (TRACE.to_bytes(16, "big"), OURS.to_bytes(8, "big"))
    assert (span.parent_span_id, span.trace_state) == (CALLER.to_bytes(8, "big"), "vendor=x%sy")
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (1_795_662_595_384_706_193, 1_795_662_595_999_999_999)
    assert (span.kind, span.flags) == (Span.SpanKind.SPAN_KIND_SERVER, 0x301)
    assert span.status == FAILED
    assert values(span) == {"text": STRANGE, "count": 2**53 + 1, "yes": True, "list": ["a", "b"]}


def test_calls_are_read_as_they_were_meant_whatever_a_supplier_is_called() -> None:
    encoder = Encoder(Resource({"service.name": STRANGE}), {STRANGE: "100%.example"})
    outcomes = (
        SupplierOutcome(STRANGE, OutcomeStatus.OK, 12.345, offers=7),
        SupplierOutcome("b", OutcomeStatus.TIMEOUT, 0.0, detail="secret"),
    )
    _, strange, late = read(encoder, Calls(1_000, outcomes))
    assert (strange.name, strange.kind, strange.status) == (f"supplier {STRANGE}", Span.SpanKind.SPAN_KIND_CLIENT, None)
    assert (strange.start_time_unix_nano, strange.end_time_unix_nano) == (1_000, 12_346_000)
    assert (strange.parent_span_id, strange.trace_state, strange.flags) == (OURS.to_bytes(8, "big"), "vendor=x%sy", 0x101)
    assert values(strange) == {
        "crossover.supplier": STRANGE,
        "crossover.outcome": "ok",
        "crossover.offers": 7,
        "server.address": "100%.example",
    }
    assert late.status == FAILED
    assert late.span_id != strange.span_id and len(late.span_id or b"") == 8
    assert values(late) == {
        "crossover.supplier": "b",
        "crossover.outcome": "timeout",
        "crossover.offers": 0,
        "error.type": "timeout",
    }
