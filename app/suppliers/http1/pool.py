"""One origin's connections: the most recently used idle one is taken first, so that spare ones age and close.

An exchange that finds none idle waits, first come first served, for whichever comes first: a connection that becomes free
or a new one. A caller that gives up leaves its connection to finish the answer (`ABANDONED_GRACE_S`) and be used again: a
new handshake costs more than the rest of an answer. `sweep` is called every `SWEEP_S` while anything is open: read and
pool timeouts are late by up to that, and cost no timer a call.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import NamedTuple

import httpx

from app.suppliers.http1.connection import Connection
from app.suppliers.http1.exchange import Exchange
from app.suppliers.http1.tls import ResumingContext

SWEEP_S = 0.05
ABANDONED_GRACE_S = 0.5

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses to connect to for a host and port, best first; whatever it raises is the exchange's failure."""


class Dialling(NamedTuple):
    """How connections are made: longest time for one in seconds, the most and the most idle ones per origin, and for how
    many seconds an idle one is kept."""

    connect_s: float | None
    max_connections: int
    max_idle: int
    idle_s: float
    resolve: Resolve | None
    tls: Callable[[], ResumingContext]


class Origin:
    """Connections to one scheme://host:port, on one event loop: the running one when it is made. It is kept, because asking
    for it several times a call took a twelfth of a search's CPU where `getpid` is dear (CPython before 3.12 asks that)."""

    def __init__(self, url: httpx.URL, dialling: Dialling, wake: Callable[[], None]) -> None:
        self.host = url.host
        self.port = url.port or (443 if url.scheme == "https" else 80)
        self.netloc = url.netloc.decode("ascii")
        self.name = f"{url.scheme}://{self.netloc}"
        self.loop = asyncio.get_running_loop()
        self._dialling = dialling
        self._tls = dialling.tls() if url.scheme == "https" else None
        self._wake = wake
        self.connections: set[Connection] = set()
        self.idle: list[Connection] = []
        self.queue: deque[Exchange] = deque()
        self._openings: set[asyncio.Task[None]] = set()
        self.opened = 0
        self.closed = False

    def start(self, exchange: Exchange) -> None:
        """Send it over an idle connection, or queue it for the first that is free or new."""
        while self.idle:
            connection = self.idle.pop()
            if connection.open:
                self._send(connection, exchange)
                return
        self._enqueue(exchange)

    def sweep(self, now: float) -> bool:
        """Give up what is overdue and close what has idled for too long; whether anything is left to watch."""
        for connection in list(self.connections):
            if connection.exchange is not None:
                self._sweep_busy(connection, connection.exchange, now)
        while self.idle and now - self.idle[0].idle_since > self._dialling.idle_s:
            self.idle[0].close()
        self._sweep_queue(now)
        return bool(self.connections or self.queue or self._openings)

    def close(self) -> None:
        self.closed = True
        for task in self._openings:
            task.cancel()
        gone = httpx.ReadError("the client was closed")
        while self.queue:
            self.queue.popleft().failed(gone)
        for connection in list(self.connections):
            connection.fail(gone)

    @property
    def opening(self) -> int:
        return len(self._openings)

    # -- told by connections ---------------------------------------------------------------------------------------

    def released(self, connection: Connection) -> None:
        if connection.exchanges == 1 and self._tls is not None:
            self._tls.remember(self.host, connection.tls_object())
        while self.queue:
            exchange = self.queue.popleft()
            if not exchange.future.done():
                self._send(connection, exchange)
                return
        if len(self.idle) >= self._dialling.max_idle:
            connection.close()
            return
        connection.idle_since = self.loop.time()
        self.idle.append(connection)

    def lost(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        if self.queue and not self.closed:
            self._open_enough()

    def send_again(self, exchange: Exchange) -> None:
        if self.closed:
            exchange.failed(httpx.ReadError("the client was closed"))
        else:
            self._enqueue(exchange)

    # ----------------------------------------------------------------------------------------------------------------

    def _send(self, connection: Connection, exchange: Exchange) -> None:
        read_s = exchange.read_s
        connection.silent_until = None if read_s is None else self.loop.time() + read_s
        connection.send(exchange)

    def _enqueue(self, exchange: Exchange) -> None:
        exchange.queued_at = self.loop.time()
        self.queue.append(exchange)
        self._open_enough()

    def _open_enough(self) -> None:
        """One opening for each that waits, as far as the limit allows."""
        limit = self._dialling.max_connections
        while len(self._openings) < len(self.queue) and len(self.connections) + len(self._openings) < limit:
            task = self.loop.create_task(self._open())
            self._openings.add(task)
            task.add_done_callback(self._opened)
        self._wake()

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._openings.discard(task)
        if self.queue and not self.closed:
            self._open_enough()

    async def _open(self) -> None:
        """Open one connection and give it to whoever waits; a failure is that of the one who has waited longest."""
        try:
            async with asyncio.timeout(self._dialling.connect_s):
                connection = await self._connect()
        except TimeoutError:
            self._fail_first(httpx.ConnectTimeout(f"no connection to {self.name} within {self._dialling.connect_s:g} s"))
        except OSError as error:  # ssl.SSLError is one too
            self._fail_first(httpx.ConnectError(str(error) or type(error).__name__))
        except Exception as error:  # whatever `resolve` refuses with; nobody may be left waiting
            self._fail_first(error)
        else:
            self.opened += 1
            self.connections.add(connection)
            self.released(connection)

    async def _connect(self) -> Connection:
        addresses = await self._dialling.resolve(self.host, self.port) if self._dialling.resolve else [self.host]
        name = self.host if self._tls is not None else None
        failure: OSError = OSError(f"{self.host} has no address")
        for address in addresses:
            try:
                _, connection = await self.loop.create_connection(
                    lambda: Connection(self), address, self.port, ssl=self._tls, server_hostname=name
                )
            except OSError as error:
                failure = error
            else:
                return connection
        raise failure

    def _fail_first(self, error: Exception) -> None:
        while self.queue:
            exchange = self.queue.popleft()
            if not exchange.future.done():
                exchange.failed(error)
                return

    def _sweep_busy(self, connection: Connection, exchange: Exchange, now: float) -> None:
        if exchange.future.done() and not connection.abandoned:
            connection.abandoned = True
            connection.silent_until = now + ABANDONED_GRACE_S
        elif (
            connection.silent_until is not None
            and exchange.read_s is not None
            and connection.heard
            and not connection.abandoned
        ):
            connection.heard = False
            connection.silent_until = now + exchange.read_s
        elif connection.silent_until is not None and now >= connection.silent_until:
            connection.fail(httpx.ReadTimeout(f"no answer within {exchange.read_s or ABANDONED_GRACE_S:g} s"))

    def _sweep_queue(self, now: float) -> None:
        """Drop those whose caller has gone, and those that waited too long for a place to connect in."""
        for exchange in islice(self.queue, len(self._openings), None):
            if exchange.pool_s is not None and now - exchange.queued_at > exchange.pool_s and not exchange.future.done():
                exchange.failed(httpx.PoolTimeout(f"no free connection to {self.name} within {exchange.pool_s:g} s"))
        if any(exchange.future.done() for exchange in self.queue):
            self.queue = deque(exchange for exchange in self.queue if not exchange.future.done())
