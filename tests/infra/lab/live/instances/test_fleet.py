"""Instances of a group in the local AWS come up from the deployed user data and bundle, serve, fail, leave and are gone, in
earnest. The lab's time passes 20 times faster."""

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
import psutil
import pytest

from infra.bundle import Bundle
from infra.errors import InputError, KitError
from infra.lab.live.instances.boots import BootDelay, BootFault
from infra.lab.live.instances.faults import NOTICE_S, Faults
from infra.lab.live.instances.fleet import Fleet, FleetOptions
from infra.lab.live.instances.instance import Instance, State
from infra.lab.live.ports import Addresses
from instance.units import SERVICE
from tests.conftest import ROOT, descendants_with, require_program
from tests.fakes import future_search
from tests.infra.lab.aws.live_aws import REGION, local_aws
from tests.infra.lab.live.front.stage import TYPE, Region, Stage, stage_of

pytestmark = pytest.mark.slow

SPEED = 20.0
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def region(local_bundle: Bundle) -> Iterator[Region]:
    require_program("curl")
    with local_aws(live=True, speed=SPEED) as aws:
        yield Region(aws, local_bundle)


@pytest.fixture
def stage(region: Region) -> Iterator[Stage]:
    with stage_of(region) as stage:
        yield stage


@asynccontextmanager
async def fleet_of(stage: Stage, suppliers_url: str = NOWHERE) -> AsyncIterator[Fleet]:
    environment = {"CROSSOVER_SUPPLIERS_URL": suppliers_url}
    options = FleetOptions(delay=BootDelay(4.0, 4.0), look_s=0.2, environment=environment)
    async with Fleet(stage.group, stage.region.client, stage.region.aws.url, stage.region.aws.time, options) as fleet:
        yield fleet


async def until(condition: Callable[[], object], limit_s: float = 30, said: Callable[[], str] = lambda: "") -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f"not in time: {said()}"
        await asyncio.sleep(0.05)


async def serving(fleet: Fleet, stage: Stage, count: int) -> list[Instance]:
    """The instances that serve, once there are so many and the group has put them into service."""

    def said() -> str:
        return "\n".join(f"{each} {instance.state}\n{instance.console()}" for each, instance in fleet.instances.items())

    def found() -> list[Instance]:
        states = {instance.state for instance in fleet.instances.values()}
        assert State.FAILED not in states, said()
        return [instance for instance in fleet.instances.values() if instance.state is State.SERVING]

    await until(lambda: len(found()) == count, 90, said)
    assert [stage.states()[instance.instance_id] for instance in found()] == ["InService"] * count
    return found()


def url(addresses: Addresses, stage: Stage, instance_id: str) -> str:
    address = addresses.address(instance_id, stage.port)
    assert address is not None
    return f"http://{address[0]}:{address[1]}"


async def status(session: aiohttp.ClientSession, address: str) -> int | str:
    """Of the answer, or the name of what came instead of one."""
    try:
        async with session.get(address) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__


async def test_an_instance_comes_up_as_deployed_tells_its_figures_and_dies_in_many_ways(
    stage: Stage, shared_simulator_url: str
) -> None:
    stage.deploy(1)
    short = aiohttp.ClientTimeout(total=1)
    async with fleet_of(stage, shared_simulator_url) as fleet, aiohttp.ClientSession() as session:
        (one,) = await serving(fleet, stage, 1)
        base, faults = url(fleet, stage, one.instance_id), Faults(fleet)
        assert base.startswith("http://127.") and not base.startswith("http://127.0.0.1:")
        assert await status(session, f"{base}/healthz") == 200
        async with session.get(f"{base}/version") as answer:
            version = await answer.json()
        assert (version["lane"], version["bundle_sha256"]) == ("container", stage.region.bundle.sha256)
        async with session.get(base + future_search()) as answer:
            assert (answer.status, (await answer.json())["complete"]) == (200, True)
        for namespace, metric in [
            ("Crossover", "EventLoopBusy"),
            ("Crossover", "EventLoopLagP99"),
            ("AWS/EC2", "CPUUtilization"),
        ]:
            await until(lambda n=namespace, m=metric: stage.figures(n, m)[0] >= 2, 20, lambda m=metric: m)  # type: ignore[misc]
        count, total = stage.figures("AWS/EC2", "CPUUtilization")
        assert 0 < total <= 100 * count

        async with aiohttp.ClientSession(timeout=short) as impatient:
            faults.freeze(one.instance_id)
            assert await status(impatient, f"{base}/healthz") == "TimeoutError"
            faults.thaw(one.instance_id)
        assert await status(session, f"{base}/healthz") == 200

        before = one.machine.groups()
        faults.crash(one.instance_id)
        await until(lambda: one.machine.groups() != before and len(one.machine.groups()) == len(before))
        end = time.monotonic() + 30
        while await status(session, f"{base}/healthz") != 200:
            assert time.monotonic() < end, one.console()
            await asyncio.sleep(0.1)

        for share in (0, 1.1):
            with pytest.raises(InputError, match=f"^share {share:g}: must be above 0 and at most 1$"):
                faults.slow_down(one.instance_id, share)
        with pytest.raises(KitError, match=rf"^i-0: no such instance in {stage.name}; there are {one.instance_id}$"):
            faults.freeze("i-0")
        with pytest.raises(KitError, match=f"does not reclaim {one.instance_id}: .* is on demand"):
            await faults.interrupt(one.instance_id)
        await faults.kill(one.instance_id, noticed=False)
        assert fleet.address(one.instance_id, stage.port) is None and one.machine.groups() == set()
        assert stage.group.look()[one.instance_id].state == "running", "nobody has noticed"
        assert await status(session, f"{base}/healthz") == "ClientConnectorError"
        faults.misconfigure({"CROSSOVER_SUPPLIERS_URL": NOWHERE})
        await faults.kill(one.instance_id)
        await until(lambda: one.instance_id not in fleet.instances)
        (other,) = await serving(fleet, stage, 1)
        base = url(fleet, stage, other.instance_id)
        assert (await status(session, f"{base}/readyz"), await status(session, base + future_search())) == (200, 503)


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


