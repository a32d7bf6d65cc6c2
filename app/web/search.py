"""`/search`: from a query string to bytes, doing no work twice.

    kept answer? ──► identical search in flight? join it ──► admitted? ──► search ──► encode once ──► keep while fresh

A plain ASGI endpoint: for an answer that is kept, what a framework's request and response objects cost is most of the work.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qsl

import msgspec
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from app.core.fanout import SupplierAnswer
from app.core.lru import ByteLru
from app.core.models import SearchQuery, SearchResult
from app.core.singleflight import Flight, SingleFlight
from app.telemetry.metrics import Sample
from app.telemetry.tracing.port import Origin
from app.web.disconnect import CallerGone, unless_gone
from app.web.errors import error_response
from app.web.query import InvalidRequest, ParsedSearch, WrongField
from app.web.service import Service

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a caller that has gone; nobody sees it but middleware."""

DEADLINE_HEADERS = (b"x-request-timeout-ms", b"x-envoy-expected-rq-timeout-ms")
"""In these a caller may say how many milliseconds it will wait; the second is what an Envoy in front of us sets."""

TO_ANSWER_MS = 30
"""Of a caller's time, what is left for consolidating, encoding and sending."""

KEPT_BYTES = 32 * 1024 * 1024
"""Most that whole answers may hold, per process."""

SMALLEST_PACKED = 1_024

RawHeaders = list[tuple[bytes, bytes]]


class Key(NamedTuple):
    """What makes two searches the same; `deadline_ms` is `None` unless the caller gave one."""

    query: SearchQuery
    limit: int
    deadline_ms: int | None


class Encoded:
    """One search's answer as bytes, packed when first asked for; `fresh_s` is how long it may be given again."""

    __slots__ = ("_packed", "fresh_s", "json")

    def __init__(self, json: bytes, fresh_s: float) -> None:
        self.json = json
        self.fresh_s = fresh_s
        self._packed: bytes | None = None

    def packed(self) -> bytes:
        """As gzip. An answer is about 100 kB of JSON and a tenth of that packed: bytes out cost more than the CPU."""
        if self._packed is None:
            squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
            self._packed = squeeze.compress(self.json) + squeeze.flush()
        return self._packed


class Kept(NamedTuple):
    """An answer that may be given again; `at` is when it was made, on the monotonic clock."""

    body: bytes
    headers: RawHeaders
    at: float


class Searches:
    """Runs searches for callers: each identical one in flight once, and no more than admission allows. `kept` counts answers
    that were given again."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._encode = msgspec.json.Encoder().encode
        self.flights: SingleFlight[Key, SupplierAnswer, Encoded] = SingleFlight()
        self.kept = 0

    def samples(self) -> Iterable[Sample]:
        yield Sample("crossover_kept_answers_total", "counter", "Whole answers given again.", self.kept)
        joined = "Callers that joined an identical search in flight."
        yield Sample("crossover_searches_joined_total", "counter", joined, self.flights.shared)

    def admits(self, key: Key) -> bool:
        """Whether this search may begin now; to join one that is under way is always allowed."""
        return key in self.flights or self._service.admission.admits(self._service.counters.in_flight)

    async def answer(self, key: Key, origin: Origin, listener: Callable[[SupplierAnswer], None] | None = None) -> Encoded:
        """The encoded answer; `listener` hears each supplier's. Raises `AllSuppliersFailed`."""
        return await self.flights.do(key, partial(self._search, key, origin), listener=listener)

    async def _search(self, key: Key, origin: Origin, flight: Flight[SupplierAnswer]) -> Encoded:
        tracer = self._service.tracer
        if tracer is None:
            return self._encoded(await self._result(key, flight, None))
        trace = tracer.begin(key.query, origin)
        try:
            result = await self._result(key, flight, trace.asking)
            encoded = self._encoded(result)
        except Exception as error:
            trace.failed(error)
            raise
        trace.finished(result)
        return encoded

    async def _result(self, key: Key, flight: Flight[SupplierAnswer], on_asking: Callable[[], None] | None) -> SearchResult:
        service = self._service
        assert service.search is not None
        service.counters.in_flight += 1
        try:
            return await service.search.search(
                key.query, limit=key.limit, deadline_ms=key.deadline_ms, on_answer=flight.publish, on_asking=on_asking
            )
        finally:
            service.counters.in_flight -= 1

    def _encoded(self, result: SearchResult) -> Encoded:
        cache = self._service.cache
        return Encoded(self._encode(result), cache.whole_ttl_s(result.outcomes) if cache is not None else 0.0)


class SearchEndpoint:
    """Search every supplier at once; slow, dead or lying ones are reported in `outcomes`, never waited for."""

    def __init__(self, service: Service, searches: Searches) -> None:
        self._service = service
        self._searches = searches
        self.kept: ByteLru[Kept] = ByteLru(KEPT_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._service
        query, limit = parse(service, scope)
        packed = _accepts_gzip(scope["headers"])
        kept = self.kept.get((query, limit, packed))
        if kept is not None:
            self._searches.kept += 1
            age = (b"age", b"%d" % (time.monotonic() - kept.at))
            await _send(send, [*kept.headers, age], kept.body)
            return
        key = Key(query, limit, caller_deadline_ms(scope["headers"]))
        if not self._searches.admits(key):
            await overloaded(scope, receive, send)
            return
        origin = Origin("/search", scope.get("scheme", "http"), scope["headers"])
        try:
            encoded = await unless_gone(receive, self._searches.answer(key, origin))
        except CallerGone:
            service.counters.abandoned += 1
            await send({"type": "http.response.start", "status": CLIENT_CLOSED_REQUEST, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        packed_now = packed and len(encoded.json) >= SMALLEST_PACKED
        body = encoded.packed() if packed_now else encoded.json
        headers = _headers(len(body), packed=packed_now)
        if encoded.fresh_s > 0:
            answer = Kept(body, headers, time.monotonic())
            self.kept.put((query, limit, packed), answer, size=len(body), ttl_s=encoded.fresh_s)
        await _send(send, headers, body)


def parse(service: Service, scope: Scope) -> ParsedSearch:
    """The search asked for; raises `InvalidRequest`, and `HTTPException` where nothing can be searched yet, or any more."""
    if service.search is None:
        raise HTTPException(503, "the service is starting or stopping")
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return service.parser.parse(pairs, today=service.today())


def caller_deadline_ms(headers: RawHeaders) -> int | None:
    """How long the search may take for this caller, if it says; raises `InvalidRequest` for what is no time to search in."""
    for name, value in headers:
        if name in DEADLINE_HEADERS:
            if not (value.isdigit() and len(value) < 8 and int(value) > TO_ANSWER_MS):
                given = value[:20].decode("latin-1")
                reason = f"must be whole milliseconds above {TO_ANSWER_MS}, got {given!r}"
                raise InvalidRequest((WrongField(name.decode(), reason),))
            return int(value) - TO_ANSWER_MS
    return None


async def overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a search: there is more load than CPU."""
    message = "more searches than this instance can serve; ask again later"
    await error_response(503, "overloaded", message, headers={"Retry-After": "1"})(scope, receive, send)


def _accepts_gzip(headers: RawHeaders) -> bool:
    return any(b"gzip" in value for name, value in headers if name == b"accept-encoding")


def _headers(length: int, *, packed: bool) -> RawHeaders:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % length),
        (b"vary", b"Accept-Encoding"),
    ]
    return [*headers, (b"content-encoding", b"gzip")] if packed else headers


async def _send(send: Send, headers: RawHeaders, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
