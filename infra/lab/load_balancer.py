"""An Application Load Balancer's double: one listener, weighted target groups, a Lambda and an instance target.

What it keeps of the original: weights 0 to 999; the target group event for Lambda, with single or multi-value headers and
the query string as it came; TRACE is 405; a request body over 1 MB is 413 and a response over 1 MB is 502 for Lambda; a
function's error, time-out or throttling is 502; a broken instance is 502 and a silent one 504; idle connections close after
60 s; answers of instances are passed on as they come. `x-crossover-lane: lambda|container` takes that lane whatever the
weights, as the deployed listener's rules do for a request that carries the stage's token; here none is asked for.
"""

from __future__ import annotations

import os
import random
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

import aiohttp
from aiohttp import web

from infra.errors import InputError, KitError
from infra.lab.forwarding import IDLE_TIMEOUT_S, REQUEST_LIMIT, ElbError, Forwarded, target_session, to_function, to_instance
from infra.lab.lambda_lane import LambdaLane
from infra.lab.target_events import alb_event, end_to_end, forwarded_headers

LANE_HEADER = "x-crossover-lane"


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
        self._session = target_session(self._idle_timeout_s)
        app = web.Application(client_max_size=REQUEST_LIMIT)
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
            return ElbError(405)
        named = request.headers.get(LANE_HEADER, "")
        lane = named if named in self.groups else self._choose()
        group = self.groups[lane]
        group.requests += 1
        started = time.perf_counter()
        body = await request.read()
        forwarded = await (self._to_lambda(request, body) if lane == "lambda" else self._to_container(request, body))
        response = forwarded.response
        if isinstance(response, ElbError):
            group.elb_status[response.status] += 1
        else:
            group.target_status[response.status] += 1
            group.durations_ms.append((time.perf_counter() - started) * 1000)
        return response

    def _choose(self) -> str:
        groups = self.groups
        return self._rng.choices([*groups], weights=[group.weight for group in groups.values()])[0]

    async def _to_lambda(self, request: web.Request, body: bytes) -> Forwarded:
        event = alb_event(request, body, forwarded_headers(request, self._port), multi_value=self._multi_value)
        head = request.method == "HEAD"
        return await to_function(self._lambda.invoke, event, body, multi_value=self._multi_value, head=head)

    async def _to_container(self, request: web.Request, body: bytes) -> Forwarded:
        assert self._session is not None
        headers = end_to_end(request.headers)
        headers.update(forwarded_headers(request, self._port))
        return await to_instance(self._session, request, self._container_url, headers, body)
