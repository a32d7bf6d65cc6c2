"""A node of the load balancer: takes requests, chooses target group and target, and counts what became of it.

A node is what an Application Load Balancer has in each zone: it learns of a change some seconds late, has its own keep-alive
connections to the targets, and takes its own turns among them. Rules are tried for each request, also of one connection, and
of the target groups of a rule one is drawn by weight (stickiness, which the stages have off, is not done). Idle timeouts are
real seconds, as requests are, and so is the time for a connection to an instance that is there; waiting for one that is not
passes at the lab's speed.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web
from multidict import CIMultiDict

from infra.lab.forwarding import CONNECT_TIMEOUT_S, REQUEST_LIMIT, ElbError, Forwarded, target_session, to_function, to_instance
from infra.lab.lab_time import LabTime
from infra.lab.lambda_lane import InvokeResult
from infra.lab.live.front.counts import Tally
from infra.lab.live.front.followed import Delayed, Snapshot
from infra.lab.live.front.groups import Group, Target
from infra.lab.live.front.listeners import FixedResponse, Listener, Redirect
from infra.lab.live.front.roster import Roster
from infra.lab.live.ports import Addresses
from infra.lab.target_events import alb_event, end_to_end, forwarded_headers

VALID_HEADER = re.compile(r"[A-Za-z0-9-]+")
REQUEST_LINE_LIMIT, REQUEST_HEADER_LIMIT = 16 * 1024, 16 * 1024
GONE = 460
"""The caller closed its connection before it was answered; counted, never sent."""


log = logging.getLogger("crossover.lab")


class Functions(Protocol):
    """What invokes a Lambda target."""

    async def invoke(self, arn: str, event: bytes) -> InvokeResult: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What all nodes share."""

    lab_time: LabTime
    roster: Roster
    addresses: Addresses
    functions: Functions
    tally: Tally


