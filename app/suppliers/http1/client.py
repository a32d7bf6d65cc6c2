"""An `httpx.AsyncClient` that sends plain requests over a pool of raw protocols, at a fraction of the CPU.

Accelerated: `request`, `get`, `post`, … with an absolute http(s) URL given as text, header fields in a mapping, a body as
bytes, on a client without authentication, event hooks, proxies, cookies or redirects to follow. Everything else (streaming,
files, HTTP/2, a custom transport, `send`) is left to stock httpx, over its own connections. Answers are real
`httpx.Response` objects, errors are httpx's.

What differs from stock: a packed body that stops short is a `DecodingError` here; a kept connection that turns out to be
closed before a byte of the answer came is replaced and the request sent once more, when its method is idempotent; answers
can be capped (`max_response_bytes`). Timeouts of reading and of waiting for a connection are up to 50 ms late.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import cache
from types import TracebackType
from typing import Any
from urllib.request import getproxies

import httpx
from httpx import USE_CLIENT_DEFAULT

from app.suppliers.http1.exchange import Exchange
from app.suppliers.http1.message import Messages
from app.suppliers.http1.pool import SWEEP_S, Dialling, Origin, Resolve
from app.suppliers.http1.response import as_response
from app.suppliers.http1.tls import ResumingContext

MAX_BODY_BYTES = 64 * 1024
"""Larger request bodies are left to stock httpx, which watches how fast the server takes them."""

NO_LIMIT = 1 << 62
_STOCK_ARGUMENTS = frozenset(("transport", "proxy", "mounts", "http1", "http2", "verify", "cert"))
_ACCELERATED_ARGUMENTS = frozenset(("headers", "content", "timeout"))
_IDEMPOTENT = frozenset(("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"))

log = logging.getLogger("httpx")


class Unaccelerated(httpx.UnsupportedProtocol):
    """`exchange` was given a request that it does not write itself: its URL or a header field needs escaping or care."""


@cache
def default_tls_context() -> ResumingContext:
    """The process's one TLS context."""
    return ResumingContext.with_default_authorities()


