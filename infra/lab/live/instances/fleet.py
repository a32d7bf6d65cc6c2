"""The instance manager: an instance runs here for each that the autoscaling group has in the local AWS, and ends with it.

It looks at the group again and again, as nothing tells it of changes, and once a lab minute it publishes what CPU the instances
have used. Faults: infra/lab/live/instances/faults.py.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import tempfile
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.errors import KitError
from infra.lab.lab_time import LabTime
from infra.lab.live.instances.addresses import Network
from infra.lab.live.instances.boots import BootDelay, BootFault
from infra.lab.live.instances.bundles import Bundles, Client
from infra.lab.live.instances.group import Group, Launched
from infra.lab.live.instances.instance import Instance, State, Surroundings
from infra.lab.live.instances.keeper import Keeper
from infra.lab.live.instances.process_table import CpuMeter
from infra.lab.parts import Parts

CPU_PERIOD_S = 60.0
"""Lab seconds: the launch template asks for detailed monitoring."""

log = logging.getLogger("crossover.lab")


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOptions:
    """`look_s` (real seconds) lies between looks at the group. An instance has `vcpus`, and so the service as many workers as
    the stage wants for them. `environment` goes over what is deployed of the service's: where its suppliers are, for one;
    `None` takes a variable away."""

    delay: BootDelay = field(default_factory=BootDelay)
    look_s: float = 0.5
    vcpus: int = 1
    environment: Mapping[str, str | None] = field(default_factory=dict)
    seed: int = 7


class Fleet(Parts):
    """An async context manager. Answers `infra.lab.live.ports.Addresses`. `instances` are those whose machines are there, and
    those that EC2 still believes to be."""

    def __init__(self, group: Group, client: Client, aws_url: str, clock: LabTime, options: FleetOptions | None = None) -> None:
        super().__init__()
        self.group = group
        self.clock = clock
        self.options = options or FleetOptions()
        self.instances: dict[str, Instance] = {}
        self.launched: Mapping[str, Launched] = {}
        self.boot_faults: deque[BootFault] = deque()
        """Of the next instances to start, one each."""

        self.environment: dict[str, str | None] = dict(self.options.environment)
        """Of the service on instances that start from now on."""

        self._client = client
        self._aws_url = aws_url
        self._chance = random.Random(self.options.seed)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ending: set[Instance] = set()
        self._meter = CpuMeter()

    async def _start(self) -> None:
        folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="crossover-fleet-", ignore_cleanup_errors=True))
        )
        self._folder = folder
        self._bundles = Bundles(folder, self._client)
        self._keeper = self._stack.enter_context(Keeper())
        self._network = self._stack.enter_context(Network())
        self._stack.push_async_callback(self._end)
        self._begin(self._follow())
        self._begin(self._publish_cpu())

    def address(self, instance_id: str, port: int) -> tuple[str, int] | None:
        """`Addresses`: what an instance does not serve (yet) is refused; a machine that is not on takes no packets."""
        instance = self.instances.get(instance_id)
        on = instance is not None and instance.state is not State.STARTING and not instance.machine.off
        return (instance.address, port) if instance is not None and on else None

    def instance(self, instance_id: str) -> Instance:
        """Raises `KitError` where there is none of this id."""
        found = self.instances.get(instance_id)
        if found is None:
            raise KitError(
                f"{instance_id}: no such instance in {self.group.name}; there are {', '.join(sorted(self.instances)) or 'none'}"
            )
        return found

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """In the background, until the fleet ends. What goes wrong is told in the log."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("in the fleet of %s: %s", self.group.name, error, exc_info=error)

    async def _end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(instance.power_off() for instance in {*self.instances.values(), *self._ending}))

    async def _follow(self) -> None:
        failing = False
        while True:
            try:
                self.launched = await asyncio.to_thread(self.group.look)
                self._reconcile(self.launched)
                failing = False
            except Exception as error:  # of boto3, moto, the network: tried again in a moment
                if not failing:
                    log.error("the group cannot be followed: %s", error)
                failing = True
            await asyncio.sleep(self.options.look_s)

    def _reconcile(self, launched: Mapping[str, Launched]) -> None:
        for instance_id in [known for known in self.instances if known not in launched]:
            instance = self.instances.pop(instance_id)
            self._ending.add(instance)
            log.info("%s is terminated", instance_id)
            self._begin(self._bury(instance))
        for instance_id, told in launched.items():
            known = self.instances.get(instance_id)
            if known is not None:
                known.follow(told)
            elif told.lifecycle_state is not None:
                self._launch(told)

    def _launch(self, told: Launched) -> None:
        fault = self.boot_faults.popleft() if self.boot_faults else None
        instance = Instance(told.instance_id, self._network.take(told.private_ip), self._around(), fault)
        self.instances[told.instance_id] = instance
        instance.follow(told)
        log.info("%s (%s, %s) starts at %s", told.instance_id, told.instance_type, told.zone, instance.address)
        instance.start(self.options.delay.draw(self._chance), self.group)

    async def _bury(self, instance: Instance) -> None:
        await instance.power_off()
        self._ending.discard(instance)
        self._network.give_back(instance.address)

    def _around(self) -> Surroundings:
        return Surroundings(
            folder=self._folder,
            python=Path(getattr(sys, "_base_executable", sys.executable)),
            clock=self.clock,
            group=self.group.name,
            aws_url=self._aws_url,
            client=self._client,
            bundles=self._bundles,
            keeper=self._keeper,
            vcpus=self.options.vcpus,
            environment=dict(self.environment),
        )

    async def _publish_cpu(self) -> None:
        """CPU time of all processes of an instance, of what its vCPUs could have given in the same time."""
        period_s = self.clock.real_s(CPU_PERIOD_S)
        self._cpu_percents(period_s)
        while True:
            await asyncio.sleep(period_s)
            percents = self._cpu_percents(period_s)
            if percents:
                try:
                    await asyncio.to_thread(self.group.publish_cpu, percents)
                except Exception as error:
                    log.error("CPUUtilization is not published: %s", error)

    def _cpu_percents(self, period_s: float) -> list[float]:
        running = [each for each in self.instances.values() if each.state not in (State.STARTING, State.OFF)]
        used = self._meter.since_last({group for instance in running for group in instance.machine.groups()})
        return [
            min(100.0, 100 * sum(used.get(group, 0.0) for group in each.machine.groups()) / (period_s * each.machine.vcpus))
            for each in running
        ]
