"""A loopback HTTP/1.1 server that writes prepared bytes: for each request the next step of a script, byte for byte."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager

CLOSE = b""
"""A step that closes the connection without a word."""

SILENCE = b"\0silence"
"""A step that reads the request and never answers."""


async def until(holds: Callable[[], bool]) -> None:
    """Wait until this holds; fails after ten seconds."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


def plain(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    """A whole answer framed by Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


class ScriptedServer:
    """Answers the n-th request with the n-th step (the last one over and over); a tuple is written piece by piece."""

    def __init__(self, script: Sequence[bytes | tuple[bytes, ...]], *, close_after: bool = False) -> None:
        self.script = script
        self.close_after = close_after
        self.requests: list[bytes] = []
        self.connections = 0
        self.resumed: list[bool] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if tls := writer.get_extra_info("ssl_object"):
            self.resumed.append(tls.session_reused)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
                )
                self.requests.append(head + await reader.readexactly(length))
                step = self.script[min(len(self.requests), len(self.script)) - 1]
                if step == SILENCE:
                    await asyncio.sleep(3_600)
                for piece in (step,) if isinstance(step, bytes) else step:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if step == CLOSE or self.close_after or b"HTTP/1.0" in step[0:1]:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


@asynccontextmanager
async def listening(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve connections with `handle` on a loopback port, which is yielded; ends every connection at the end."""
    handlers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await handle(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            handlers.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(handlers):
            task.cancel()
        for _ in range(3):  # closing takes the loop's next turns
            await asyncio.sleep(0)


@asynccontextmanager
async def serving(server: ScriptedServer, tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedServer]:
    async with listening(server.handle, tls) as server.port:
        yield server
