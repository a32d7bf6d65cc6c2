"""Instances lose their machines under load, for real: `python -m app.serve`, `python -m instance.agent`, the metadata service's
double, AWS's double, and a load balancer that goes on sending. No request may fail.

The times of docs/instances.md are scaled down by 15: a lame-duck phase of 3 s for 45 s, a leak of 17 s, a health check of 10 s.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path

import httpx
import pytest

from app.serving.worker import MOVE_ON_S
from infra.lab.metadata_service import MetadataService
from infra.lab.processes import Child, minimal_environment, spawn
from infra.lab.queries import search_paths
from instance.units import DRAIN_FILE, LAME_DUCK_S
from tests.conftest import ROOT
from tests.instance.balancer import Balancer
from tests.instance.doubles import GROUP, Aws, aws, settings_in

pytestmark = pytest.mark.slow

SCALE = 15
LAME_DUCK = LAME_DUCK_S // SCALE
LEAK_S = 17 / SCALE
HEALTH_S = 10 / SCALE
LOOK_S = 0.2
CALLERS, SEARCHERS = 8, 2
SEARCH_MS = 250


class Machine:
    """An instance: its service, its agent, its metadata service, and what systemd does of it (crossover-drain.path)."""

    def __init__(self, name: str, root: Path, metadata: MetadataService, cloud: Aws, simulator_url: str) -> None:
        self.name = name
        self.root = root
        self.metadata = metadata
        self.drain_file = root / DRAIN_FILE.lstrip("/")
        self.drain_file.parent.mkdir(parents=True)
        self.port = 0
        self.service: Child | None = None
        self.agent: Child | None = None
        self.noticed_at = self.told_at = self.gone_at = 0.0
        self._cloud = cloud
        self._simulator_url = simulator_url

    async def start(self) -> None:
        env = {"CROSSOVER_SUPPLIERS_URL": self._simulator_url, "CROSSOVER_LANE": "container", "PYTHONPATH": str(ROOT)}
        env["CROSSOVER_ADMISSION"] = "off"  # what a busy machine makes it refuse is not lost by leaving
        command = [sys.executable, "-m", "app.serve", "--port", "0", "--lame-duck-s", str(LAME_DUCK)]
        log = self.root / "service.log"
        self.service = await spawn(command, env=minimal_environment(env), cwd=ROOT, log=log, read_stdout=True)
        self.port = int((await self.service.first_line(30)).rpartition(":")[2])
        settings_in(self.root, port=self.port, workers_per_vcpu=1)
        await self.start_agent()

    async def start_agent(self) -> None:
        env = minimal_environment({"PYTHONPATH": str(ROOT), **self._cloud.environment(self.metadata)})
        command = [sys.executable, "-m", "instance.agent", "--root", self.root, "--look-s", LOOK_S, "--publish-s", "1"]
        self.agent = await spawn([str(part) for part in command], env=env, cwd=ROOT, log=self.root / "agent.log")

    async def be_systemd(self) -> None:
        """Stop the service when the agent says so: SIGTERM to every process, and a look at when it has ended."""
        assert self.service is not None
        while not self.drain_file.exists():
            await asyncio.sleep(0.02)
        self.told_at = time.monotonic()
        os.killpg(self.service.pid, signal.SIGTERM)
        assert await self.service.wait() == 0
        self.gone_at = time.monotonic()

    def interrupt(self) -> None:
        self.noticed_at = time.monotonic()
        self.metadata.interrupt()

    async def stop(self) -> None:
        for child in (self.agent, self.service):
            if child is not None:
                await child.kill()


class Fleet:
    def __init__(self, machines: list[Machine], cloud: Aws, balancer: Balancer) -> None:
        self.machines = machines
        self.cloud = cloud
        self.balancer = balancer

    def completed(self) -> list[str]:
        return sorted(call["InstanceId"] for call in self.cloud.called("CompleteLifecycleAction"))

    def report(self, what: str) -> None:
        seen = self.balancer.seen
        left = [machine for machine in self.machines if machine.gone_at]
        gone = ", ".join(f"{machine.gone_at - machine.noticed_at:.1f}" for machine in left)
        print(
            f"\n{what}: {seen['200']} answered, {seen['late, told to close']} of them by leaving instances after T+0, "
            f"{failures(self.balancer)} failed; services gone at T+{gone} s; slowest answer {self.balancer.slowest_ms:.0f} ms"
        )


def failures(balancer: Balancer) -> dict[str, int]:
    return {what: count for what, count in balancer.seen.items() if what != "200" and not what.startswith("late")}


async def until(condition: Callable[[], bool], limit_s: float = 20) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "not in time"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def fleet(count: int, folder: Path, simulator_url: str) -> AsyncIterator[Fleet]:
    """So many machines behind the load balancer, with callers that never pause for long."""
    async with AsyncExitStack() as stack:
        cloud = stack.enter_context(aws())
        machines = []
        for number in range(count):
            name = f"i-{number:017x}"
            (folder / name).mkdir()
            metadata = stack.enter_context(MetadataService(name, group=GROUP))
            machines.append(Machine(name, folder / name, metadata, cloud, simulator_url))
            stack.push_async_callback(machines[-1].stop)
        await asyncio.gather(*(machine.start() for machine in machines))
        balancer = Balancer({machine.name: machine.port for machine in machines}, leak_s=LEAK_S)
        stack.callback(balancer.close)
        cloud.on_call["DeregisterTargets"] = lambda call: balancer.deregister(call["Targets.member.1.Id"])
        searches = search_paths(["LON", "PAR", "NYC"], seed=3, today=date(2027, 1, 1))

        async def call(path: Callable[[], str]) -> None:
            while not balancer.halted:
                await balancer.request(path())
                await asyncio.sleep(0.005)

        stops = [asyncio.create_task(machine.be_systemd()) for machine in machines]
        calls = [asyncio.create_task(balancer.check_health(HEALTH_S))]
        calls += [asyncio.create_task(call(lambda: "/version")) for _ in range(CALLERS)]
        calls += [asyncio.create_task(call(lambda: next(searches))) for _ in range(SEARCHERS)]
        try:
            yield Fleet(machines, cloud, balancer)
        finally:
            balancer.halted = True
            await asyncio.gather(*calls)
            for task in stops:
                task.cancel()
            await asyncio.gather(*stops, return_exceptions=True)


@pytest.fixture
def slow_suppliers(simulator_url: str) -> str:
    """Searches take long enough to be in flight at any moment."""
    httpx.put(f"{simulator_url}/_sim/latency", content=f"fixed:{SEARCH_MS}").raise_for_status()
    return simulator_url


async def test_a_pool_that_is_lost_at_once_loses_no_request(tmp_path: Path, slow_suppliers: str) -> None:
    """The usual case: instances of the same type and zone get their notice together. Three of four go."""
    async with fleet(4, tmp_path, slow_suppliers) as at:
        leaving, staying = at.machines[:3], at.machines[3]
        await asyncio.sleep(1)
        for machine in leaving:
            machine.interrupt()
        await until(lambda: all(at.balancer.out(machine.name) for machine in leaving))
        await until(lambda: all(machine.told_at for machine in leaving))
        await asyncio.sleep(0.3)
        async with httpx.AsyncClient() as client:
            readiness = await client.get(f"http://127.0.0.1:{leaving[0].port}/readyz")
        assert (readiness.status_code, readiness.headers["connection"]) == (503, "close")
        await until(lambda: all(machine.gone_at for machine in leaving))
        assert at.completed() == [], "the group has not begun to end them"
        for machine in leaving:
            machine.metadata.target_state = "Terminated"
        await until(lambda: len(at.completed()) == 3)
        assert at.completed() == [machine.name for machine in leaving]
        before = at.balancer.seen["200"]
        await until(lambda: at.balancer.seen["200"] > before + 20)
        at.report("pool lost, 3 of 4 instances")
        assert failures(at.balancer) == {}
        assert at.balancer.seen["late, told to close"] > 20
        assert not at.balancer.out(staying.name)
        for machine in leaving:
            assert machine.told_at - machine.noticed_at < 4, "at once"
            assert LAME_DUCK + MOVE_ON_S <= machine.gone_at - machine.told_at < LAME_DUCK + MOVE_ON_S + 8


async def test_without_the_load_balancers_api_and_with_an_agent_that_dies_no_request_is_lost_either(
    tmp_path: Path, slow_suppliers: str
) -> None:
    async with fleet(2, tmp_path, slow_suppliers) as at:
        leaving, staying = at.machines
        at.cloud.refusals["DeregisterTargets"] = ("AccessDenied", "not allowed")
        await asyncio.sleep(1)
        leaving.noticed_at = time.monotonic()
        leaving.metadata.target_state = "Terminated"
        await until(lambda: leaving.told_at > 0)
        assert leaving.agent is not None
        await leaving.agent.kill()
        await leaving.start_agent()
        assert not at.balancer.out(leaving.name), "only its health check can take it out"
        await until(lambda: at.balancer.out(leaving.name))
        await until(lambda: leaving.gone_at > 0)
        await until(lambda: at.completed() == [leaving.name])
        at.report("API of the load balancer refused, agent killed")
        assert failures(at.balancer) == {}
        assert not at.balancer.out(staying.name)
        assert "going on with a departure that began" in (leaving.root / "agent.log").read_text()