async def test_scaling_in_and_a_lost_spot_pool_lose_no_request_and_end_the_instances(
    stage: Stage, shared_simulator_url: str
) -> None:
    stage.deploy(2, on_demand=50, secret={"CROSSOVER_MARKUP_PERCENT": "9", "CROSSOVER_LANE": "the environment wins"})
    async with fleet_of(stage, shared_simulator_url) as fleet:
        instances = await serving(fleet, stage, 2)
        spot = next(each for each in instances if fleet.launched[each.instance_id].spot)
        steady = next(each for each in instances if each is not spot)
        pid = spot.systemd.pid(SERVICE)
        assert pid is not None
        read = psutil.Process(pid).environ()
        assert (read["CROSSOVER_MARKUP_PERCENT"], read["CROSSOVER_LANE"]) == ("9", "container")
        assert stage.targets() == {spot.instance_id, steady.instance_id}
        faults = Faults(fleet)
        with pytest.raises(InputError, match=rf"no spot instance is a m7g.large in .*; there are {TYPE} in {REGION}a$"):
            await faults.reclaim_pool("m7g.large", f"{REGION}a")

        callers = {each.instance_id: Callers(url(fleet, stage, each.instance_id)) for each in instances}
        await until(lambda: all(each.seen["200, kept"] > 50 for each in callers.values()))
        stage.scale_in(steady.instance_id)
        assert await faults.reclaim_pool(TYPE, f"{REGION}a") == [spot.instance_id]
        noticed = time.monotonic()
        await until(lambda: stage.targets() == set())
        await asyncio.sleep(17 / SPEED)  # so long a load balancer goes on
        for each in callers.values():
            await each.halt()
            assert set(each.seen) == {"200, kept", "200, close"}, each.seen
        seen = sum((each.seen for each in callers.values()), Counter())
        print(f"\nscaled in and interrupted: {seen['200, kept']} answered, {seen['200, close']} more on the way out, 0 lost")

        await until(lambda: f"told {stage.name}: CONTINUE" in steady.console(), 30, steady.console)
        await until(lambda: steady.instance_id not in fleet.instances and steady.machine.groups() == set())
        assert "leaving: its group terminates it" in steady.console()
        await until(lambda: spot.machine.off and spot.machine.groups() == set(), 30)
        assert time.monotonic() - noticed > 0.9 * NOTICE_S / SPEED - 1
        assert "leaving: spot interruption (terminate at " in spot.console()
        assert "rebalance recommendation" in spot.console()
        assert fleet.address(spot.instance_id, stage.port) is None


async def test_instances_that_fail_to_boot_say_why_and_are_abandoned(stage: Stage) -> None:
    said = {
        BootFault.WRONG_DIGEST: f"deployed is {stage.region.bundle.sha256}",
        BootFault.NO_PACKAGES: "cannot be installed",
        BootFault.WRONG_SETTING: "the service refuses its settings",
    }
    async with fleet_of(stage) as fleet:
        for fault in said:
            Faults(fleet).fail_boots(1, fault)
        Faults(fleet).fail_boots(20, BootFault.HANGS)  # those that the group launches in their place
        stage.deploy(3)
        await until(lambda: len(fleet.instances) >= 3)
        first = list(fleet.instances.values())[:3]
        await until(lambda: {each.state for each in first} == {State.FAILED}, 60, lambda: "\n".join(e.console() for e in first))
        for instance, words in zip(first, said.values(), strict=True):
            assert words in instance.console()
        states = stage.states()
        assert all((states.get(each.instance_id) or "Terminating").startswith("Terminating") for each in first), states
        assert stage.figures("Crossover", "BootFailures") == (3, 3.0)


def test_nothing_outlives_a_lab_that_is_killed_not_even_what_is_frozen(stage: Stage) -> None:
    stage.deploy(1)
    command = [sys.executable, "-m", "tests.infra.lab.live.instances.forsaken", stage.region.aws.url, stage.name]
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
