"""Units run here as they do under systemd: started anew, stopped with all their processes, by a file, by what they require."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from infra.lab.live.instances.keeper import Keeper
from infra.lab.live.instances.machine import Machine
from infra.lab.live.instances.process_table import has_members
from infra.lab.live.instances.systemd import LOGS, UNITS, Systemd

WAITING = "trap 'echo told >>{log}; exit 0' TERM; echo began >>{log}; while :; do sleep 0.05; done"


async def until(condition: Callable[[], bool], limit_s: float = 10) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "not in time"
        await asyncio.sleep(0.02)


class Instance:
    def __init__(self, root: Path, machine: Machine) -> None:
        self.root = root
        self.machine = machine
        self.additions: dict[str, str | None] = {}
        self.systemd = Systemd(root, machine, adapt=lambda unit: unit, additions=lambda _: self.additions)
        self.log = root / "said"
        for folder in (UNITS, LOGS, "bin"):
            (root / folder).mkdir(parents=True)
        (root / "bin/sh").symlink_to("/bin/sh")

    def unit(self, name: str, script: str, *more: str) -> None:
        """A service of a shell's `script`, in which `{log}` is the file that `said` reads."""
        program = self.root / "bin" / f"{name}.sh"
        program.write_text(script.format(log=self.log))
        lines = ["[Service]", f"ExecStart=/bin/sh /bin/{name}.sh", *more]
        (self.root / UNITS / name).write_text("\n".join(lines) + "\n")

    def said(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []

    async def systemctl(self, *arguments: str) -> tuple[int, str]:
        return await self.systemd.systemctl(arguments)


@pytest.fixture
async def instance(tmp_path: Path) -> AsyncIterator[Instance]:
    with Keeper() as keeper:
        machine = Machine(keeper, vcpus=1)
        instance = Instance(tmp_path, machine)
        yield instance
        await machine.cut_power()
        instance.systemd.close()
        assert machine.groups() == set()


async def test_a_service_that_ends_is_started_anew_and_one_that_is_stopped_is_not(instance: Instance) -> None:
    instance.unit("a.service", WAITING, "Restart=always", "RestartSec=0.05")
    await instance.systemctl("daemon-reload")
    assert await instance.systemctl("enable", "--now", "a.service") == (0, "")
    await until(lambda: instance.said() == ["began"])
    pid = instance.systemd.pid("a.service")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: instance.said() == ["began", "began"])
    assert await instance.systemctl("stop", "a.service") == (0, "")
    assert instance.said() == ["began", "began", "told"]
    await asyncio.sleep(0.2)
    assert instance.said()[-1] == "told"
    assert instance.systemd.pid("a.service") is None


async def test_an_exit_code_that_prevents_a_restart_is_a_failure(instance: Instance) -> None:
    instance.unit("a.service", "echo began >>{log}; exit 2", "Restart=always", "RestartSec=0", "RestartPreventExitStatus=2")
    await instance.systemctl("daemon-reload")
    await instance.systemctl("enable", "--now", "a.service")
    for _ in range(100):
        if await instance.systemctl("is-failed", "--quiet", "a.service") == (0, ""):
            break
        await asyncio.sleep(0.02)
    else:
        raise AssertionError("it has not failed")
    assert instance.said() == ["began"]


async def test_whoever_does_not_go_when_told_is_killed_when_the_time_is_up(instance: Instance) -> None:
    instance.unit("a.service", "trap '' TERM; echo began >>{log}; while :; do sleep 0.05; done", "TimeoutStopSec=0.3")
    await instance.systemctl("daemon-reload")
    await instance.systemctl("start", "a.service")
    await until(lambda: instance.said() == ["began"])
    (group,) = instance.machine.groups()
    began = time.monotonic()
    await instance.systemctl("stop", "a.service")
    assert 0.3 <= time.monotonic() - began < 2
    assert not has_members(group)


