"""One HTTP/1.1 client connection: writes a request, parses the answer with llhttp (httptools), one exchange at a time.

Per RFC 9112: bodies framed by Content-Length, by chunks or by the end of the connection; HEAD, 204 and 304 without a body;
interim 1xx answers; `Connection: close` and HTTP/1.0. Bytes that nobody asked for end the connection: reading them as the
next answer would give one caller another's.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

import httptools
import httpx

from app.suppliers.http1.decoding import KNOWN, ResponseTooLarge, decode
from app.suppliers.http1.exchange import Answer, Exchange

MAX_HEAD_BYTES = 64 * 1024


class Owner(Protocol):
    """What a connection tells its pool."""

    def released(self, connection: Connection) -> None:
        """The exchange has ended and the connection can carry another."""

    def lost(self, connection: Connection) -> None:
        """The connection has closed, or is closing."""

    def send_again(self, exchange: Exchange) -> None:
        """The exchange's connection was closed before it was read: send it over a new one."""


class Connection(asyncio.Protocol):
    """A connection of a pool; `exchange` is `None` while it is idle."""

    __slots__ = (
        "_body",
        "_body_bytes",
        "_coding",
        "_complete",
        "_eof_framed",
        "_head_bytes",
        "_head_done",
        "_headers",
        "_keep",
        "_owner",
        "_parser",
        "_parts",
        "_transport",
        "abandoned",
        "answer_begun",
        "exchange",
        "exchanges",
        "heard",
        "idle_since",
        "silent_until",
    )

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self.exchange: Exchange | None = None
        self.exchanges = 0
        self.idle_since = 0.0
        self.silent_until: float | None = None
        """When the sweeper gives the exchange up, unless something is `heard` before; `None`: never."""
        self._reset()

    def _reset(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._head_done = False
        self._body = b""
        self._body_bytes = 0
        self._parts: list[bytes] | None = None
        self._coding = b""
        self._eof_framed = True
        self._complete = False
        self._keep = False
        self.answer_begun = False
        self.heard = False
        self.abandoned = False
        """Nobody waits for the answer any more: the sweeper gives it a moment."""

    # -- used by the pool ------------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, exchange: Exchange) -> None:
        """Write the exchange's request; the connection must be open and idle."""
        transport = self._transport
        assert transport is not None and self.exchange is None
        self.exchange = exchange
        self.exchanges += 1
        self._reset()
        transport.write(exchange.message)

    def fail(self, error: httpx.HTTPError) -> None:
        """End the exchange, if there is one, with this error, and the connection with it."""
        exchange, self.exchange = self.exchange, None
        self.close()
        if exchange is not None:
            exchange.failed(error)

    def close(self) -> None:
        """Close at once; the pool hears of it now, not when the transport has closed."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
            self._owner.lost(self)

    def tls_object(self) -> object | None:
        return None if self._transport is None else self._transport.get_extra_info("ssl_object")

    # -- asyncio.Protocol ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not its subclasses

    def data_received(self, data: bytes) -> None:
        if self.exchange is None:
            self.close()
            return
        self.heard = self.answer_begun = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not isinstance(error.__context__, _HeadDoneError):
                self._keep = False
            if not self._complete:
                self.fail(_named(error))
                return
        if self._complete:
            self._deliver()

    def eof_received(self) -> None:
        """The server has said all: the end of a body that nothing else ends. The transport closes itself after this."""
        if self.exchange is not None and self._head_done and self._eof_framed:
            self._keep = False
            self._deliver()

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport is not None:
            self._transport = None
            self._owner.lost(self)
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            return
        if self.exchanges > 1 and not self.answer_begun and exchange.resend and not exchange.future.done():
            exchange.resend = False
            self._owner.send_again(exchange)
        elif error is not None:
            exchange.failed(httpx.ReadError(str(error) or type(error).__name__))
        elif not self.answer_begun:
            exchange.failed(httpx.RemoteProtocolError("Server disconnected without sending a response."))
        else:
            exchange.failed(httpx.RemoteProtocolError("the server closed the connection in the middle of its answer"))

    # -- llhttp's callbacks ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._complete:  # more than was asked for: what follows is not parsed, and the connection is not used again
            raise httpx.RemoteProtocolError("bytes after the end of the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_done:  # trailer fields after a chunked body
            return
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > MAX_HEAD_BYTES:
            raise httpx.RemoteProtocolError(f"header fields over {MAX_HEAD_BYTES} bytes")
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return
        self._head_done = True
        exchange = self.exchange
        assert exchange is not None
        for name, value in self._headers:
            size = len(name)
            if size == 14 and name.lower() == b"content-length":
                self._eof_framed = False
                if not exchange.head and int(value) > exchange.limit:
                    raise ResponseTooLarge(exchange.limit)
            elif size == 17 and name.lower() == b"transfer-encoding":
                self._eof_framed = False
            elif size == 16 and name.lower() == b"content-encoding":
                self._coding = value.strip().lower()
        if exchange.head:
            self._eof_framed = False
            self._keep = self._parser.should_keep_alive()
            self._complete = True
            raise _HeadDoneError  # llhttp would wait for the body that such an answer only announces
        if status in (204, 304):
            self._eof_framed = False

    def on_body(self, body: bytes) -> None:
        exchange = self.exchange
        assert exchange is not None
        self._body_bytes += len(body)
        if self._body_bytes > exchange.limit:
            raise ResponseTooLarge(exchange.limit)
        if not self._body:
            self._body = body
        elif self._parts is None:
            self._parts = [self._body, body]
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        if not self._head_done:  # a 1xx: the real answer follows
            self._headers = []
            self._head_bytes = 0
            return
        self._keep = self._parser.should_keep_alive()
        self._complete = True

    # -- the end ---------------------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        exchange, self.exchange = self.exchange, None
        assert exchange is not None
        parser = self._parser
        status = parser.get_status_code()
        version = parser.get_http_version()
        if exchange.head:
            self._parser = httptools.HttpResponseParser(self)
        headers, coding = self._headers, self._coding
        body = self._body if self._parts is None else b"".join(self._parts)
        self._body, self._parts = b"", None
        # The connection is free before the answer is handed on: whoever waits for one has it sooner.
        if self._keep and self._transport is not None:
            self._owner.released(self)
        else:
            self.close()
        if exchange.future.done():
            return
        try:
            if coding in KNOWN:
                body, coding = decode(coding, body, exchange.limit), b""
        except httpx.HTTPError as error:
            exchange.failed(error)
            return
        exchange.answered(Answer(status, headers, body, version, b"" if coding == b"identity" else coding))


class _HeadDoneError(Exception):
    """Stops llhttp after the head of an answer to HEAD."""


def _named(error: Exception) -> httpx.HTTPError:
    cause = error.__context__
    if isinstance(cause, httpx.HTTPError):
        return cause
    if isinstance(error, httptools.HttpParserUpgrade):
        return httpx.RemoteProtocolError("the server switched protocols unasked")
    return httpx.RemoteProtocolError(f"not an HTTP/1.1 answer: {cause or error}")
