"""How requests leave for suppliers: httpx at its public surface, behind one narrow seam (`send`).

One keep-alive pool per supplier (a shared pool scans every connection on each request), one TLS context for all, no
redirects followed, and answers read and unpacked piece by piece, so that an endless one, or a small one that unpacks to
gigabytes, costs `MAX_ANSWER_BYTES` and not the process. Time limits are the fan-out's; the ones here only bound single
steps, so that nothing waits for ever if cancelling fails.
"""

from __future__ import annotations

import ssl
import zlib
from contextlib import AsyncExitStack
from functools import cache
from types import TracebackType
from urllib.parse import urlsplit

import httpx

from app.core.errors import SupplierError, SupplierMalformed, SupplierTimeout, SupplierUnavailable
from app.suppliers.wire import WireRequest, WireResponse

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""Largest answer that is read, after decoding; a search's answer is a few kB."""

TIMEOUT = httpx.Timeout(30.0, connect=3.0)
LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=30.0)


@cache
def shared_tls_context() -> ssl.SSLContext:
    """The one TLS context of the process; made when the first https supplier is opened (loading the CAs takes 20 ms)."""
    return ssl.create_default_context()


@cache
def _no_tls() -> ssl.SSLContext:
    """For suppliers at http:// addresses: shared, because making one for each of 45 costs 15 ms; it trusts nobody."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class HttpTransport:
    """One supplier's HTTP client. An async context manager: connections live while it is open."""

    def __init__(self, url: str, *, max_answer_bytes: int = MAX_ANSWER_BYTES) -> None:
        self._client = httpx.AsyncClient(
            verify=shared_tls_context() if url.startswith("https:") else _no_tls(),
            trust_env=False,
            follow_redirects=False,
            timeout=TIMEOUT,
            limits=LIMITS,
            headers={"User-Agent": "crossover/1", "Accept-Encoding": "gzip"},
        )
        self._max_answer_bytes = max_answer_bytes
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> HttpTransport:
        await self._stack.enter_async_context(self._client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def send(self, request: WireRequest) -> WireResponse:
        """Send one request and read its whole answer; raises `SupplierError` for anything else than an answer."""
        try:
            async with self._client.stream(
                request.method, request.url, headers=request.headers, content=request.body
            ) as response:
                if response.is_redirect:
                    raise _redirected(response, request)
                return WireResponse(response.status_code, await self._read(response), response.headers.raw)
        except httpx.TimeoutException as error:
            limit = TIMEOUT.connect if isinstance(error, httpx.ConnectTimeout) else TIMEOUT.read
            raise SupplierTimeout(f"{_name(error)} within {limit:g} s") from None
        except zlib.error as error:
            raise SupplierMalformed(f"the body cannot be decoded: {error}") from None
        except httpx.RemoteProtocolError as error:
            if "without sending a response" in str(error):
                raise SupplierUnavailable("the connection broke before an answer") from None
            raise SupplierMalformed(f"not a whole HTTP answer: {error}") from None
        except httpx.TransportError as error:
            raise SupplierUnavailable(f"{_name(error)}: {error}") from None

    async def _read(self, response: httpx.Response) -> bytes:
        announced = response.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self._max_answer_bytes:
            raise self._too_large()
        packing = response.headers.get("content-encoding", "identity").lower()
        if packing not in ("identity", "gzip", "x-gzip"):
            raise SupplierMalformed(f"content-encoding {packing!r} was not asked for")
        unpack = None if packing == "identity" else zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: gzip
        parts: list[bytes] = []
        left = self._max_answer_bytes
        async for raw in response.aiter_raw():
            part = unpack.decompress(raw, left + 1) if unpack else raw
            left -= len(part)
            if left < 0:
                raise self._too_large()
            parts.append(part)
        if unpack and not unpack.eof and parts:
            raise SupplierMalformed("the body is packed, and stops short")
        return b"".join(parts)

    def _too_large(self) -> SupplierError:
        return SupplierMalformed(f"the answer is larger than {self._max_answer_bytes} bytes")


def _redirected(response: httpx.Response, request: WireRequest) -> SupplierError:
    host = urlsplit(response.headers.get("location", "")).netloc or "the same host"
    return SupplierUnavailable(f"redirects ({response.status_code}) to {host}; redirects are not followed")


def _name(error: httpx.TransportError) -> str:
    return {
        httpx.ConnectError: "cannot connect",
        httpx.ConnectTimeout: "no connection",
        httpx.ReadTimeout: "no answer",
        httpx.PoolTimeout: "no free connection",
        httpx.ReadError: "the connection broke",
    }.get(type(error), type(error).__name__)
