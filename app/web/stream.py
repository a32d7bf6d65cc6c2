"""`/search/stream`: one search as server-sent events, each supplier's hotels when it answers, then the whole answer.

event: supplier   {"outcome": {…}, "hotels": […]}     as each supplier is done, priced as in the whole answer
event: result     what `/search` answers               last
event: error      the one error shape                  last, when no supplier answered
"""

from __future__ import annotations

import asyncio

import msgspec
from starlette.types import Receive, Scope, Send

from app.core.errors import AllSuppliersFailed
from app.core.fanout import SupplierAnswer
from app.telemetry.tracing.port import Origin
from app.web.disconnect import CallerGone, unless_gone
from app.web.errors import error_response, no_supplier_answered
from app.web.search import Encoded, Key, Searches, caller_deadline_ms, overloaded, parse
from app.web.service import Service

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # asks proxies to pass each event on
]


class StreamEndpoint:
    """Search every supplier at once, and tell of each as it answers (server-sent events): `supplier` events, then `result`."""

    def __init__(self, service: Service, searches: Searches) -> None:
        self._service = service
        self._searches = searches
        self._encode = msgspec.json.Encoder().encode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._service
        if service.version["lane"] == "lambda":
            message = "this lane (lambda) cannot stream: its front takes an answer only whole; ask /search"
            await error_response(501, "streaming_not_supported", message)(scope, receive, send)
            return
        query, limit = parse(service, scope)
        key = Key(query, limit, caller_deadline_ms(scope["headers"]))
        if not self._searches.admits(key):
            await overloaded(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        try:
            origin = Origin("/search/stream", scope.get("scheme", "http"), scope["headers"], streamed=True)
            await unless_gone(receive, self._events(key, origin, send))
        except CallerGone:
            service.counters.abandoned += 1
            return
        await send({"type": "http.response.body", "body": b""})

    async def _events(self, key: Key, origin: Origin, send: Send) -> None:
        answers: asyncio.Queue[SupplierAnswer | None] = asyncio.Queue()
        search = asyncio.ensure_future(self._searches.answer(key, origin, answers.put_nowait))
        search.add_done_callback(lambda _: answers.put_nowait(None))
        try:
            while (answer := await answers.get()) is not None:
                await self._send(send, b"supplier", self._preview(key, answer))
            try:
                encoded: Encoded = await search
            except AllSuppliersFailed as error:
                await self._send(send, b"error", bytes(no_supplier_answered(error).body))
            else:
                await self._send(send, b"result", encoded.json)
        finally:
            search.cancel()
            await asyncio.wait([search])

    def _preview(self, key: Key, answer: SupplierAnswer) -> bytes:
        search = self._service.search
        hotels = search.preview(key.query, answer, limit=key.limit) if search is not None else []
        return self._encode({"outcome": answer.outcome, "hotels": hotels})

    @staticmethod
    async def _send(send: Send, event: bytes, data: bytes) -> None:
        body = b"event: %s\ndata: %s\n\n" % (event, data)
        await send({"type": "http.response.body", "body": body, "more_body": True})
