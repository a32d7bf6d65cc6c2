"""Child processes that cannot be left behind: the kernel kills them when we die, and stopping them has a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from infra.errors import KitError

PR_SET_PDEATHSIG = 1
STOP_GRACE_S = 5.0
_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def minimal_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """An environment made from scratch: nothing of the caller's gets in but `PATH`."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "TZ": ":UTC", "LANG": "en_US.UTF-8", **extra}


class Child:
    """A running child process, with its output in `log`. Made by `spawn`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log
        self._cpu_at_end = 0.0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        return await self._process.wait()

    async def first_line(self, timeout_s: float) -> str:
        """The first line the child prints; raises `KitError` with the end of its log when it ends or says nothing."""
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), timeout_s)
        except TimeoutError:
            line = b""
        if not line:
            await self.stop()
            raise KitError(f"a process did not start: {self.log_tail() or 'it said nothing'}")
        return line.decode().strip()

    def log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " | ".join(line.strip() for line in lines[-3:])

    def tree(self) -> list[psutil.Process]:
        """The child and its descendants that are alive."""
        try:
            process = psutil.Process(self.pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def cpu_seconds(self) -> float:
        """User + system CPU seconds of the child's tree so far; after its end, as of when it was stopped."""
        if not self.alive:
            return self._cpu_at_end
        total = 0.0
        for process in self.tree():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total

    def peak_memory_mb(self) -> list[float]:
        """Peak resident memory of each process of the tree, in MiB."""
        peaks = [_peak_kb(process.pid) for process in self.tree()]
        return [kb / 1024 for kb in peaks if kb is not None]

    async def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """SIGTERM, then SIGKILL to the whole session when the grace is over."""
        if not self.alive:
            return
        self._cpu_at_end = self.cpu_seconds()
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), grace_s)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        if self.alive:
            self._cpu_at_end = self.cpu_seconds()
            self._signal(signal.SIGKILL, group=True)
            await self._process.wait()

    def _signal(self, number: signal.Signals, *, group: bool = False) -> None:
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, number)
            else:
                self._process.send_signal(number)


async def spawn(
    command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, log: Path, read_stdout: bool = False
) -> Child:
    """Start a child in a session of its own; with `read_stdout` its first line can be awaited, else all goes to the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            env=dict(env),
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if read_stdout else file,
            stderr=file,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
    return Child(process, log)


def _peak_kb(pid: int) -> int | None:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        return None
    return None
