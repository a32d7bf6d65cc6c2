"""An Application Load Balancer's double: one listener, weighted target groups, a Lambda and an instance target.

What it keeps of the original: weights 0 to 999; the target group event for Lambda, with single or multi-value headers and
the query string as it came; TRACE is 405; a request body over 1 MB is 413 and a response over 1 MB is 502 for Lambda; a
function's error, time-out or throttling is 502; a broken instance is 502 and a silent one 504; idle connections close after
60 s; answers of instances are passed on as they come. `x-crossover-lane: lambda|container` takes that lane whatever the
weights, as the deployed listener's rules do for a request that carries the stage's token; here none is asked for.
"""

from __future__ import annotations

import io
import json
import os
import random
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

import aiohttp
from aiohttp import web
from yarl import URL

from infra.errors import InputError, KitError
from infra.lab.lambda_lane import LambdaLane
from infra.lab.target_events import alb_event, end_to_end, forwarded_headers, http_answer

LAMBDA_BODY_LIMIT = 1024 * 1024
IDLE_TIMEOUT_S = 60
LANE_HEADER = "x-crossover-lane"
WHOLE_ANSWER_BYTES = 1024 * 1024
"""An instance's answer up to this length is passed on whole, a longer one or one of unknown length in pieces."""

REASONS = {
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


@dataclass(slots=True)
class TargetGroup:
    """What one target group has seen. `durations_ms` are target response times as the load balancer measures them."""

    weight: int
    requests: int = 0
    target_status: Counter[int] = field(default_factory=Counter)
    elb_status: Counter[int] = field(default_factory=Counter)
    durations_ms: list[float] = field(default_factory=list)


class LoadBalancer:
    """Forwards to the two lanes by weight. An async context manager; `url` is where it listens."""

    def __init__(
        self,
        lambda_lane: LambdaLane,
        container_url: str,
        *,
        weights: tuple[int, int] = (50, 50),
        port: int = 0,
        multi_value_headers: bool = True,
        idle_timeout_s: float = IDLE_TIMEOUT_S,
        seed: int = 0,
    ) -> None:
        self._lambda = lambda_lane
        self._container_url = container_url
        self._port = port
        self._multi_value = multi_value_headers
        self._idle_timeout_s = idle_timeout_s
        self._rng = random.Random(seed)
        self.groups = {"lambda": TargetGroup(0), "container": TargetGroup(0)}
        self.set_weights(*weights)
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self.url = ""

    def set_weights(self, lambda_weight: int, container_weight: int) -> None:
        """Change the split; raises `InputError` for what elbv2 refuses (or should: 0 and 0)."""
        weights = (lambda_weight, container_weight)
        if not all(0 <= weight <= 999 for weight in weights) or weights == (0, 0):
            raise InputError(f"weights {weights}: each must be 0 to 999, and not both 0")
        self.groups["lambda"].weight, self.groups["container"].weight = weights

    async def __aenter__(self) -> LoadBalancer:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=self._idle_timeout_s)
        timeout = aiohttp.ClientTimeout(total=None, sock_read=self._idle_timeout_s, sock_connect=10)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)
        self._session._retry_connection = False  # a load balancer reports a reset, it does not send again
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=self._idle_timeout_s, shutdown_timeout=1.0, auto_decompress=False
        )
        await self._runner.setup()
        try:
            listener = socket.create_server(("127.0.0.1", self._port), backlog=2048)
        except OSError as error:
            await self.__aexit__(None, None, None)
            raise KitError(f"the load balancer cannot listen on port {self._port}: {os.strerror(error.errno or 0)}") from None
        await web.SockSite(self._runner, listener).start()
        self._port = int(self._runner.addresses[0][1])
        self.url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if request.method == "TRACE":
            return _elb_error(405)
        named = request.headers.get(LANE_HEADER, "")
        lane = named if named in self.groups else self._choose()
        group = self.groups[lane]
        group.requests += 1
        started = time.perf_counter()
        body = await request.read()
        response = await (self._to_lambda(request, body) if lane == "lambda" else self._to_container(request, body))
        if isinstance(response, _ElbError):
            group.elb_status[response.status] += 1
        else:
            group.target_status[response.status] += 1
            group.durations_ms.append((time.perf_counter() - started) * 1000)
        return response

    def _choose(self) -> str:
        groups = self.groups
        return self._rng.choices([*groups], weights=[group.weight for group in groups.values()])[0]

    async def _to_lambda(self, request: web.Request, body: bytes) -> web.Response:
        if len(body) > LAMBDA_BODY_LIMIT:
            return _elb_error(413)
        event = alb_event(request, body, self._port, multi_value=self._multi_value)
        result = await self._lambda.invoke(json.dumps(event).encode())
        if result.status != 200 or result.error_type is not None or len(result.payload) > LAMBDA_BODY_LIMIT:
            return _elb_error(502)
        answer = http_answer(result.payload, multi_value=self._multi_value, head=request.method == "HEAD")
        return _elb_error(502) if answer is None else answer

    async def _to_container(self, request: web.Request, body: bytes) -> web.StreamResponse:
        assert self._session is not None
        headers = end_to_end(request.headers)
        headers.update(forwarded_headers(request, self._port))
        try:
            async with self._session.request(
                request.method,
                URL(self._container_url + request.raw_path, encoded=True),
                headers=headers,
                data=io.BytesIO(body) if body else None,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            ) as answer:
                return await _pass_on(request, answer)
        except TimeoutError:
            return _elb_error(504)
        except aiohttp.ClientError:
            return _elb_error(502)


async def _pass_on(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """An instance's answer, as it comes. Raises what the client raises while nothing has been passed on; after that the
    caller's connection is closed, for its answer is not whole."""
    kept = end_to_end(answer.headers)
    if request.method == "HEAD" or answer.status in (204, 304):
        return web.Response(status=answer.status, headers=kept)
    if answer.content_length is not None and answer.content_length <= WHOLE_ANSWER_BYTES:
        body = await answer.read()
        kept.popall("Content-Length", None)
        return web.Response(status=answer.status, headers=kept, body=body)
    response = web.StreamResponse(status=answer.status, headers=kept)
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
    except (TimeoutError, aiohttp.ClientError):
        if request.transport is not None:
            request.transport.close()
        return response
    await response.write_eof()
    return response


class _ElbError(web.Response):
    """An error the load balancer itself answers, not a target."""


def _elb_error(status: int) -> _ElbError:
    reason = f"{status} {REASONS[status]}"
    page = f"<html>\r\n<head><title>{reason}</title></head>\r\n<body>\r\n<center><h1>{reason}</h1></center>\r\n"
    page += "</body>\r\n</html>\r\n"
    return _ElbError(status=status, text=page, content_type="text/html", headers={"Server": "awselb/2.0"})
