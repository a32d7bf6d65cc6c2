"""One instance of the group: a root folder, an address, a metadata service, and what user data makes of them.

    starting -> booting -> serving          (user data has ended well)
                       \\-> failed           (it has not; the group is told, and ends the instance)
    any -> off                              (terminated, killed, or its power is gone)

User data is the deployed one and runs under bash with `CROSSOVER_ROOT`, then the boot program of the bundle that it fetches and
verifies, then the units that this program writes. What the lab changes of them: changes.py.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from aiohttp import web

from infra.bundle import find_interpreter
from infra.lab.lab_time import LabTime
from infra.lab.live.instances.aws_command import AwsCommand
from infra.lab.live.instances.boots import BootFault
from infra.lab.live.instances.bundles import Bundles, Client
from infra.lab.live.instances.changes import Changes
from infra.lab.live.instances.group import Group, Launched
from infra.lab.live.instances.keeper import Keeper
from infra.lab.live.instances.machine import Machine
from infra.lab.live.instances.programs import BIN, UNPACK, Programs
from infra.lab.live.instances.systemd import LOGS, Systemd
from infra.lab.metadata_service import NOTICE, InstanceMetadata
from instance.units import SERVICE

IDENTITY, USER_DATA, CONSOLE = "var/lib/cloud/data/instance-id", "var/lib/cloud/instance/user-data.txt", "cloud-init-output.log"
REFUSED_SETTING: Mapping[str, str | None] = {"CROSSOVER_DEADLINE_MS": "soon"}

log = logging.getLogger("crossover.lab")


class State(StrEnum):
    STARTING = "starting"
    BOOTING = "booting"
    SERVING = "serving"
    FAILED = "failed"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all instances of a fleet share. `environment` goes over what is deployed of the service's; `None` takes a variable
    away. `python` runs the lab's own small programs."""

    folder: Path
    python: Path
    clock: LabTime
    group: str
    aws_url: str
    client: Client
    bundles: Bundles
    keeper: Keeper
    vcpus: int
    environment: Mapping[str, str | None]


