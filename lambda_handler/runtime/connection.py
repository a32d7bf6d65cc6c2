"""One keep-alive HTTP/1.1 connection to the Runtime API, one request at a time, parsed by llhttp (httptools).

The Runtime API is one host on the loopback that answers every request; so no pool, no redirects, no retries of a request that
was sent. A connection that was lost is opened anew with the next request.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple, cast

import httptools

API = "/2018-06-01/runtime"


class Answer(NamedTuple):
    """`headers` by their names in lower case; of a repeated one the last."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """To `address`, `host:port` as `AWS_LAMBDA_RUNTIME_API` has it."""

    def __init__(self, address: str) -> None:
        self._host, _, self._port = address.rpartition(":")
        self._common = f" HTTP/1.1\r\nHost: {address}\r\nUser-Agent: crossover-lambda-runtime\r\n"
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Answer] | None = None
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self._next = f"GET {API}/invocation/next{self._common}\r\n".encode()

    async def next(self) -> Answer:
        """The long poll: the next event, or why there is none."""
        return await self._ask(self._next)

    async def get(self, path: str) -> Answer:
        return await self._ask(f"GET {API}{path}{self._common}\r\n".encode())

    async def post(self, path: str, body: bytes, headers: str = "") -> Answer:
        """`headers` are whole lines, each with its end."""
        head = f"POST {API}{path}{self._common}Content-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        return await self._ask(head.encode() + body)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def _ask(self, request: bytes) -> Answer:
        """Raises `OSError` when there is no connection, or none any more before the answer is whole."""
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            self._parser = httptools.HttpResponseParser(self)
            await loop.create_connection(lambda: self, self._host, int(self._port))
        assert self._transport is not None
        self._answer = loop.create_future()
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            self._answer = None

    # -- asyncio.Protocol ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not its subclasses

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(OSError(f"the Runtime API's answer cannot be read: {error}"))
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._fail(OSError(f"the Runtime API closed the connection ({error or 'end of file'})"))

    def _fail(self, error: OSError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # -- httptools ---------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._headers, self._parts = {}, []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200 and self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(status, self._headers, b"".join(self._parts)))
