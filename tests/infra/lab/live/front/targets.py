"""Small real targets for a load balancer's tests, and snapshots that lead to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from infra.lab.lab_time import LabTime
from infra.lab.lambda_lane import InvokeResult
from infra.lab.live.front.followed import Snapshot
from infra.lab.live.front.groups import Group, HealthCheck, Target
from infra.lab.live.front.listeners import Action, Condition, Forward, Listener, Rule

PREFIX = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
BALANCER = f"{PREFIX}:loadbalancer/app/prod/0123456789abcdef"
ONE, TWO, FUNCTION = (f"{PREFIX}:targetgroup/{name}/0123456789abcdef" for name in ("one", "two", "function"))
CHECK = HealthCheck(path="/readyz", interval_s=10, timeout_s=5, healthy_after=2, unhealthy_after=3)


@dataclass
class Served:
    """A target that answers with its name. `/slow` waits for `let_go`, `/reset` breaks the connection, `/error` is 500."""

    name: str
    url: str = ""
    port: int = 0
    requests: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    ready: int = 200
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/readyz":
            return web.Response(status=self.ready)
        self.requests.append(request.path)
        self.headers.append(dict(request.headers))
        if request.path == "/reset":
            assert request.transport is not None
            request.transport.abort()
        if request.path == "/slow":
            await self.let_go.wait()
        return web.Response(status=500 if request.path == "/error" else 200, text=self.name)


@asynccontextmanager
async def serving(name: str) -> AsyncIterator[Served]:
    served = Served(name)
    runner = web.ServerRunner(web.Server(served.handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.port = runner.addresses[0][1]
    served.url = f"http://127.0.0.1:{served.port}"
    try:
        yield served
    finally:
        served.let_go.set()
        await runner.cleanup()
        await asyncio.sleep(0.01)  # the loop closes sockets in its next turns


async def until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait for what must come, however slow the machine is."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


@dataclass(frozen=True)
class HandTime(LabTime):
    """A clock that is moved by hand; what takes lab seconds goes a hundred times faster."""

    speed: float = 100.0
    moments: list[float] = field(default_factory=lambda: [1_000_000.0])

    def now(self) -> float:
        return self.moments[-1]

    def pass_by(self, lab_s: float) -> None:
        self.moments.append(self.moments[-1] + lab_s)


@dataclass
class Instances:
    """Where instances are, by id; others are nowhere."""

    ports: dict[str, int] = field(default_factory=dict)

    def address(self, instance_id: str, port: int) -> tuple[str, int] | None:
        found = self.ports.get(instance_id)
        return None if found is None else ("127.0.0.1", found)


@dataclass
class FunctionDouble:
    """Answers every event with its answer, noting what it was asked."""

    answer: InvokeResult = field(
        default_factory=lambda: InvokeResult("1", 200, b'{"statusCode": 200, "body": "function"}', 5.0, 5, None, None)
    )
    events: list[bytes] = field(default_factory=list)

    async def invoke(self, arn: str, event: bytes) -> InvokeResult:
        self.events.append(event)
        return self.answer


def snapshot(
    weights: Mapping[str, int],
    members: Mapping[str, Sequence[str]],
    *,
    rules: Sequence[tuple[Sequence[Condition], Action]] = (),
    check: HealthCheck | None = None,
    algorithm: str = "round_robin",
    delay_s: float = 60.0,
    slow_start_s: float = 0.0,
    drop_invalid_headers: bool = True,
    idle_timeout_s: float = 60.0,
) -> Snapshot:
    """One that splits by weight after the rules given; targets are named by their ids."""
    before = tuple(Rule(tuple(conditions), action) for conditions, action in rules)
    split = Rule((), Forward(tuple(weights.items())))
    groups = {
        arn: Group(
            arn=arn,
            kind="lambda" if arn == FUNCTION else "instance",
            port=80,
            health=None if arn == FUNCTION else check,
            algorithm=algorithm,
            deregistration_delay_s=delay_s,
            slow_start_s=slow_start_s,
        )
        for arn in members
    }
    return Snapshot(
        Listener(BALANCER, "listener", "HTTP", 80, (*before, split), idle_timeout_s, drop_invalid_headers),
        groups,
        {arn: frozenset(Target(id, 0 if arn == FUNCTION else 80) for id in ids) for arn, ids in members.items()},
    )
