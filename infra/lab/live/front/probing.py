"""Asks each registered target whether it is well, as often as its group says, and tells elbv2's double what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

import aiohttp

from infra.lab.lab_time import LabTime
from infra.lab.live.front.groups import Group, HealthCheck, Target
from infra.lab.live.front.health import Result
from infra.lab.live.front.roster import Roster
from infra.lab.live.ports import Addresses

LEAST_TIMEOUT_S = 1.0
LEAST_INTERVAL_S = 0.05
AGENT = "ELB-HealthChecker/2.0"


class Prober:
    """Checks what the roster has, each target in a task of its own. A check is a real request: where the lab's time is fast, it
    still gets a second of real time, or a busy machine would look like a broken target."""

    def __init__(
        self, roster: Roster, addresses: Addresses, lab_time: LabTime, *, least_timeout_s: float = LEAST_TIMEOUT_S
    ) -> None:
        self._roster, self._addresses, self._time = roster, addresses, lab_time
        self._least_timeout_s = least_timeout_s
        self._tasks: dict[tuple[str, Target], asyncio.Task[None]] = {}
        self.changed = asyncio.Event()
        """Set when what is told of a target has changed."""

    async def __aenter__(self) -> Prober:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)  # "the node closes the connection" after each check
        self._session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": AGENT})
        self.follow()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        await self._session.close()

    def follow(self) -> None:
        """Begin with targets that are new in the roster and end with those that have left."""
        checked = {(group.arn, target) for group, _, target in self._roster.checked()}
        for key in self._tasks.keys() - checked:
            self._tasks.pop(key).cancel()
        for arn, target in checked - self._tasks.keys():
            self._tasks[arn, target] = asyncio.create_task(self._watch(arn, target))
        self.changed.set()

    async def _watch(self, arn: str, target: Target) -> None:
        loop = asyncio.get_running_loop()
        while True:
            settings = next(((g, c) for g, c, t in self._roster.checked() if g.arn == arn and t == target), None)
            if settings is None:
                return
            group, check = settings
            started = loop.time()
            result = await self._probe(group, check, target)
            if self._roster.result(arn, target, result, self._time.now()):
                self.changed.set()
            interval_s = max(LEAST_INTERVAL_S, self._time.real_s(check.interval_s))
            await asyncio.sleep(max(0.0, started + interval_s - loop.time()))

    async def _probe(self, group: Group, check: HealthCheck, target: Target) -> Result:
        port = check.port or target.port
        address = (target.id, port) if group.kind == "ip" else self._addresses.address(target.id, port)
        if address is None:
            await asyncio.sleep(self._time.real_s(check.timeout_s))
            return Result(timed_out=True)
        limit_s = max(self._time.real_s(check.timeout_s), min(check.timeout_s, self._least_timeout_s))
        url = f"http://{address[0]}:{address[1]}{check.path}"
        try:
            async with asyncio.timeout(limit_s), self._session.get(url, allow_redirects=False) as answer:
                return Result(answer.status)
        except TimeoutError:
            return Result(timed_out=True)
        except aiohttp.ClientError:
            return Result()


async def tell_health(
    roster: Roster, changed: asyncio.Event, aws_url: str, *, every_s: float, problem: Callable[[str], None] = lambda _: None
) -> None:
    """Until cancelled: `PUT /_lab/target-health` whenever something has changed, at most every so many real seconds, and again
    until it is taken. The same problem is told once in a row."""
    last = ""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        while True:
            await changed.wait()
            changed.clear()
            wrong = await _told(session, f"{aws_url}/_lab/target-health", roster.told())
            if wrong:
                changed.set()
            if wrong != last and wrong:
                problem(f"target health was not taken: {wrong}")
            last = wrong
            await asyncio.sleep(every_s)


async def _told(session: aiohttp.ClientSession, url: str, what: object) -> str:
    """What was wrong with it, empty where it was taken."""
    try:
        async with session.put(url, json=what) as answer:
            return "" if answer.status < 300 else f"{answer.status} {await answer.text()}"
    except (TimeoutError, aiohttp.ClientError) as error:
        return repr(error)
