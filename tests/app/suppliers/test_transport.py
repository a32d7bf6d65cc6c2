"""The transport against servers that really misbehave: whole answers or a `SupplierError`, never more than asked for."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.core.errors import SupplierError, SupplierMalformed, SupplierUnavailable
from app.suppliers.transport import HttpTransport, supplier_client
from app.suppliers.wire import WireRequest


class Server:
    """A loopback server that writes prepared bytes for every request; counts connections and bytes taken."""

    def __init__(self, answer: bytes, *, endless: bytes = b"", close: bool = False) -> None:
        self.answer = answer
        self.endless = endless
        self.close = close
        self.connections = 0
        self.heads: list[bytes] = []
        self.left_after = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head)
                writer.write(self.answer)
                await writer.drain()
                while self.endless:
                    writer.write(self.endless)
                    await writer.drain()
                    self.left_after += len(self.endless)
                if self.close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def reached(server: Server) -> AsyncIterator[tuple[HttpTransport, WireRequest]]:
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        async with supplier_client(max_answer_bytes=100_000) as client:
            yield HttpTransport(client), WireRequest("GET", f"{url}/x?a=b%20c", {"X-Mine": "1"})
    finally:
        listening.close()
        await listening.wait_closed()


def plain(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


async def test_an_answer_is_read_whole_over_one_kept_connection() -> None:
    server = Server(plain(b'{"a":1}'))
    async with reached(server) as (transport, request):
        for _ in range(5):
            answer = await transport.send(request)
            assert answer[:2] == (200, b'{"a":1}') and answer.header(b"content-length") == b"7"
    assert server.connections == 1
    assert server.heads[0].startswith(b"GET /x?a=b%20c HTTP/1.1\r\n"), "the URL goes out as it was built"
    assert b"\r\nX-Mine: 1\r\n" in server.heads[0]


async def test_compressed_answers_are_decoded() -> None:
    async with reached(Server(plain(gzip.compress(b"[]"), "Content-Encoding: gzip"))) as (transport, request):
        assert (await transport.send(request))[:2] == (200, b"[]")


REFUSED: dict[str, tuple[bytes, type[SupplierError], str]] = {
    "a longer answer than is read": (plain(b"x" * 100_001), SupplierMalformed, "larger than 100000 bytes"),
    "a small body that unpacks to a large one": (
        plain(gzip.compress(b"\0" * 5_000_000), "Content-Encoding: gzip"),
        SupplierMalformed,
        "larger than 100000 bytes",
    ),
    "a body that is not gzip": (plain(b"[]", "Content-Encoding: gzip"), SupplierMalformed, "the body is not gzip"),
    "half an answer": (plain(b"x" * 50)[:-1], SupplierMalformed, "not a whole HTTP answer"),
    "no HTTP at all": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", SupplierMalformed, "not a whole HTTP answer"),
    "nothing": (b"", SupplierUnavailable, "the connection broke before an answer"),
    "a redirect": (
        plain(b"", "Location: https://evil.example:8443/x", status="307 Temporary Redirect"),
        SupplierUnavailable,
        r"redirects \(307\) to evil.example:8443; redirects are not followed",
    ),
    "a redirect to itself": (plain(b"", "Location: /y", status="302 Found"), SupplierUnavailable, "to the same host"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_anything_else_than_an_answer_is_a_supplier_error(name: str) -> None:
    answer, kind, message = REFUSED[name]
    server = Server(answer, close=True)
    async with reached(server) as (transport, request):
        with pytest.raises(kind, match=message):
            await transport.send(request)
    assert len(server.heads) == 1, "asked once: nothing is followed or repeated"


async def test_an_endless_answer_costs_no_more_than_the_limit_and_the_socket_buffers() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server = Server(head, endless=b"4000\r\n" + b" " * 0x4000 + b"\r\n")
    async with reached(server) as (transport, request):
        with pytest.raises(SupplierMalformed, match="larger than 100000 bytes"):
            await transport.send(request)
    assert server.left_after < 16_000_000


async def test_a_port_nobody_listens_on_is_unavailable() -> None:
    server = Server(b"")
    async with reached(server) as (_, request):
        pass
    async with supplier_client() as client:
        with pytest.raises(SupplierUnavailable, match="cannot connect"):
            await HttpTransport(client).send(request)
