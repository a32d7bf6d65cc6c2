"""As much of systemd as an instance's units need: they are read where the boot program has written them, and do here what they
do there (infra/lab/live/instances/unit_file.py says what of them is understood).

Absolute paths in a unit are below the instance's root folder, as everything of the instance is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.errors import KitError
from infra.lab.live.instances.machine import Machine
from infra.lab.live.instances.unit_file import Unit, put_in, read_environment_file, read_unit
from infra.lab.processes import Child

UNITS = "etc/systemd/system"
LOGS = "var/log"
LOOK_S = 0.1
"""Between looks for the file that a path unit waits for; systemd is told by the kernel at once."""

CANNOT_EXECUTE = 203
"""EXIT_EXEC of systemd.exec(5)."""

log = logging.getLogger("crossover.lab")


class Service:
    """A service unit: started, started anew when it ends by itself, stopped."""

    def __init__(
        self, unit: Unit, root: Path, machine: Machine, additions: Mapping[str, str | None], *, confined: bool
    ) -> None:
        self._unit = unit
        self._root = root
        self._machine = machine
        self._additions = additions
        self._confined = confined
        self._child: Child | None = None
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self.failed = False
        self.active = False

    async def start(self) -> None:
        """Until it runs; a oneshot, until it has ended."""
        if self.active:
            return
        self._stop.clear()
        self.failed, self.active = False, True
        if self._unit.oneshot:
            code = await self._once()
            self.failed, self.active = code != 0, code == 0  # those of the instance all have RemainAfterExit=yes
        else:
            await self._spawn()
            self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """SIGTERM to every process, SIGKILL to those that are left when the time is up."""
        self._stop.set()
        if self._child is not None:
            self._child.tell(signal.SIGTERM)
        if self._task is not None:
            done, _ = await asyncio.wait([self._task], timeout=self._unit.stop_s)
            if not done and self._child is not None:
                log.warning("%s does not stop; it is killed", self._unit.name)
                await self._child.kill()
                await asyncio.wait([self._task])
        self.active = False

    @property
    def pid(self) -> int | None:
        """Of its main process, while that runs."""
        return self._child.pid if self._child is not None and self._child.alive else None

    async def _once(self) -> int:
        await self._spawn()
        return CANNOT_EXECUTE if self._child is None else await self._machine.ended(self._child, kill_after_s=self._unit.stop_s)

    async def _keep(self) -> None:
        unit = self._unit
        while True:
            code = CANNOT_EXECUTE
            if self._child is not None:
                code = await self._machine.ended(self._child, kill_after_s=unit.stop_s)
            if self._stop.is_set() or self._machine.off:
                break
            log.info("%s of %s has ended with %d", unit.name, self._root.name, code)
            if unit.restart_s is None or code in unit.final_codes:
                self.failed = code != 0
                break
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), unit.restart_s)
                break
            await self._spawn()
        self.active = False

    async def _spawn(self) -> None:
        unit, root = self._unit, self._root
        for name in unit.runtime_directories:
            (root / "run" / name).mkdir(parents=True, exist_ok=True)
        self._child = None
        try:
            env = self._environment()
            self._child = await self._machine.start(
                [below(root, put_in(word, env)) for word in unit.command],
                env=env,
                cwd=Path(below(root, unit.directory)),
                log=root / LOGS / f"{unit.name}.log",
                confined=self._confined,
            )
        except OSError as error:
            log.warning("%s of %s cannot be started: %s", unit.name, root.name, error)

    def _environment(self) -> dict[str, str]:
        values: dict[str, str | None] = {**self._unit.environment}
        for file in self._unit.environment_files:
            values |= read_environment_file(Path(below(self._root, file)).read_bytes().decode())
        values |= self._additions
        return {name: value for name, value in values.items() if value is not None}


class Systemd:
    """`systemctl` is the program of that name. `adapt` is what the lab changes of a unit, `additions` what it sets in the
    environment of one by name, where `None` takes a variable away. Who is `confined` sees the instance's CPUs and no others."""

    def __init__(
        self,
        root: Path,
        machine: Machine,
        *,
        adapt: Callable[[Unit], Unit],
        additions: Callable[[str], Mapping[str, str | None]],
        confined: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._root = root
        self._machine = machine
        self._adapt = adapt
        self._additions = additions
        self._confined = confined
        self._units: dict[str, Unit] = {}
        self._services: dict[str, Service] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def systemctl(self, arguments: Sequence[str]) -> tuple[int, str]:
        """Exit code and what it says. Knows what the boot program and the units ask of it, and no more."""
        verb, options = arguments[0], {word for word in arguments[1:] if word.startswith("-")}
        names = [word for word in arguments[1:] if not word.startswith("-")]
        try:
            if verb == "daemon-reload":
                self._load()
            elif verb == "is-failed":
                return (0 if all(name in self._services and self._services[name].failed for name in names) else 1), ""
            elif verb == "start" or (verb == "enable" and "--now" in options):
                await self._each(self.start, names, blocking="--no-block" not in options)
            elif verb == "stop":
                await self._each(self.stop, names, blocking="--no-block" not in options)
            else:
                return 1, f"the lab's systemctl does not know {' '.join(arguments)!r}"
        except KitError as error:
            return 1, str(error)
        return 0, ""

    async def start(self, name: str) -> None:
        unit = self._unit(name)
        for required in unit.requires:
            await self.start(required)
            if self._services[required].failed:
                raise KitError(f"{name}: {required} has failed")
        if unit.path is not None:
            self._begin(self._wait_for(unit.path, name.removesuffix(".path") + ".service"))
        elif unit.command[0].endswith("/systemctl"):
            await self.systemctl(unit.command[1:])
        else:
            if name not in self._services:
                additions, confined = self._additions(name), self._confined(name)
                self._services[name] = Service(unit, self._root, self._machine, additions, confined=confined)
            await self._services[name].start()

    async def stop(self, name: str) -> None:
        if name in self._services:
            await self._services[name].stop()

    def pid(self, name: str) -> int | None:
        """Of a service's main process, while that runs."""
        return self._services[name].pid if name in self._services else None

    def close(self) -> None:
        """Once the machine is off."""
        for task in self._tasks:
            task.cancel()

    def _load(self) -> None:
        files = (file for file in (self._root / UNITS).iterdir() if file.suffix in (".service", ".path"))
        self._units = {file.name: self._adapt(read_unit(file)) for file in files}

    def _unit(self, name: str) -> Unit:
        if name not in self._units:
            raise KitError(f"Unit {name} not found.")
        return self._units[name]

    async def _each(self, act: Callable[[str], Coroutine[Any, Any, None]], names: list[str], *, blocking: bool) -> None:
        for name in names:
            self._unit(name)
            if blocking:
                await act(name)
            else:
                self._begin(act(name))

    async def _wait_for(self, path: str, name: str) -> None:
        while not os.path.exists(below(self._root, path)):  # noqa: ASYNC110, ASYNC240, PTH110 (one look, every LOOK_S)
            await asyncio.sleep(LOOK_S)
        await self.start(name)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("systemd of %s: %s", self._root.name, error)


def below(root: Path, word: str) -> str:
    """An absolute path as the instance sees it, where it is on this machine; any other word as it is."""
    return str(root / word.lstrip("/")) if word.startswith("/") else word
