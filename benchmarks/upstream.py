"""Forty suppliers in one cheap process: raw protocols on uvloop, answers rendered beforehand, one port per supplier.

    python -m benchmarks.upstream [--tls DIR] [--gzip]

Prints one JSON line, {"urls": [...], "control": url}, when it listens; loopback only; ends when its standard input closes.
Under control, `GET /none` answers at once and `GET /lognormal?seed=N` draws each call's latency; `GET /stats` counts calls.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import math
import os
import random
import ssl
import sys
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.workload import SUPPLIERS, answer, supplier_ids

MEDIAN_S = 0.060
P99_S = 0.500
SIGMA = math.log(P99_S / MEDIAN_S) / 2.3263
"""Of the lognormal whose median and 99th percentile are those above; 2.3263 is the normal's 99th percentile."""

DRAWS = 1 << 16


class Latency:
    """The next call's latency in seconds; 0 for none. Drawn beforehand, so that a draw costs nothing."""

    def __init__(self) -> None:
        self._draws: list[float] = []
        self._next = 0

    def none(self) -> None:
        self._draws = []

    def lognormal(self, seed: int) -> None:
        rng = random.Random(seed)
        self._draws = [rng.lognormvariate(math.log(MEDIAN_S), SIGMA) for _ in range(DRAWS)]
        self._next = 0

    def draw(self) -> float:
        if not self._draws:
            return 0.0
        self._next = (self._next + 1) % DRAWS
        return self._draws[self._next]


class Supplier(asyncio.Protocol):
    """One keep-alive connection to one supplier. Requests have no body (Rapid availability is a GET)."""

    def __init__(self, upstream: Upstream, path: bytes, plain: bytes, gzipped: bytes | None) -> None:
        self._upstream = upstream
        self._path = path
        self._plain = plain
        self._gzipped = gzipped
        self._pending = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not its subclasses
        self._upstream.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._upstream.connections -= 1

    def data_received(self, data: bytes) -> None:
        data = self._pending + data if self._pending else data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            self._answer(data[:end])
            data = data[end + 4 :]
        self._pending = data

    def _answer(self, head: bytes) -> None:
        self._upstream.calls += 1
        if not head.startswith(self._path):
            self._write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        zipped = self._gzipped is not None and b"gzip" in head
        response = self._gzipped if zipped and self._gzipped is not None else self._plain
        if delay := self._upstream.latency.draw():
            self._upstream.loop.call_later(delay, self._write, response)
        else:
            self._write(response)

    def _write(self, response: bytes) -> None:
        if self._transport is not None:
            self._transport.write(response)


class Control(asyncio.Protocol):
    """The control port: one request a connection."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not its subclasses

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        target = data.split(b" ", 2)[1].decode()
        upstream = self._upstream
        if target == "/none":
            upstream.latency.none()
        elif target.startswith("/lognormal?seed="):
            upstream.latency.lognormal(int(target.partition("=")[2]))
        body = json.dumps({"calls": upstream.calls, "connections": upstream.connections}).encode()
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)
        self._transport.close()


class Upstream:
    """All suppliers' state."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.latency = Latency()
        self.calls = 0
        self.connections = 0


def rendered(body: bytes, *, gzipped: bool) -> bytes:
    """A whole HTTP/1.1 response carrying a JSON body."""
    coding = b"Content-Encoding: gzip\r\n" if gzipped else b""
    payload = gzip.compress(body, 6, mtime=0) if gzipped else body
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n" % (coding, len(payload))
    return head + payload


async def serve(tls: Path | None, *, gzipped: bool) -> None:
    """Listen for all suppliers and the control port until standard input closes."""
    loop = asyncio.get_running_loop()
    upstream = Upstream(loop)
    context = None
    if tls is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls / "server.pem", tls / "server.key")
    urls = []
    for number, name in enumerate(supplier_ids()):
        body = answer(number)
        plain = rendered(body, gzipped=False)
        packed = rendered(body, gzipped=True) if gzipped else None
        path = f"GET /{name}/v3/properties/availability?".encode()
        server = await loop.create_server(
            lambda path=path, plain=plain, packed=packed: Supplier(upstream, path, plain, packed),
            "127.0.0.1", 0, ssl=context, backlog=1024,
        )  # fmt: skip
        port = server.sockets[0].getsockname()[1]
        urls.append(f"{'https' if tls else 'http'}://127.0.0.1:{port}/{name}")
    control = await loop.create_server(lambda: Control(upstream), "127.0.0.1", 0)
    control_url = f"http://127.0.0.1:{control.sockets[0].getsockname()[1]}"
    print(json.dumps({"urls": urls, "control": control_url}), flush=True)
    stopped = asyncio.Event()

    def read_input() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            stopped.set()

    loop.add_reader(sys.stdin.fileno(), read_input)
    await stopped.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upstream", description=f"{SUPPLIERS} cheap suppliers.")
    parser.add_argument("--tls", type=Path, help="folder with server.pem and server.key")
    parser.add_argument("--gzip", action="store_true", help="gzip for callers that accept it")
    options = parser.parse_args()
    uvloop.run(serve(options.tls, gzipped=options.gzip))


if __name__ == "__main__":
    main()