class Node:
    """One of a load balancer's nodes. `lag_s`: how late it learns of a change, in lab seconds."""

    def __init__(self, around: Around, first: Snapshot, *, lag_s: float, seed: int) -> None:
        self._around = around
        self._view = Delayed(first)
        self.lag_s = lag_s
        self._rng = random.Random(seed)
        self._turns: Counter[str] = Counter()
        self._outstanding: Counter[tuple[str, Target]] = Counter()
        self._in_flight: dict[tuple[str, Target], set[asyncio.Timeout]] = {}
        self._session = target_session(first.listener.idle_timeout_s)
        self._server = _Server(
            self._serve,
            tally=around.tally,
            request_factory=_request,
            access_log=None,
            keepalive_timeout=first.listener.idle_timeout_s,
            auto_decompress=False,
            max_line_size=REQUEST_LINE_LIMIT,
            max_field_size=REQUEST_HEADER_LIMIT,
        )
        self._runner = web.ServerRunner(self._server, shutdown_timeout=1.0)

    async def start(self, listening: socket.socket) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    @property
    def connections(self) -> int:
        """Of callers, and to instances with a request on them, open now."""
        return len(self._server.connections) + self._outstanding.total()

    def learn(self, snapshot: Snapshot, read_at: float) -> None:
        self._view.learn(snapshot, read_at + self.lag_s)

    def cut_off(self, arn: str, target: Target, in_s: float) -> None:
        """End in so many real seconds what is in flight at a target whose deregistration delay is over."""
        end = asyncio.get_running_loop().time() + in_s
        for deadline in self._in_flight.pop((arn, target), set()):
            deadline.reschedule(end)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        tally, now = self._around.tally, self._around.lab_time.now()
        view = self._view.at(now)
        if request.method == "TRACE":
            tally.now.elb_statuses[405] += 1
            return ElbError(405)
        action = view.listener.action(request)
        if isinstance(action, FixedResponse):
            tally.now.fixed_responses += 1
            return web.Response(status=action.status, text=action.body, content_type=action.content_type)
        if isinstance(action, Redirect):
            tally.now.redirects += 1
            location = action.location(request, view.listener.protocol, view.listener.port)
            return web.Response(status=action.status, headers={"Location": location, "Server": "awselb/2.0"})
        arn = action.choose(self._rng)
        group = None if arn is None else view.groups.get(arn)
        target = None if group is None else self._choose(group, now)
        if group is None or target is None:
            tally.now.elb_statuses[503] += 1
            return ElbError(503)
        forwarded = await self._forward(request, view.listener, group, target)
        if isinstance(error := forwarded.response, ElbError):
            log.info("%d for %s at %s: %s", error.status, request.path, target.id, error.detail or error.because)
        if request.transport is None or request.transport.is_closing():
            tally.now.elb_statuses[GONE] += 1
        tally.now.answered(group.arn, forwarded)
        if group.kind == "lambda":
            tally.now.functions_size += forwarded.size
        return forwarded.response

    def _choose(self, group: Group, now: float) -> Target | None:
        """By the group's algorithm; None where no target is registered."""
        candidates = self._around.roster.candidates(group, now, self.lag_s)
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        if group.algorithm == "weighted_random":
            return self._rng.choice(candidates)
        if group.algorithm == "least_outstanding_requests":
            fewest = min(self._outstanding[group.arn, target] for target in candidates)
            return self._rng.choice([t for t in candidates if self._outstanding[group.arn, t] == fewest])
        for _ in candidates:
            self._turns[group.arn] += 1
            target = candidates[self._turns[group.arn] % len(candidates)]
            share = self._around.roster.share(group, target, now)
            if share >= 1.0 or self._rng.random() < share:
                return target
        return target

    async def _forward(self, request: web.BaseRequest, listener: Listener, group: Group, target: Target) -> Forwarded:
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        body = await request.read() if request.body_exists else b""
        own = forwarded_headers(request, listener.port, listener.protocol.lower())
        headers = _valid(request.headers) if listener.drop_invalid_headers else request.headers
        if group.kind == "lambda":
            return await self._to_function(request, group, target, headers, own, body)
        sent = end_to_end(headers)
        sent.update(own)
        return await self._to_instance(request, group, target, sent, body)

    async def _to_function(
        self,
        request: web.BaseRequest,
        group: Group,
        target: Target,
        headers: Mapping[str, str],
        own: Mapping[str, str],
        body: bytes,
    ) -> Forwarded:
        several, head = group.multi_value_headers, request.method == "HEAD"
        event = alb_event(request, body, own, multi_value=several, headers=headers, target_group=group.arn)
        functions = self._around.functions
        return await to_function(lambda e: functions.invoke(target.id, e), event, body, multi_value=several, head=head)

    async def _to_instance(
        self, request: web.BaseRequest, group: Group, target: Target, headers: CIMultiDict[str], body: bytes
    ) -> Forwarded:
        around, key = self._around, (group.arn, target)
        address = (target.id, target.port) if group.kind == "ip" else around.addresses.address(target.id, target.port)
        self._outstanding[key] += 1
        in_flight = self._in_flight.setdefault(key, set())
        try:
            async with asyncio.timeout(None) as deadline:
                in_flight.add(deadline)
                if address is None:  # nobody is there to refuse the connection
                    await asyncio.sleep(around.lab_time.real_s(CONNECT_TIMEOUT_S))
                    return Forwarded(ElbError(504, "connect", "no machine at its address"), None)
                return await to_instance(self._session, request, f"http://{address[0]}:{address[1]}", headers, body)
        except TimeoutError:
            return Forwarded(ElbError(502, detail="its deregistration delay is over"), None)
        finally:
            in_flight.discard(deadline)
            self._outstanding[key] -= 1


class _Server(web.Server):
    """Counts the connections that callers open."""

    def __init__(self, *arguments: Any, tally: Tally, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._tally = tally

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        self._tally.now.new_connections += 1
        super().connection_made(handler, transport)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    return web.BaseRequest(message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=REQUEST_LIMIT)


def _valid(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Without those whose names have other characters than letters, digits and hyphens, which `drop_invalid_header_fields`
    drops."""
    return CIMultiDict((name, value) for name, value in headers.items() if VALID_HEADER.fullmatch(name))
