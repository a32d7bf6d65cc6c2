"""The connection to the Runtime API: kept, opened anew when it was closed, and honest about an answer that never came whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from lambda_handler.runtime.connection import Connection

NEXT = b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: one\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


@asynccontextmanager
async def scripted(
    *answers: bytes, close: Callable[[int], bool] = lambda number: False
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives these answers in turn and closes after those that `close` names; yields what it was asked too."""
    asked: list[bytes] = []
    connections: list[asyncio.StreamWriter] = []
    left = list(enumerate(answers))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while left:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")), b": 0")
            asked.append(head + await reader.readexactly(int(length.split(b": ")[1])))
            number, answer = left.pop(0)
            writer.write(answer)
            if close(number):
                break
        if not left or close(number):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
        for writer in connections:
            writer.close()


async def test_one_connection_carries_one_request_after_the_other() -> None:
    async with scripted(NEXT, b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", CHUNKED) as (address, asked):
        connection = Connection(address)
        polled = await connection.next()
        assert (polled.status, polled.headers["lambda-runtime-aws-request-id"], polled.body) == (200, "one", b"{}")
        assert (await connection.post("/invocation/one/response", b'{"a":1}', "X-More: 1\r\n")).status == 202
        assert (await connection.next()).body == b"abcde"
        connection.close()
    assert asked[0].startswith(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1:")
    assert asked[1].startswith(b"POST /2018-06-01/runtime/invocation/one/response HTTP/1.1\r\n")
    assert asked[1].endswith(b'X-More: 1\r\nContent-Length: 7\r\n\r\n{"a":1}')


async def test_a_connection_that_was_closed_is_opened_anew() -> None:
    async with scripted(NEXT, NEXT, close=lambda number: number == 0) as (address, asked):
        connection = Connection(address)
        await connection.next()
        await asyncio.sleep(0.05)
        assert (await connection.next()).status == 200
        connection.close()
    assert len(asked) == 2


@pytest.mark.parametrize("answer", [NEXT[:-1], b"nonsense\r\n\r\n"])
async def test_an_answer_that_is_not_whole_is_an_error(answer: bytes) -> None:
    async with scripted(answer, close=lambda number: True) as (address, _):
        with pytest.raises(OSError, match="the Runtime API"):
            await Connection(address).next()


async def test_nobody_listening_is_an_error() -> None:
    with pytest.raises(ConnectionRefusedError):
        await Connection("127.0.0.1:1").next()
