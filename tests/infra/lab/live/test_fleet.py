"""Instances of a group in moto come up from the deployed user data and bundle, serve, fail, leave and are gone, in earnest."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from infra.bundle import Bundle
from infra.lab.lab_time import LabTime
from infra.lab.live.boots import BootDelay, BootFault
from infra.lab.live.faults import Faults
from infra.lab.live.fleet import Fleet, FleetOptions
from infra.lab.live.instance import State
from tests.conftest import ROOT, descendants_with, require_program
from tests.fakes import future_search
from tests.infra.lab.live.stage import Stage, stage_in_moto

pytestmark = pytest.mark.slow

SPEED = 20.0
FAST = BootDelay(4.0, 4.0)


@pytest.fixture
def stage(local_bundle: Bundle) -> Iterator[Stage]:
    require_program("curl")
    with stage_in_moto(local_bundle) as stage:
        yield stage


@asynccontextmanager
async def fleet_of(stage: Stage, suppliers_url: str = "http://127.0.0.1:9") -> AsyncIterator[Fleet]:
    options = FleetOptions(delay=FAST, look_s=0.2, environment={"CROSSOVER_SUPPLIERS_URL": suppliers_url})
    async with Fleet(stage.group, stage.client, stage.url, LabTime(SPEED), options) as fleet:
        yield fleet


async def until(condition: Callable[[], bool], limit_s: float = 30, what: Callable[[], str] = lambda: "") -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f"not in time: {what()}"
        await asyncio.sleep(0.05)


async def serving(fleet: Fleet, count: int) -> list[str]:
    """Ids of the instances that serve, once there are so many."""

    def found() -> list[str]:
        return [each for each, instance in fleet.instances.items() if instance.state is State.SERVING]

    def said() -> str:
        return "\n".join(f"{each} {instance.state}\n{instance.console()}" for each, instance in fleet.instances.items())

    await until(lambda: len(found()) == count or State.FAILED in {each.state for each in fleet.instances.values()}, 60, said)
    assert len(found()) == count, said()
    return found()


def url(fleet: Fleet, stage: Stage, instance_id: str) -> str:
    address = fleet.address(instance_id, stage.port)
    assert address is not None
    return f"http://{address[0]}:{address[1]}"


async def test_an_instance_comes_up_as_deployed_and_its_figures_reach_cloudwatch(
    stage: Stage, shared_simulator_url: str
) -> None:
    stage.deploy(1)
    async with fleet_of(stage, shared_simulator_url) as fleet, aiohttp.ClientSession() as session:
        (one,) = await serving(fleet, 1)
        base = url(fleet, stage, one)
        assert base.startswith("http://127.") and not base.startswith("http://127.0.0.1:")
        assert stage.group.running == [one]
        assert stage.group.completed == [("boot", one, "CONTINUE")]
        async with session.get(f"{base}/healthz") as answer:
            assert answer.status == 200
        async with session.get(f"{base}/version") as answer:
            version = await answer.json()
        assert (version["lane"], version["bundle_sha256"]) == ("container", stage.bundle.sha256)
        async with session.get(base + future_search()) as answer:
            assert (answer.status, (await answer.json())["complete"]) == (200, True)
        for namespace, metric in [
            ("Crossover", "EventLoopBusy"),
            ("Crossover", "EventLoopLagP99"),
            ("AWS/EC2", "CPUUtilization"),
        ]:
            await until(lambda n=namespace, m=metric: len(stage.samples(n, m)) >= 2, 20, lambda m=metric: m)  # type: ignore[misc]
            assert all(0 <= value <= 100 for value in stage.samples("AWS/EC2", "CPUUtilization"))


class Callers:
    """Keep-alive callers of one instance, as a load balancer has them: a connection is used until it is told to close."""

    def __init__(self, base: str) -> None:
        self.seen: Counter[str] = Counter()
        self._base = base
        self._halted = asyncio.Event()
        self._tasks = [asyncio.create_task(self._call(path)) for path in ("/version", "/healthz", "/version", future_search())]

    async def _call(self, path: str) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            while not self._halted.is_set():
                try:
                    async with session.get(self._base + path) as answer:
                        await answer.read()
                        self.seen[f"{answer.status}, {answer.headers.get('connection', 'kept')}"] += 1
                except (aiohttp.ClientError, TimeoutError) as error:
                    self.seen[type(error).__name__] += 1
                await asyncio.sleep(0.005)

    async def halt(self) -> None:
        self._halted.set()
        await asyncio.gather(*self._tasks)


async def test_scaling_in_and_a_spot_notice_lose_no_request_and_end_the_instance(
    stage: Stage, shared_simulator_url: str
) -> None:
    stage.deploy(2)
    async with fleet_of(stage, shared_simulator_url) as fleet:
        first, second = await serving(fleet, 2)
        assert stage.targets() == {first, second}
        callers = Callers(url(fleet, stage, first))
        await until(lambda: callers.seen["200, kept"] > 50)
        stage.group.scale_in(first)
        await until(lambda: first not in stage.targets())
        await asyncio.sleep(17 / SPEED)  # so long a load balancer goes on
        await callers.halt()
        assert set(callers.seen) == {"200, kept", "200, close"}, callers.seen
        await until(lambda: ("drain", first, "CONTINUE") in stage.group.completed)
        await until(lambda: fleet.address(first, stage.port) is None and first not in fleet.instances)
        machine = fleet.instance(second).machine
        Faults(fleet).interrupt(second)
        await until(lambda: stage.targets() == set())
        await until(lambda: machine.off and machine.groups() == set(), 120 / SPEED + 2)


async def test_an_instance_is_frozen_thawed_crashed_and_killed(stage: Stage) -> None:
    stage.deploy(1)
    async with fleet_of(stage) as fleet, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as session:
        (one,) = await serving(fleet, 1)
        base, faults = url(fleet, stage, one), Faults(fleet)
        health = f"{base}/healthz"
        async with session.get(health) as answer:
            assert answer.status == 200
        faults.freeze(one)
        with pytest.raises(TimeoutError):
            await session.get(health)
        faults.thaw(one)
        async with session.get(health) as answer:
            assert answer.status == 200
        faults.crash(one)
        instance = fleet.instance(one)
        before = instance.machine.groups()

        async def healthy() -> bool:
            try:
                async with session.get(health) as answer:
                    return answer.status == 200
            except (aiohttp.ClientError, TimeoutError):
                return False

        await until(lambda: instance.machine.groups() != before and len(instance.machine.groups()) == 2, 20)
        end = time.monotonic() + 20
        while not await healthy():
            assert time.monotonic() < end, instance.console()
            await asyncio.sleep(0.1)
        await faults.kill(one, noticed=False)
        assert fleet.address(one, stage.port) is None
        assert instance.machine.groups() == set()
        assert stage.group.look()[one].state == "running", "nobody has noticed"
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(health)


@pytest.mark.parametrize("fault", [BootFault.WRONG_DIGEST, BootFault.NO_PACKAGES, BootFault.WRONG_SETTING])
async def test_an_instance_that_fails_to_boot_says_so_and_is_abandoned(stage: Stage, fault: BootFault) -> None:
    stage.deploy(1)
    async with fleet_of(stage) as fleet:
        Faults(fleet).fail_boots(1, fault)
        await until(lambda: len(stage.group.completed) == 1)
        ((hook, _, result),) = stage.group.completed
        assert (hook, result) == ("boot", "ABANDON")
        assert stage.samples("Crossover", "BootFailures") == [1.0]
        await until(lambda: fleet.instances == {})


def test_nothing_outlives_a_lab_that_is_killed_not_even_what_is_frozen(stage: Stage) -> None:
    stage.deploy(1)
    command = [sys.executable, "-m", "tests.infra.lab.live.forsaken", stage.url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as lab:
        assert lab.stdout is not None
        folder = Path(lab.stdout.readline().strip())
        try:
            assert len(descendants_with(folder.name)) >= 3, "supervisor, worker, agent"
            lab.kill()
            lab.wait()
            end = time.monotonic() + 5
            while descendants_with(folder.name) and time.monotonic() < end:
                time.sleep(0.05)
            assert descendants_with(folder.name) == []
        finally:
            shutil.rmtree(folder)