async def test_processes_that_outlive_their_service_go_with_it(instance: Instance) -> None:
    instance.unit("a.service", "sleep 60 & echo $! >>{log}; exit 0")
    await instance.systemctl("daemon-reload")
    await instance.systemctl("start", "a.service")
    await until(lambda: len(instance.said()) == 1 and instance.machine.groups() == set())
    left = int(instance.said()[0])
    with contextlib.suppress(ProcessLookupError):
        os.kill(left, 0)
        assert Path(f"/proc/{left}/stat").read_text().split()[2] == "Z"


async def test_a_file_starts_what_stops_a_service_once(instance: Instance) -> None:
    instance.unit("a.service", WAITING, "Restart=always")
    (instance.root / UNITS / "drain.path").write_text("[Path]\nPathExists=/drain\n")
    (instance.root / UNITS / "drain.service").write_text(
        "[Service]\nType=oneshot\nExecStart=/usr/bin/systemctl stop --no-block a.service\n"
    )
    await instance.systemctl("daemon-reload")
    await instance.systemctl("enable", "--now", "--no-block", "drain.path")
    await instance.systemctl("enable", "--now", "a.service")
    await until(lambda: instance.said() == ["began"])
    (instance.root / "drain").touch()
    await until(lambda: instance.said() == ["began", "told"])
    await until(lambda: instance.machine.groups() == set())


async def test_what_a_service_requires_runs_before_it_and_its_failure_is_the_services(instance: Instance) -> None:
    instance.unit("first.service", "echo first >>{log}", "Type=oneshot")
    instance.unit("a.service", "echo second >>{log}", "Requires=first.service")
    instance.unit("broken.service", "exit 3", "Type=oneshot")
    instance.unit("b.service", "echo never >>{log}", "Requires=broken.service")
    await instance.systemctl("daemon-reload")
    assert await instance.systemctl("start", "a.service") == (0, "")
    await until(lambda: instance.said() == ["first", "second"])
    assert await instance.systemctl("start", "b.service") == (1, "b.service: broken.service has failed")
    assert instance.said() == ["first", "second"]


async def test_the_environment_is_the_units_then_the_files_then_the_labs(instance: Instance) -> None:
    (instance.root / "env").write_text("A=file\nB=file\nC=file\n")
    script = f"exec {sys.executable} -c 'import os; print(*(os.environ.get(n) for n in \"ABCD\"))' >>{{log}}"
    instance.unit("a.service", script, "Environment=A=unit D=unit", "EnvironmentFile=/env")
    instance.additions = {"B": "lab", "C": None}
    await instance.systemctl("daemon-reload")
    await instance.systemctl("start", "a.service")
    await until(lambda: instance.said() == ["file", "lab", "None", "unit"])


async def test_what_is_not_known_is_refused(instance: Instance) -> None:
    await instance.systemctl("daemon-reload")
    assert await instance.systemctl("start", "no.service") == (1, "Unit no.service not found.")
    code, said = await instance.systemctl("reboot")
    assert (code, said) == (1, "the lab's systemctl does not know 'reboot'")


async def test_a_frozen_machine_stands_still_until_it_is_thawed(instance: Instance) -> None:
    instance.unit("a.service", "while :; do echo on >>{log}; sleep 0.02; done")
    await instance.systemctl("daemon-reload")
    await instance.systemctl("start", "a.service")
    await until(lambda: len(instance.said()) > 2)
    instance.machine.freeze()
    await asyncio.sleep(0.1)
    before = len(instance.said())
    await asyncio.sleep(0.3)
    assert len(instance.said()) == before
    instance.machine.thaw()
    await until(lambda: len(instance.said()) > before)


async def test_a_machine_that_is_slowed_down_does_less_in_the_same_time(instance: Instance) -> None:
    instance.unit("a.service", "exec " + sys.executable + " -c 'while True: pass'")
    await instance.systemctl("daemon-reload")
    await instance.systemctl("start", "a.service")
    (group,) = instance.machine.groups()
    await until(lambda: cpu_s(group) > 0.05)
    instance.machine.slow_down(0.2)
    before, began = cpu_s(group), time.monotonic()
    await asyncio.sleep(1)
    assert cpu_s(group) - before < 0.5 * (time.monotonic() - began)


def cpu_s(group: int) -> float:
    from infra.lab.live.instances.process_table import running

    return sum(process.cpu_s for process in running() if process.group == group)
