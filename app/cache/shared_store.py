"""The shared store over Redis or Valkey: fast or not at all.

Every command has `TIMEOUT_S`; after one failure nobody asks until a probe in the background has been answered, so a dead or
slow store costs one search its time-out and the others nothing. A failover needs no restart: when a probe has failed, no
connection is used again, and a new one asks where the primary is now, the Sentinels or the name server. The probe stores
something, for a primary that has become a replica still answers everything else.

Only GET and SET of one key are asked, with at most AUTH before them (RESP2, no `CLIENT`, no `SELECT` for database 0): a proxy
before many shards, such as ElastiCache Serverless, takes that from a client that knows nothing of clusters.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import ConnectionPool, Redis, Sentinel, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import MaxConnectionsError, RedisError

from app.cache.address import StoreAddress
from app.telemetry.metrics import Sample

TIMEOUT_S = 0.1
"""Of one command, connecting included."""

PROBE_EVERY_S = 0.25
PROBE_TIMEOUT_S = 0.5
PROBE_KEY = b"crossover:probe"
MAX_CONNECTIONS = 32
MAX_PENDING_PUTS = 64

log = logging.getLogger("crossover.cache")


class SharedStore:
    """Implements `app.core.ports.AnswerStore`. `results` counts what became of commands: `hit`, `miss`, `stored`, `error`,
    `skipped` (the store is believed dead) and `busy` (too many commands under way)."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._up = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending_puts = 0
        self.results: Counter[str] = Counter()

    async def get(self, key: bytes) -> bytes | None:
        if not self._up:
            self.results["skipped"] += 1
            return None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                value = await self._client.get(key)
        except MaxConnectionsError:
            self.results["busy"] += 1
            return None
        except (RedisError, OSError) as error:  # OSError: TimeoutError is one
            self._failed(error)
            return None
        self.results["hit" if value is not None else "miss"] += 1
        return value if isinstance(value, bytes) else None

    def put(self, key: bytes, value: bytes, *, ttl_ms: int) -> None:
        if not self._up:
            self.results["skipped"] += 1
        elif self._pending_puts >= MAX_PENDING_PUTS:
            self.results["busy"] += 1
        else:
            self._pending_puts += 1
            self._start(self._put(key, value, ttl_ms))

    def samples(self) -> Iterable[Sample]:
        yield Sample("crossover_cache_store_up", "gauge", "Whether the shared cache answers.", int(self._up))
        for result, count in sorted(self.results.items()):
            about = "What became of the shared cache's commands."
            yield Sample("crossover_cache_store_commands_total", "counter", about, count, (("result", result),))

    async def settle(self) -> None:
        """Wait for what is being stored, at most `TIMEOUT_S`; for whoever is about to stop its event loop."""
        if self._pending_puts:
            await asyncio.wait(self._tasks, timeout=TIMEOUT_S)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError):
            await self._client.aclose()

    async def _put(self, key: bytes, value: bytes, ttl_ms: int) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._client.set(key, value, px=ttl_ms)
            self.results["stored"] += 1
        except MaxConnectionsError:
            self.results["busy"] += 1
        except (RedisError, OSError) as error:
            self._failed(error)
        finally:
            self._pending_puts -= 1

    def _failed(self, error: Exception) -> None:
        self.results["error"] += 1
        if self._up:
            self._up = False
            log.warning("the shared cache fails (%s); searches go on without it", type(error).__name__)
            self._start(self._probe())

    async def _probe(self) -> None:
        while not self._up:
            await asyncio.sleep(PROBE_EVERY_S)
            try:
                async with asyncio.timeout(PROBE_TIMEOUT_S):
                    await self._client.set(PROBE_KEY, b"", px=1_000)
                self._up = True
            except (RedisError, OSError):
                with contextlib.suppress(RedisError, OSError):  # they may lead to what was the primary
                    await self._client.connection_pool.disconnect(inuse_connections=False)
        log.warning("the shared cache answers again")

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _TlsConnection(SSLConnection):
    """With one TLS context for all: a connection that makes its own reads every certificate that the system trusts, which stops
    the event loop for longer than a search's share of a command."""

    def __init__(self, *, context: ssl.SSLContext, **settings: Any) -> None:
        super().__init__(**settings)
        self.ssl_context.context = context


@asynccontextmanager
async def open_store(address: StoreAddress) -> AsyncIterator[SharedStore]:
    """A store at that address. Connects when first asked: that the cache is away is no reason not to start."""
    limits: dict[str, Any] = {
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,
    }
    settings = {
        **limits,
        "username": address.username,
        "password": address.password,
        "db": address.database,
        "max_connections": MAX_CONNECTIONS,
    }
    sentinels: list[Redis] = []
    if address.primary is not None:
        known = Sentinel(address.hosts, sentinel_kwargs=limits)  # type: ignore[no-untyped-call]
        sentinels = known.sentinels
        pool: ConnectionPool = SentinelConnectionPool(  # type: ignore[no-untyped-call]
            address.primary, known, ssl=address.tls, **settings
        )
    else:
        host, port = address.hosts[0]
        if address.tls:
            settings |= {"connection_class": _TlsConnection, "context": ssl.create_default_context()}
        pool = ConnectionPool(host=host, port=port, **settings)
    store = SharedStore(Redis.from_pool(pool))
    try:
        yield store
    finally:
        await store.close()
        for sentinel in sentinels:
            await sentinel.aclose()
