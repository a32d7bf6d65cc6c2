"""OTLP/JSON, the stable JSON encoding of OpenTelemetry's protocol, as far as traces of searches need it.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids in hex, 64-bit numbers as text, enums as numbers.

A search has forty spans and more, so what is the same in every search (a supplier's name, its attributes) is encoded once, as a
template in which the rest is filled in: a third of what encoding each span takes.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import msgspec
from msgspec import Struct
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from app.core.models import OutcomeStatus, SupplierOutcome

IS_SAMPLED, HAS_IS_REMOTE, IS_REMOTE = 0x001, 0x100, 0x200
"""Bits of a span's flags: sampled; whether its parent is in another process is known; it is."""

ID_BYTES = 8


class Value(Struct, frozen=True, gc=False, omit_defaults=True, rename="camel"):
    """One of them is set."""

    string_value: str | None = None
    int_value: str | None = None
    bool_value: bool | None = None
    array_value: ArrayValue | None = None


class ArrayValue(Struct, frozen=True):
    values: tuple[Value, ...]


class KeyValue(Struct, frozen=True, gc=False):
    key: str
    value: Value


class SpanStatus(Struct, frozen=True, gc=False):
    code: int


class Span(Struct, frozen=True, gc=False, omit_defaults=True, rename="camel", kw_only=True):
    trace_id: str
    span_id: str
    parent_span_id: str = ""
    trace_state: str = ""
    flags: int
    name: str
    kind: int
    start_time_unix_nano: str
    end_time_unix_nano: str
    attributes: tuple[KeyValue, ...]
    status: SpanStatus | None = None


class Calls(NamedTuple):
    """The calls of one search, begun at `began_ns`."""

    began_ns: int
    outcomes: Sequence[SupplierOutcome]

    @property
    def spans(self) -> int:
        """How many they make, the search's own included."""
        return 1 + len(self.outcomes)


_FAILED = SpanStatus(StatusCode.ERROR.value)
_encode = msgspec.json.Encoder().encode


class Encoder:
    """Encodes searches for one resource. `hosts` is the host that each supplier is asked at."""

    def __init__(self, resource: Resource, hosts: Mapping[str, str]) -> None:
        about = _encode({"attributes": _pairs(resource.attributes)})
        self._head = b'{"resourceSpans":[{"resource":%s,"scopeSpans":[{"scope":{"name":"crossover"},"spans":[' % about
        self._hosts = hosts
        self._template = cache(self._template_of)

    def request(self, searches: Sequence[str]) -> bytes:
        """The body of one export of encoded searches."""
        return b"%s%s]}]}]}" % (self._head, ",".join(searches).encode())

    def search(self, span: ReadableSpan, calls: Calls) -> str:
        """The search's span and those of its calls, as JSON separated by commas."""
        root = _span(span)
        began_ns, began, template = calls.began_ns, str(calls.began_ns), self._template
        ids = random.randbytes(ID_BYTES * len(calls.outcomes)).hex()
        state = _encode(root.trace_state)[1:-1].decode()
        spans = [_encode(root).decode()]
        for at, outcome in enumerate(calls.outcomes):
            span_id = ids[2 * ID_BYTES * at : 2 * ID_BYTES * (at + 1)]
            ended = began_ns + int(outcome.elapsed_ms * 1_000_000)
            rest = (root.trace_id, span_id, root.span_id, state, began, ended, outcome.offers)
            spans.append(template(outcome.supplier, outcome.status) % rest)
        return ",".join(spans)

    def _template_of(self, supplier: str, status: OutcomeStatus) -> str:
        """A call's span with `%s` for: trace, span and parent id, trace state, begin, end, number of offers."""
        about = {"crossover.supplier": supplier, "crossover.outcome": status.value}
        if supplier in self._hosts:
            about["server.address"] = self._hosts[supplier]
        if status is not OutcomeStatus.OK:
            about["error.type"] = status.value
        about = {key: value.replace("%", "%%") for key, value in about.items()}
        span = Span(
            trace_id="%s",
            span_id="%s",
            parent_span_id="%s",
            trace_state="%s",
            flags=IS_SAMPLED | HAS_IS_REMOTE,
            name="supplier " + about["crossover.supplier"],
            kind=_kind(SpanKind.CLIENT),
            start_time_unix_nano="%s",
            end_time_unix_nano="%s",
            attributes=(KeyValue("crossover.offers", Value(int_value="%s")), *_pairs(about)),
            status=None if status is OutcomeStatus.OK else _FAILED,
        )
        return _encode(span).decode()


def _span(span: ReadableSpan) -> Span:
    context, parent = span.context, span.parent
    assert context is not None
    return Span(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_span_id=f"{parent.span_id:016x}" if parent is not None else "",
        trace_state=context.trace_state.to_header(),
        flags=IS_SAMPLED | HAS_IS_REMOTE | (IS_REMOTE if parent is not None and parent.is_remote else 0),
        name=span.name,
        kind=_kind(span.kind),
        start_time_unix_nano=str(span.start_time),
        end_time_unix_nano=str(span.end_time),
        attributes=_pairs(span.attributes or {}),
        status=_FAILED if span.status.status_code is StatusCode.ERROR else None,
    )


def _kind(kind: SpanKind) -> int:
    return kind.value + 1  # the protocol has 0 for unspecified


def _pairs(attributes: Mapping[str, object]) -> tuple[KeyValue, ...]:
    return tuple(KeyValue(key, _value(value)) for key, value in attributes.items())


def _value(value: object) -> Value:
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, int):
        return Value(int_value=str(value))
    if isinstance(value, tuple):
        return Value(array_value=ArrayValue(tuple(_value(each) for each in value)))
    return Value(string_value=str(value))