class AcceleratedClient(httpx.AsyncClient):
    """See the module. `resolve` names the addresses to connect to, and may refuse; a client that has one sends nothing
    over stock httpx (`Unaccelerated`). `tls` makes the TLS context when it is first needed. `keep_cookies=False` ignores
    cookies that answers set: one would make every later request a stock one.
    """

    def __init__(
        self,
        *,
        timeout: httpx.Timeout | float | None = 5.0,
        limits: httpx.Limits | None = None,
        trust_env: bool = True,
        resolve: Resolve | None = None,
        tls: Callable[[], ResumingContext] = default_tls_context,
        max_response_bytes: int = NO_LIMIT,
        keep_cookies: bool = True,
        **arguments: Any,
    ) -> None:
        limits = limits or httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0)
        self._stock_only = bool(_STOCK_ARGUMENTS & arguments.keys()) or (trust_env and bool(getproxies()))
        if self._stock_only:
            super().__init__(timeout=timeout, limits=limits, trust_env=trust_env, **arguments)
        else:
            super().__init__(timeout=timeout, transport=_StockWhenNeeded(limits, tls, resolve), trust_env=False, **arguments)
        self._max_response_bytes = max_response_bytes
        self._keep_cookies = keep_cookies
        self._write_headers(self.headers.raw)
        self._dialling = Dialling(
            self.timeout.connect,
            NO_LIMIT if limits.max_connections is None else limits.max_connections,
            NO_LIMIT if limits.max_keepalive_connections is None else limits.max_keepalive_connections,
            float("inf") if limits.keepalive_expiry is None else limits.keepalive_expiry,
            resolve,
            tls,
        )
        self.origins: dict[str, Origin] = {}
        """By `scheme://netloc` as written in URLs."""
        self._sweeping: asyncio.TimerHandle | None = None

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        resend: bool | None = None,
        timeout: httpx.Timeout | None = None,
    ) -> Exchange:
        """Send a request now and return it as an `Exchange`: `await exchange.future` is its `Answer`.

        `resend` says whether the request may be sent twice when a kept connection is found closed (`None`: when its
        method is idempotent). The client's default header fields are those it was made with. Raises `Unaccelerated` for a
        request that only stock httpx can send; the future raises `httpx.TransportError` or `httpx.DecodingError`.
        """
        slash = url.find("/", 8)
        key = url[:slash] if slash > 0 else url
        origin = self.origins.get(key) or self._add_origin(key)
        message = None
        if origin is not None and (body is None or len(body) <= MAX_BODY_BYTES):
            message = self._messages.write(method, origin.netloc, url[slash:] if slash > 0 else "/", headers, body)
        if message is None or origin is None:
            raise Unaccelerated(f"{method} {key}…: the URL or a header field has characters that need escaping")
        if self.is_closed:
            raise RuntimeError("Cannot send a request, as the client has been closed.")
        limits = timeout or self.timeout
        exchange = Exchange(
            origin,
            message,
            origin.loop.create_future(),
            head=method == "HEAD",
            limit=self._max_response_bytes,
            read_s=limits.read,
            pool_s=limits.pool,
            resend=method in _IDEMPOTENT if resend is None else resend,
        )
        origin.start(exchange)
        return exchange

    async def request(self, method: str, url: httpx.URL | str, **arguments: Any) -> httpx.Response:
        """As `httpx.AsyncClient.request`."""
        given = {name: value for name, value in arguments.items() if value is not None and value is not USE_CLIENT_DEFAULT}
        if type(url) is str and given.keys() <= _ACCELERATED_ARGUMENTS and self._is_plain():
            headers, content = given.get("headers"), given.get("content")
            if (headers is None or type(headers) is dict) and (content is None or type(content) is bytes):
                return await self._accelerated(method.upper(), url, headers, content, arguments)
        return await super().request(method, url, **arguments)

    async def _accelerated(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None,
        content: bytes | None,
        arguments: dict[str, Any],
    ) -> httpx.Response:
        def build_request() -> httpx.Request:
            return self.build_request(method, url, headers=headers, content=content)

        started = time.perf_counter()
        try:
            timeout = arguments.get("timeout", USE_CLIENT_DEFAULT)
            limits = None if timeout is USE_CLIENT_DEFAULT else httpx.Timeout(timeout)
            answer = await self.exchange(method, url, headers, content, timeout=limits).future
            response = as_response(answer, time.perf_counter() - started, build_request)
        except Unaccelerated:
            return await super().request(method, url, **arguments)
        except httpx.RequestError as error:
            error.request = build_request()
            raise
        if self._keep_cookies and any(len(name) == 10 and name.lower() == b"set-cookie" for name, _ in answer.headers):
            self.cookies.extract_cookies(response)
        if log.isEnabledFor(logging.INFO):
            version, status, reason = response.http_version, response.status_code, response.reason_phrase
            log.info('HTTP Request: %s %s "%s %d %s"', method, httpx.URL(url), version, status, reason)
        return response

    def _is_plain(self) -> bool:
        """Whether nothing on the client asks for more than sending a request and reading its answer."""
        if self._stock_only or self.follow_redirects or self.auth is not None or len(self.cookies.jar) or self.params:
            return False
        if any(self.event_hooks.values()) or self.base_url.host or self.base_url.path not in ("", "/"):
            return False
        fields = self.headers.raw
        if fields != self._default_fields:
            self._write_headers(fields)
        return True

    def _write_headers(self, fields: list[tuple[bytes, bytes]]) -> None:
        """Write these default header fields into every request from now on."""
        self._default_fields = fields
        self._messages = Messages([(name.decode(), value.decode()) for name, value in fields])

    def _add_origin(self, key: str) -> Origin | None:
        """The connections to `scheme://netloc`; `None` for what is no plain http(s) address."""
        if len(self.origins) > 10_000:
            self.origins = {name: origin for name, origin in self.origins.items() if origin.connections}
        try:
            url = httpx.URL(key)
        except httpx.InvalidURL:
            return None
        if url.scheme not in ("http", "https") or not url.host or url.userinfo or "#" in key or "?" in key:
            return None
        origin = Origin(url, self._dialling, self._wake)
        self.origins[key] = origin
        return origin

    # -- the sweeper -------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        now = asyncio.get_running_loop().time()
        watched = [origin.sweep(now) for origin in self.origins.values()]  # every one of them
        if any(watched):
            self._wake()

    async def aclose(self) -> None:
        self._close_origins()
        await super().aclose()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._close_origins()
        await super().__aexit__(exc_type, exc_value, traceback)

    def _close_origins(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for origin in self.origins.values():
            origin.close()


class _StockWhenNeeded(httpx.AsyncBaseTransport):
    """Stock httpx's transport, made at the first request that needs it."""

    def __init__(self, limits: httpx.Limits, tls: Callable[[], ResumingContext], resolve: Resolve | None) -> None:
        self._limits = limits
        self._tls = tls
        self._resolve = resolve
        self._stock: httpx.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._resolve is not None:
            raise Unaccelerated("this client checks addresses, which stock httpx would not", request=request)
        if self._stock is None:
            self._stock = httpx.AsyncHTTPTransport(verify=self._tls(), limits=self._limits)
        return await self._stock.handle_async_request(request)

    async def aclose(self) -> None:
        if self._stock is not None:
            await self._stock.aclose()
