"""How requests leave for suppliers: one accelerated client for all of them, behind one narrow seam (`send`).

No redirects followed, no cookies kept, and answers capped on decoded bytes, so that an endless one, or a small one that
unpacks to gigabytes, costs `MAX_ANSWER_BYTES` and not the process. Time limits are the fan-out's; the ones here only bound
single steps, so that nothing waits for ever if cancelling fails.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx

from app.core.errors import SupplierError, SupplierMalformed, SupplierTimeout, SupplierUnavailable
from app.suppliers.guard import Guard, State
from app.suppliers.hedging import SupplierHedging
from app.suppliers.http1.client import AcceleratedClient, Unaccelerated
from app.suppliers.http1.decoding import ResponseTooLarge
from app.suppliers.http1.exchange import Answer, Exchange
from app.suppliers.http1.pool import Resolve
from app.suppliers.rate_limits import retry_after_s, wait_s
from app.suppliers.retries import RetryBudget
from app.suppliers.wire import WireRequest, WireResponse
from app.telemetry.metrics import Sample

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""Largest answer that is read, after decoding; a search's answer is a few kB."""

RETRY_AFTER_S = (0.01, 0.03)
"""Pause before a retry, drawn between these: a server that restarts closes many connections at once."""

TIMEOUT = httpx.Timeout(30.0, connect=3.0)
LIMITS = httpx.Limits(max_connections=1_000, max_keepalive_connections=500, keepalive_expiry=30.0)
"""Per origin; a supplier's own concurrency limit is its guard's."""


def supplier_client(*, resolve: Resolve | None = None, max_answer_bytes: int = MAX_ANSWER_BYTES) -> AcceleratedClient:
    """The client that all suppliers share; each origin has its own connections. An async context manager."""
    return AcceleratedClient(
        trust_env=False,
        timeout=TIMEOUT,
        limits=LIMITS,
        headers={"Accept": "*/*", "Accept-Encoding": "gzip", "Connection": "keep-alive", "User-Agent": "crossover/1"},
        resolve=resolve,
        max_response_bytes=max_answer_bytes,
        keep_cookies=False,
    )


def pool_samples(client: AcceleratedClient) -> Iterable[Sample]:
    """The client's connections by origin."""
    for origin in client.origins.values():
        name = ("origin", origin.name)
        counts = {"idle": len(origin.idle), "busy": len(origin.connections) - len(origin.idle), "opening": origin.opening}
        for state, count in counts.items():
            yield Sample("crossover_pool_connections", "gauge", "Connections to suppliers.", count, (name, ("state", state)))
        yield Sample("crossover_pool_waiting", "gauge", "Calls that wait for a connection.", len(origin.queue), (name,))
        yield Sample("crossover_pool_opened_total", "counter", "Connections opened.", origin.opened, (name,))


class HttpTransport:
    """One supplier's requests over the shared client, hedged where `hedging` is given, tried once more within the budget of
    `retries`; `guard` hears of how long the supplier wants to be left alone."""

    __slots__ = ("_client", "_guard", "_hedging", "_retries")

    def __init__(
        self,
        client: AcceleratedClient,
        hedging: SupplierHedging | None = None,
        guard: Guard | None = None,
        retries: RetryBudget | None = None,
    ) -> None:
        self._client = client
        self._hedging = hedging
        self._guard = guard
        self._retries = retries

    async def send(self, request: WireRequest) -> WireResponse:
        """Send one request and read its whole answer; raises `SupplierError` for anything else than an answer.

        A broken connection, a 502 or a 503 that does not say when to come back is tried once more, if that is safe, the
        supplier is sound and the budget allows. What takes long is not: that is what hedging is for.
        """
        if self._retries is not None:
            self._retries.called()
        try:
            response = await self._send(request)
        except SupplierUnavailable:
            if not self._may_retry(request):
                raise
        else:
            if response.status not in (502, 503) or response.header(b"retry-after") or not self._may_retry(request):
                return response
        await asyncio.sleep(random.uniform(*RETRY_AFTER_S))
        return await self._send(request)

    def _may_retry(self, request: WireRequest) -> bool:
        sound = self._guard is None or self._guard.state is State.CLOSED
        return self._retries is not None and request.idempotent and sound and self._retries.allows()

    async def _send(self, request: WireRequest) -> WireResponse:
        try:
            exchange = self._client.exchange(
                request.method, request.url, request.headers, request.body, resend=request.idempotent
            )
            answer = await (exchange.future if self._hedging is None else _hedged(self._hedging, exchange, request))
        except httpx.HTTPError as error:
            raise _failure(error) from None
        response = WireResponse(answer.status, answer.body, answer.headers)
        if 300 <= answer.status < 400 and answer.status != 304:
            raise _redirected(response)
        if self._guard is not None:
            _obey(self._guard, response)
        if answer.coding:
            raise SupplierMalformed(f"content-encoding {answer.coding.decode('latin-1')!r} was not asked for")
        return response


async def _hedged(hedging: SupplierHedging, exchange: Exchange, request: WireRequest) -> Answer:
    started = time.monotonic()
    if request.idempotent:
        hedging.watch(started, exchange)
    try:
        return await exchange.future
    finally:
        hedging.observe(time.monotonic() - started)


def _failure(error: httpx.HTTPError) -> SupplierError:
    if isinstance(error, Unaccelerated | ResponseTooLarge):
        return SupplierMalformed(str(error))
    if isinstance(error, httpx.TimeoutException):
        limit = TIMEOUT.connect if isinstance(error, httpx.ConnectTimeout) else TIMEOUT.read
        return SupplierTimeout(f"{_name(error)} within {limit:g} s")
    if isinstance(error, httpx.DecodingError):
        return SupplierMalformed(str(error))
    if isinstance(error, httpx.RemoteProtocolError):
        if "without sending a response" in str(error):
            return SupplierUnavailable("the connection broke before an answer")
        return SupplierMalformed(f"not a whole HTTP answer: {error}")
    return SupplierUnavailable(f"{_name(error)}: {error}")


def _obey(guard: Guard, response: WireResponse) -> None:
    """Tell the guard how long the supplier wants to be left alone."""
    now = time.time()
    said = response.header(b"retry-after") if response.status in (429, 503, 403) else None
    for wait in (retry_after_s(said, now) if said else None, wait_s(response.headers, now)):
        if wait is not None:
            guard.throttled(wait)


def _redirected(response: WireResponse) -> SupplierError:
    location = (response.header(b"location") or b"").decode("latin-1")
    host = urlsplit(location).netloc or "the same host"
    return SupplierUnavailable(f"redirects ({response.status}) to {host}; redirects are not followed")


_NAMES: dict[type[httpx.HTTPError], str] = {
    httpx.ConnectError: "cannot connect",
    httpx.ConnectTimeout: "no connection",
    httpx.ReadTimeout: "no answer",
    httpx.PoolTimeout: "no free connection",
    httpx.ReadError: "the connection broke",
}


def _name(error: httpx.HTTPError) -> str:
    return _NAMES.get(type(error), type(error).__name__)
