"""The load generator: raw protocols on keep-alive connections, so that it costs little of the core it shares.

Open loop: searches leave at Poisson times whatever the answers do, and latency counts from when a search was due. Closed
loop: a fixed number in flight. CPU is read at both edges of a window that begins after the warm-up, over the searches
answered inside it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import httptools

MAX_CONNECTIONS = 1_024
TIMEOUT_S = 20.0
NOT_SENT = "not sent: too many in flight"
SAMPLES = 40
"""Answers kept to be checked after the window: the last ones of the first few and every seventh after them."""


def quantile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that more than `share` (0 to 1) of them do not exceed, the largest where none is; `None` of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


@dataclass(slots=True)
class Window:
    """What was measured inside the window. `cpu_s` is by part, as the probe names them; latencies in ms of searches
    that were due inside it and were answered with 200; `completed` counts all such answers that came inside it."""

    seconds: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    due: int = 0
    completed: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    latencies_ms: list[float] = field(default_factory=list)
    bodies: deque[bytes] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    open: bool = False

    @property
    def cpu_ms_per_search(self) -> float | None:
        """Of the part named `service`; `None` when nothing was answered."""
        return self.cpu_s["service"] * 1000 / self.completed if self.completed else None

    def latency_ms(self, share: float) -> float | None:
        """A quantile (0 to 1); `None` when nothing succeeded."""
        return quantile(self.latencies_ms, share)


class Connection(asyncio.Protocol):
    """One request at a time; `ask` answers (status, body)."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._body = bytearray()
        self.reusable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not its subclasses

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("closed before the answer was whole"))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(ConnectionResetError(str(error)))

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.reusable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((self._parser.get_status_code(), bytes(self._body)))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._body.clear()
        self._transport.write(request)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._answer
        except BaseException:
            self.reusable = False
            raise

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Target:
    """A service under load, with a pool of idle connections to it (last used first)."""

    def __init__(self, host: str, port: int, paths: Iterator[str], *, more_headers: str = "") -> None:
        self._host = host
        self._port = port
        self._idle: deque[Connection] = deque()
        head = f"Host: {host}:{port}\r\nAccept: application/json\r\nUser-Agent: crossover-benchmark\r\n{more_headers}\r\n"
        self._requests = (f"GET {path} HTTP/1.1\r\n{head}".encode() for path in paths)

    async def search(self) -> tuple[int, bytes]:
        while self._idle and not self._idle[-1].reusable:
            self._idle.pop()
        if self._idle:
            connection = self._idle.pop()
        else:
            _, connection = await asyncio.get_running_loop().create_connection(Connection, self._host, self._port)
        answer = await connection.ask(next(self._requests))
        if connection.reusable:
            self._idle.append(connection)
        return answer

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


Probe = Callable[[], dict[str, float]]
"""CPU seconds used so far, by part; one part is `service`."""


async def open_loop(target: Target, *, rps: float, warmup_s: float, window_s: float, seed: int, probe: Probe) -> Window:
    """Poisson arrivals at a mean of `rps`; the window opens `warmup_s` after the first."""
    loop = asyncio.get_running_loop()
    rng = random.Random(seed)
    window = Window()
    edges = asyncio.create_task(_edges(window, warmup_s, window_s, probe))
    running: set[asyncio.Task[None]] = set()
    due = loop.time()
    end = due + warmup_s + window_s
    while (due := due + rng.expovariate(rps)) < end:
        await asyncio.sleep(due - loop.time())
        if len(running) >= MAX_CONNECTIONS:
            window.failures[NOT_SENT] += window.open
            continue
        task = loop.create_task(_one(target, window, due))
        running.add(task)
        task.add_done_callback(running.discard)
    await edges
    if running:
        await asyncio.wait(running, timeout=TIMEOUT_S)
    return window


async def closed_loop(target: Target, *, in_flight: int, warmup_s: float, window_s: float, probe: Probe) -> Window:
    """`in_flight` callers, each asking again as soon as it is answered."""
    loop = asyncio.get_running_loop()
    window = Window()
    end = loop.time() + warmup_s + window_s

    async def caller() -> None:
        while loop.time() < end:
            await _one(target, window, loop.time())

    edges = asyncio.create_task(_edges(window, warmup_s, window_s, probe))
    await asyncio.gather(edges, *(caller() for _ in range(in_flight)))
    return window


async def _edges(window: Window, warmup_s: float, window_s: float, probe: Probe) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(warmup_s)
    cpu, began = probe(), loop.time()
    window.open = True
    await asyncio.sleep(window_s)
    window.open = False
    window.seconds = loop.time() - began
    window.cpu_s = {part: used - cpu[part] for part, used in probe().items()}


async def _one(target: Target, window: Window, due: float) -> None:
    counted = window.open
    window.due += counted
    try:
        status, body = await target.search()
    except (OSError, TimeoutError) as error:
        status, body, failure = 0, b"", type(error).__name__
        await asyncio.sleep(0.01)  # a dead service must not turn a closed loop into a spin
    else:
        failure = f"status {status}"
    window.completed += window.open and status == 200
    if status != 200:
        window.failures[failure] += counted
    elif counted:
        window.latencies_ms.append((asyncio.get_running_loop().time() - due) * 1000)
        if len(window.bodies) < SAMPLES or len(window.latencies_ms) % 7 == 0:
            window.bodies.append(body)
