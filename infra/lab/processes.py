"""Child processes that cannot be left behind: the kernel kills them when we die, and stopping them has a deadline.

Spawn from a thread that lives as long as the program (the main one): Linux sends the death signal when the parent *thread*
ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

import psutil

from infra.errors import KitError

PR_SET_PDEATHSIG = 1
STOP_GRACE_S = 5.0
_libc = ctypes.CDLL(None)


def die_with(parent: int, cpus: Collection[int] | None) -> None:
    """Runs in the child before its program does."""
    if cpus is not None:
        os.sched_setaffinity(0, cpus)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def minimal_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """An environment made from scratch: nothing of the caller's gets in but `PATH`."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "TZ": ":UTC", "LANG": "en_US.UTF-8", **extra}


class Child:
    """A running child process, with its output in `log`. Made by `spawn`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log
        self._cpu_seen_s = 0.0
        self._peak_seen_mb: float | None = None
        self._output: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def exit_status(self) -> int | None:
        """The exit code, or the negative number of the signal that killed it; `None` while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        return await self._process.wait()

    async def first_line(self, timeout_s: float) -> str:
        """The first line the child prints; what it prints later goes to its log. Raises `KitError` with the end of the log
        when it ends or says nothing in time; then, and when cancelled, the child is gone."""
        assert self._process.stdout is not None
        line = b""
        try:
            with contextlib.suppress(TimeoutError):
                line = await asyncio.wait_for(self._process.stdout.readline(), timeout_s)
            if not line:
                await self.stop()
                raise KitError(f"a process did not start: {self.log_tail() or 'it said nothing'}")
        except BaseException:
            await self.kill()
            raise
        self._output = asyncio.create_task(self._keep_output(self._process.stdout))
        return line.decode(errors="replace").strip()

    async def _keep_output(self, stdout: asyncio.StreamReader) -> None:
        """A pipe that nobody reads would stop the child once it is full."""
        while chunk := await stdout.read(65_536):
            with self.log.open("ab") as file:
                file.write(chunk)

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
        """User + system CPU seconds of the child's tree so far, ended descendants included; after its end, as last read."""
        if self.alive:
            self._cpu_seen_s = max(self._cpu_seen_s, sum(_cpu_seconds(process) for process in self.tree()))
        return self._cpu_seen_s

    def observe(self) -> float | None:
        """Read CPU and memory of the child alone, cheaply and often, so that a sudden end loses little of the account.
        Returns its peak resident memory in MiB, `None` when it was never read."""
        if self.alive:
            with contextlib.suppress(psutil.Error):
                self._cpu_seen_s = max(self._cpu_seen_s, _cpu_seconds(psutil.Process(self.pid)))
            peak = _peak_mb(self.pid)
            self._peak_seen_mb = self._peak_seen_mb if peak is None else peak
        return self._peak_seen_mb

    def peak_memory_mb(self) -> list[float]:
        """Peak resident memory of each process of the tree, in MiB."""
        peaks = [_peak_mb(process.pid) for process in self.tree()]
        return [peak for peak in peaks if peak is not None]

    async def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """SIGTERM, then SIGKILL to the whole session when the grace is over, and to descendants the child left behind."""
        if not self.alive:
            return await self._close()
        self.cpu_seconds()
        descendants = self.tree()[1:]
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), grace_s)
        except TimeoutError:
            await self.kill()
        for process in descendants:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()  # psutil checks that the number is still the same process
        await self._close()

    async def kill(self) -> None:
        """SIGKILL to the whole session."""
        if self.alive:
            self.cpu_seconds()
            self._signal(signal.SIGKILL, group=True)
            await self._process.wait()
        await self._close()

    async def _close(self) -> None:
        if self._output is not None:
            output, self._output = self._output, None
            output.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await output

    def tell(self, number: signal.Signals) -> None:
        """To the whole session, while the child runs."""
        if self.alive:
            self._signal(number, group=True)

    def _signal(self, number: signal.Signals, *, group: bool = False) -> None:
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, number)
            else:
                self._process.send_signal(number)


async def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    read_stdout: bool = False,
    cpus: Collection[int] | None = None,
) -> Child:
    """Start a child in a session of its own; with `read_stdout` its first line can be awaited, else all goes to the log. `cpus`
    are those that it may run on, and sees."""
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
            preexec_fn=partial(die_with, os.getpid(), cpus),
        )
    return Child(process, log)


def _cpu_seconds(process: psutil.Process) -> float:
    """CPU of a process and of the descendants it has waited for; 0 when it has just ended."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _peak_mb(pid: int) -> float | None:
    """VmHWM of /proc/PID/status (proc_pid_status(5)), in MiB."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        return None
    return None