class Instance:
    """`start` is called once; `power_off` ends it at any time. `fault` is what will keep it from serving, if anything."""

    def __init__(self, instance_id: str, address: str, around: Surroundings, fault: BootFault | None = None) -> None:
        self.instance_id = instance_id
        self.address = address
        self.state = State.STARTING
        self.metadata = InstanceMetadata(instance_id, group=around.group)
        self.root = around.folder / instance_id
        self.machine = Machine(around.keeper, vcpus=around.vcpus)
        self._around = around
        self._fault = fault
        self._warned = False
        self._booting: asyncio.Task[None] | None = None
        refused = REFUSED_SETTING if fault is BootFault.WRONG_SETTING else {}
        self._changes = changes = Changes(self.root, address, around.clock, around.aws_url, {**around.environment, **refused})
        self._web = web.ServerRunner(web.Server(self._answer, access_log=None))
        self.systemd = Systemd(
            self.root, self.machine, adapt=changes.of_unit, additions=changes.for_unit, confined=lambda unit: unit != SERVICE
        )
        aws = AwsCommand(around.client, around.bundles, fault)
        programs = {"aws": aws.run, "dnf": self._dnf, "systemctl": self.systemd.systemctl, UNPACK: self._unpack}
        self._programs = Programs(self.root, around.python, programs)

    def follow(self, told: Launched) -> None:
        """What EC2 and the group say of it now."""
        if told.lifecycle_state is not None:
            self.metadata.target_state = target_state(told.lifecycle_state)
        if told.ends_at is not None:
            self._announce_end(told.ends_at)

    def _announce_end(self, ends_at: float) -> None:
        """A rebalance recommendation as soon as the end is certain, the notice two lab minutes before it."""
        now = self._around.clock.now()
        if not self._warned:
            self._warned = True
            self.metadata.recommend_rebalance(at=datetime.fromtimestamp(now, UTC))
        if now >= ends_at - NOTICE.total_seconds():
            self.metadata.interrupt(at=datetime.fromtimestamp(ends_at, UTC))

    def start(self, delay_s: float, group: Group) -> None:
        """The machine starts within `delay_s` lab seconds, which EC2 is told, and runs its user data to the end."""
        self._booting = asyncio.create_task(self._boot(delay_s, group))

    async def _boot(self, delay_s: float, group: Group) -> None:
        try:
            await self._run_user_data(delay_s, group)
        except Exception:
            log.exception("%s does not boot: the lab's own trouble", self.instance_id)
            self.state = State.FAILED

    async def _run_user_data(self, delay_s: float, group: Group) -> None:
        await self._prepare()
        await asyncio.sleep(self._around.clock.real_s(delay_s))
        if self._fault is BootFault.HANGS:
            return
        await asyncio.to_thread(group.tell_running, self.instance_id)
        user_data = await asyncio.to_thread(group.user_data, self.instance_id)
        self.state = State.BOOTING
        script = self.root / USER_DATA
        script.write_text(user_data)
        child = await self.machine.start(
            ["bash", str(script)],
            env=self._changes.for_user_data(),
            cwd=self.root,
            log=self.root / LOGS / CONSOLE,
            confined=True,
        )
        code = await self.machine.ended(child, kill_after_s=0)
        self.state = State.SERVING if code == 0 else State.FAILED
        log.info("%s is %s", self.instance_id, self.state)

    async def power_off(self) -> None:
        self.state = State.OFF
        if self._booting is not None:
            self._booting.cancel()
            await asyncio.gather(self._booting, return_exceptions=True)
        await self.machine.cut_power()
        self.systemd.close()
        self._programs.close()
        await self._web.cleanup()

    def crash(self) -> None:
        """The service's supervisor is killed; systemd goes on from there."""
        pid = self.systemd.pid(SERVICE)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def console(self) -> str:
        """What the boot has said, and the service and the agent after it: `journalctl` of an instance."""
        logs = sorted((self.root / LOGS).glob("*.log"), key=lambda file: file.stat().st_mtime)
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')}" for file in logs)

    async def _prepare(self) -> None:
        for file in (IDENTITY, USER_DATA, f"{LOGS}/{CONSOLE}", "etc/systemd/system/any", f"{BIN}/any"):
            (self.root / file).parent.mkdir(parents=True, exist_ok=True)
        (self.root / IDENTITY).write_text(f"{self.instance_id}\n")
        await self._web.setup()
        await web.TCPSite(self._web, self.address, 0).start()
        host, port = self._web.addresses[0][:2]
        self._changes.metadata_url = f"http://{host}:{port}"
        await self._programs.open()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, text = self.metadata.answer(request.method, request.path, headers)
        return web.Response(status=status, text=text)

    async def _dnf(self, arguments: Sequence[str]) -> tuple[int, str]:
        """Python is what there is to be installed, of the version that is on this machine."""
        package = arguments[-1]
        if self._fault is BootFault.NO_PACKAGES:
            return 1, "Error: Failed to download metadata for repo 'amazonlinux': Cannot prepare internal mirrorlist"
        interpreter = await asyncio.to_thread(find_interpreter, package.removeprefix("python"))
        if not package.startswith("python") or interpreter is None:
            return 1, f"No match for argument: {package}"
        self._programs.add_python(package, interpreter)
        return 0, ""

    async def _unpack(self, arguments: Sequence[str]) -> tuple[int, str]:
        archive, into = map(Path, arguments)
        return await self._around.bundles.unpack(archive, into, self._around.python)


def target_state(lifecycle_state: str) -> str:
    """What the metadata service says the instance is on its way to, of the group's word for where it is (Amazon EC2 Auto
    Scaling User Guide, "Retrieve the target lifecycle state through instance metadata")."""
    beginnings = {
        "Pending": "InService",
        "Terminat": "Terminated",
        "EnteringStandby": "Standby",
        "Standby": "Standby",
        "Detach": "Detached",
    }
    return next((target for beginning, target in beginnings.items() if lifecycle_state.startswith(beginning)), "InService")
