"""One request's life: the future its caller waits on, over however many connections it is sent."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol


class Answer(NamedTuple):
    """A whole answer: header fields in order as received, the body decoded unless `coding` names what is left of it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    http_version: str
    coding: bytes = b""


class Carrier(Protocol):
    """Who sends an exchange: its origin's connections."""

    def start(self, exchange: Exchange) -> None: ...


class Exchange:
    """A request on its way. `copies` counts the connections and queue places it holds: only the last failure counts.

    `carrier` sends it; `message` is the request as it goes over the wire; `limit` the most decoded bytes of its answer;
    `read_s` and `pool_s` the longest silence of the server and the longest wait for a connection in seconds (`None`: no
    limit). `resend` allows one more sending when a kept connection turns out to be closed before a byte of the answer has
    come (RFC 9110, 9.2.2).
    """

    __slots__ = ("carrier", "copies", "future", "head", "limit", "message", "pool_s", "queued_at", "read_s", "resend")

    def __init__(
        self,
        carrier: Carrier,
        message: bytes,
        future: asyncio.Future[Answer],
        *,
        head: bool,
        limit: int,
        read_s: float | None,
        pool_s: float | None,
        resend: bool,
    ) -> None:
        self.carrier = carrier
        self.message = message
        self.future = future
        self.head = head
        self.limit = limit
        self.read_s = read_s
        self.pool_s = pool_s
        self.resend = resend
        self.copies = 1
        self.queued_at = 0.0

    def send_copy(self) -> None:
        """Send it once more over another connection (hedging): the first answer wins."""
        if not self.future.done():
            self.copies += 1
            self.carrier.start(self)

    def answered(self, answer: Answer) -> None:
        if not self.future.done():
            self.future.set_result(answer)

    def failed(self, error: Exception) -> None:
        self.copies -= 1
        if self.copies <= 0 and not self.future.done():
            self.future.set_exception(error)
