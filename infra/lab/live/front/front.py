"""The front of a live stage, wired: what elbv2 and Lambda were told is followed, served, checked and published."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.lab.lab_time import LabTime
from infra.lab.live.front.balancer import LAGS_S, LiveBalancer
from infra.lab.live.front.counts import Tally
from infra.lab.live.front.followed import Followed, Reader, Snapshot
from infra.lab.live.front.function_code import Versions
from infra.lab.live.front.functions import MOST_ENVIRONMENTS, LiveFunctions
from infra.lab.live.front.node import Around
from infra.lab.live.front.probing import LEAST_TIMEOUT_S, Prober, tell_health
from infra.lab.live.front.publisher import Publisher
from infra.lab.live.front.roster import LEAK_S, Roster
from infra.lab.live.ports import Addresses
from infra.lab.parts import Parts

FOLLOW_EVERY_S = 0.5
FUNCTIONS_EVERY_S = 1.0
REPEATED_AFTER_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontSettings:
    """`lags_s` (one for each node) and `leak_s` are lab seconds. How often is read and `least_timeout_s` are real ones, being
    about this machine: a reading of elbv2 or of a function costs it some 20 ms. `additions` are variables that the lab puts
    into every function. Port 0 takes a free one."""

    load_balancer: str
    folder: Path
    listener_port: int | None = None
    port: int = 0
    lags_s: tuple[float, ...] = LAGS_S
    leak_s: float = LEAK_S
    follow_every_s: float = FOLLOW_EVERY_S
    functions_every_s: float = FUNCTIONS_EVERY_S
    least_timeout_s: float = LEAST_TIMEOUT_S
    most_environments: int = MOST_ENVIRONMENTS
    additions: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0


class LiveFront(Parts):
    """An async context manager; `url` is where callers' requests go. `client` makes boto3's clients of the local AWS, whose
    address is `aws_url`; `problem` is told in one line of what could not be read or told."""

    def __init__(
        self,
        settings: FrontSettings,
        *,
        client: Callable[[str], Any],
        aws_url: str,
        addresses: Addresses,
        lab_time: LabTime,
        problem: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self._settings, self._client, self._aws_url = settings, client, aws_url
        self._addresses, self._time, self._problem = addresses, lab_time, _now_and_then(problem)
        self.tally = Tally()

    roster: Roster
    balancer: LiveBalancer
    functions: LiveFunctions
    prober: Prober

    @property
    def url(self) -> str:
        return self.balancer.url

    async def _start(self) -> None:
        settings, enter = self._settings, self._stack.enter_async_context
        reader = Reader(self._client("elbv2"), settings.load_balancer, listener_port=settings.listener_port)
        followed = Followed(reader, every_s=settings.follow_every_s, problem=self._problem)
        first = await followed.first()
        self.roster = Roster(first, leak_s=settings.leak_s)
        self.functions = await enter(self._functions())
        self._follow_functions(first)
        around = Around(
            lab_time=self._time, roster=self.roster, addresses=self._addresses, functions=self.functions, tally=self.tally
        )
        self.balancer = await enter(LiveBalancer(around, first, lags_s=settings.lags_s, port=settings.port, seed=settings.seed))
        self.prober = await enter(Prober(self.roster, self._addresses, self._time, least_timeout_s=settings.least_timeout_s))
        changed = self.prober.changed
        self._run(followed.follow(first, self._learn))
        self._run(self.functions.run(settings.functions_every_s))
        self._run(tell_health(self.roster, changed, self._aws_url, every_s=0.1, problem=self._problem))
        self._run(self._let_go())
        self._run(self._publisher(first).run())

    def _functions(self) -> LiveFunctions:
        settings = self._settings
        versions = Versions(self._client("lambda"), settings.folder, settings.additions)
        return LiveFunctions(
            self._client("lambda"),
            versions,
            self.tally,
            aws_url=self._aws_url,
            most_environments=settings.most_environments,
            problem=self._problem,
        )

    def _publisher(self, first: Snapshot) -> Publisher:
        name = first.listener.load_balancer.partition("loadbalancer/")[2]
        return Publisher(self._client("cloudwatch"), self.tally, self._time, name, sample=self._sample, problem=self._problem)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(end)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """None of them ends by itself but by a mistake of ours, which must not pass in silence."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._problem(f"{task.get_coro().__qualname__} ended: {error!r}")  # type: ignore[union-attr]

    def _learn(self, snapshot: Snapshot) -> None:
        self._follow_functions(snapshot)
        self.balancer.learn(snapshot, self._time.now())
        self.prober.follow()

    async def _let_go(self) -> None:
        while True:
            await asyncio.sleep(max(0.02, self._time.real_s(1.0)))
            gone = self.balancer.let_go(self._time.now())
            for target in gone:
                if target.id not in self._invoked:
                    await self.functions.forget(target.id)
            if gone:
                self.prober.changed.set()

    def _sample(self) -> None:
        """What CloudWatch is told of hosts and connections, as they are now."""
        counts = self.tally.now
        for arn, (healthy, unhealthy) in self.roster.hosts().items():
            group = counts.group(arn)
            group.healthy[float(healthy)] += 1
            group.unhealthy[float(unhealthy)] += 1
        counts.most_connections = max(counts.most_connections, self.balancer.connections)

    def _follow_functions(self, snapshot: Snapshot) -> None:
        of = snapshot.members.items()
        self._invoked = {t.id for arn, members in of if snapshot.groups[arn].kind == "lambda" for t in members}
        self.functions.follow(self._invoked)


def _now_and_then(problem: Callable[[str], None]) -> Callable[[str], None]:
    """What is wrong at each reading is told once in `REPEATED_AFTER_S` real seconds."""
    told: dict[str, float] = {}

    def tell(line: str) -> None:
        now = time.monotonic()
        if now - told.get(line, -math.inf) >= REPEATED_AFTER_S:
            told[line] = now
            problem(line)

    return tell
