"""What a load balancer does with a request once its target is chosen: send it on, pass the answer back, or say itself why not.

The errors are an Application Load Balancer's own (Elastic Load Balancing, "Troubleshoot your Application Load Balancers"): 502
for a target that refuses or closes the connection, 504 for one that is silent. A request is sent once: a connection that
breaks after it was taken from the pool is an error, not a second try.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from infra.lab.lambda_lane import InvokeResult
from infra.lab.target_events import end_to_end, http_answer

LAMBDA_BODY_LIMIT = 1024 * 1024
IDLE_TIMEOUT_S = 60
CONNECT_TIMEOUT_S = 10.0
REQUEST_LIMIT = 64 * 1024 * 1024
WHOLE_ANSWER_BYTES = 1024 * 1024
"""An instance's answer up to this length is passed on whole, a longer one or one of unknown length in pieces."""
ANSWER_HEADERS_LIMIT = 32 * 1024

REASONS = {
    400: "Bad Request",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}

Invoke = Callable[[bytes], Awaitable[InvokeResult]]


class ElbError(web.Response):
    """An error the load balancer itself answers, not a target. `because` tells causes of one status apart: `connect` for a
    target that took no connection, `function` for what a function did wrong, `service` for what Lambda did. `detail` is for
    the lab's log, and not sent."""

    def __init__(self, status: int, because: str = "", detail: str = "") -> None:
        reason = f"{status} {REASONS[status]}"
        page = f"<html>\r\n<head><title>{reason}</title></head>\r\n<body>\r\n<center><h1>{reason}</h1></center>\r\n"
        page += "</body>\r\n</html>\r\n"
        super().__init__(status=status, text=page, content_type="text/html", headers={"Server": "awselb/2.0"})
        self.because, self.detail = because, detail


@dataclass(frozen=True, slots=True)
class Forwarded:
    """`waited_s`: from sending to the answer's headers; None where a target gave none. `size`: bytes of both bodies."""

    response: web.StreamResponse
    waited_s: float | None
    size: int = 0


def target_session(idle_timeout_s: float) -> aiohttp.ClientSession:
    """Keep-alive connections to the targets, none of them used a second time for the same request."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=idle_timeout_s),
        timeout=aiohttp.ClientTimeout(total=None, sock_read=idle_timeout_s, sock_connect=CONNECT_TIMEOUT_S),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        max_field_size=ANSWER_HEADERS_LIMIT,
    )
    session._retry_connection = False  # a load balancer reports a reset, it does not send again
    return session


async def to_instance(
    session: aiohttp.ClientSession, request: web.BaseRequest, base_url: str, headers: CIMultiDict[str], body: bytes
) -> Forwarded:
    """Send a request to a target that speaks HTTP and pass its answer on."""
    started = time.perf_counter()
    try:
        async with session.request(
            request.method,
            URL(base_url + request.raw_path, encoded=True),
            headers=headers,
            data=io.BytesIO(body) if body else None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            waited_s = time.perf_counter() - started
            response, size = await _pass_on(request, answer)
            return Forwarded(response, waited_s, len(body) + size)
    except aiohttp.ConnectionTimeoutError as error:
        return Forwarded(ElbError(504, "connect", repr(error)), None)
    except TimeoutError as error:
        return Forwarded(ElbError(504, detail=repr(error)), None)
    except aiohttp.ClientConnectorError as error:
        return Forwarded(ElbError(502, "connect", repr(error)), None)
    except aiohttp.ClientError as error:
        return Forwarded(ElbError(502, detail=repr(error)), None)


async def to_function(invoke: Invoke, event: dict[str, object], body: bytes, *, multi_value: bool, head: bool) -> Forwarded:
    """Invoke a function for a request and make its answer HTTP. A throttled or failed call is 502, as is an answer that is
    none or is over 1 MB."""
    if len(body) > LAMBDA_BODY_LIMIT:
        return Forwarded(ElbError(413, "function"), None)
    started = time.perf_counter()
    result = await invoke(json.dumps(event).encode())
    waited_s = time.perf_counter() - started
    if result.status != 200 or result.error_type is not None or len(result.payload) > LAMBDA_BODY_LIMIT:
        because = "service" if result.status >= 500 else "function"
        detail = f"{result.error_type}: {result.payload[:200].decode(errors='replace')}"
        return Forwarded(ElbError(502, because, detail), None)
    answer = http_answer(result.payload, multi_value=multi_value, head=head)
    if answer is None:
        return Forwarded(ElbError(502, "function"), None)
    return Forwarded(answer, waited_s, len(body) + (0 if head else answer.content_length or 0))


async def _pass_on(request: web.BaseRequest, answer: aiohttp.ClientResponse) -> tuple[web.StreamResponse, int]:
    """An instance's answer, as it comes, and the bytes of its body. Raises what the client raises while nothing has been passed
    on; after that the caller's connection is closed, for its answer is not whole."""
    kept = end_to_end(answer.headers)
    if request.method == "HEAD" or answer.status in (204, 304):
        return web.Response(status=answer.status, headers=kept), 0
    if answer.content_length is not None and answer.content_length <= WHOLE_ANSWER_BYTES:
        body = await answer.read()
        kept.popall("Content-Length", None)
        return web.Response(status=answer.status, headers=kept, body=body), len(body)
    response = web.StreamResponse(status=answer.status, headers=kept)
    await response.prepare(request)
    size = 0
    try:
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            await response.write(chunk)
    except (TimeoutError, aiohttp.ClientError):
        _hang_up(request)
        return response, size
    except BaseException:
        _hang_up(request)
        raise
    await response.write_eof()
    return response, size


def _hang_up(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.close()
