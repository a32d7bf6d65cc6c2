"""One instance of the group: a root folder, an address, a metadata service, and what user data makes of them.

    starting -> booting -> serving          (user data has ended well)
                       \\-> failed           (it has not; the group is told, and ends the instance)
    any -> off                              (terminated, killed, or its power is gone)

User data is the deployed one and runs under bash with `CROSSOVER_ROOT`, then the boot program of the bundle that it fetches and
verifies, then the units that this program writes. What the lab changes is in `_in_lab` and `_additions`, and no more: the
address, the times that pass faster in the lab, and settings of the service that the lab is given.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from aiohttp import web

from infra.bundle import find_interpreter
from infra.lab.lab_time import LabTime
from infra.lab.live.aws_command import AwsCommand
from infra.lab.live.boots import BootFault
from infra.lab.live.bundles import Bundles, Client
from infra.lab.live.group import Group, Launched
from infra.lab.live.keeper import Keeper
from infra.lab.live.machine import Machine
from infra.lab.live.programs import BIN, UNPACK, Programs
from infra.lab.live.systemd import LOGS, Systemd
from infra.lab.live.unit_file import Unit
from infra.lab.metadata_service import InstanceMetadata
from instance.agent import LOOK_S, PUBLISH_S
from instance.departure import GONE_BY_S
from instance.settings import SERVICE_HOST
from instance.units import AGENT, SECRETS, SERVICE

RETRY_PAUSE_S = 5.0
"""Of user data, between its attempts (infra/components/boot/boot.sh)."""

SHORTEST_LOOK_S, SHORTEST_PUBLISH_S = 0.5, 1.0
"""Real seconds: of a very fast lab's agents, which must not need the machine for themselves."""

IDENTITY, USER_DATA, CONSOLE = "var/lib/cloud/data/instance-id", "var/lib/cloud/instance/user-data.txt", "cloud-init-output.log"
REFUSED_SETTING = {"CROSSOVER_DEADLINE_MS": "soon"}

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
        self._metadata_url = ""
        self._booting: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._web = web.ServerRunner(web.Server(self._answer))
        self.systemd = Systemd(self.root, self.machine, adapt=self._in_lab, additions=self._additions)
        aws = AwsCommand(around.client, around.bundles, fault)
        programs = {"aws": aws.run, "dnf": self._dnf, "systemctl": self.systemd.systemctl, UNPACK: self._unpack}
        self._programs = Programs(self.root, around.python, programs)

    def follow(self, told: Launched) -> None:
        """What EC2 and the group say of it now."""
        if told.lifecycle_state is not None:
            self.metadata.target_state = target_state(told.lifecycle_state)
        if told.state == "shutting-down" and self._ending is None:
            self._ending = asyncio.create_task(self._shut_down())

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
            ["bash", str(script)], env=self._boot_environment(), cwd=self.root, log=self.root / LOGS / CONSOLE
        )
        code = await self.machine.ended(child, kill_after_s=0)
        self.state = State.SERVING if code == 0 else State.FAILED
        log.info("%s is %s", self.instance_id, self.state)

    async def _shut_down(self) -> None:
        """EC2 ends it in good order: its services are stopped, each with the time that it has for it."""
        await self.systemd.shut_down()
        await self.machine.cut_power()

    async def power_off(self) -> None:
        self.state = State.OFF
        tasks = [task for task in (self._booting, self._ending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
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
        self._metadata_url = f"http://{host}:{port}"
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
        interpreter = await asyncio.to_thread(_interpreter, package.removeprefix("python"))
        if not package.startswith("python") or interpreter is None:
            return 1, f"No match for argument: {package}"
        self._programs.add_python(package, interpreter)
        return 0, ""

    async def _unpack(self, arguments: Sequence[str]) -> tuple[int, str]:
        archive, into = map(Path, arguments)
        return await self._around.bundles.unpack(archive, into, self._around.python)

    def _boot_environment(self) -> dict[str, str]:
        return {
            **self._for_aws(),
            "PATH": f"{self.root / BIN}:/usr/bin:/bin",
            "CROSSOVER_ROOT": str(self.root),
            "CROSSOVER_RETRY_PAUSE_S": f"{self._around.clock.real_s(RETRY_PAUSE_S):.3f}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _for_aws(self) -> dict[str, str]:
        """What the boot program and the agent must be told, where on an instance the defaults are right."""
        return {
            "AWS_ENDPOINT_URL": self._around.aws_url,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self._metadata_url,
            SERVICE_HOST: self.address,
        }

    def _additions(self, unit: str) -> Mapping[str, str | None]:
        """To a unit's environment."""
        always: dict[str, str | None] = {"PATH": f"{self.root / BIN}:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
        if unit in (AGENT, SECRETS):
            return {**always, **self._for_aws()}
        # The lab's network is loopback: that is where the load balancer's word on the caller's address comes from.
        always |= {"FORWARDED_ALLOW_IPS": "127.0.0.0/8", **self._around.environment}
        return {**always, **(REFUSED_SETTING if self._fault is BootFault.WRONG_SETTING else {})}

    def _in_lab(self, unit: Unit) -> Unit:
        """The address, and times that pass faster. What the service needs to finish requests in flight does not."""
        real_s = self._around.clock.real_s
        if unit.name == AGENT:
            more = {
                "--root": "/",  # as every path in a unit, below the instance's
                "--look-s": f"{max(SHORTEST_LOOK_S, real_s(LOOK_S)):g}",
                "--publish-s": f"{max(SHORTEST_PUBLISH_S, real_s(PUBLISH_S)):g}",
                "--gone-by-s": f"{real_s(GONE_BY_S):g}",
            }
            return replace(unit, command=(*unit.command, *(word for pair in more.items() for word in pair)))
        if unit.name != SERVICE:
            return unit
        words = list(unit.command)
        words[words.index("--host") + 1] = self.address
        at = words.index("--lame-duck-s") + 1
        deployed_s = int(words[at])
        lame_duck_s = math.ceil(real_s(deployed_s))  # it takes whole seconds
        words[at] = str(lame_duck_s)
        return replace(unit, command=tuple(words), stop_s=unit.stop_s - deployed_s + lame_duck_s)


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


@functools.cache
def _interpreter(version: str) -> Path | None:
    return find_interpreter(version)
