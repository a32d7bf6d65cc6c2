"""The container lane: uvicorn workers started from the bundle as an instance's systemd unit would start them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import aiohttp

from infra.errors import KitError
from infra.lab.processes import Child, minimal_environment, spawn

START_LIMIT_S = 30.0
STOP_GRACE_S = 25.0


class ContainerLane:
    """One instance's worth of workers. An async context manager: ready on entering, drained and gone on leaving."""

    def __init__(self, tree: Path, python: Path, env: Mapping[str, str], *, workers: int = 2, port: int = 0) -> None:
        self._tree = tree
        self._python = python
        self._env = env
        self._port = port
        self.workers = workers
        self._logs = Path(tempfile.mkdtemp(prefix="crossover-container-"))
        self._child: Child | None = None
        self.url = ""
        self.startup_ms = 0.0
        """Spawn to the first successful `/readyz`, ms."""

    async def __aenter__(self) -> ContainerLane:
        env = minimal_environment({"PYTHONPATH": str(self._tree), "PYTHONDONTWRITEBYTECODE": "1", **self._env})
        command: list[str | Path] = [self._python, "-m", "app.serve", "--port", str(self._port), "--workers", str(self.workers)]
        started = time.perf_counter()
        try:
            self._child = await spawn(command, env=env, cwd=self._tree, log=self._logs / "service.log", read_stdout=True)
            line = await self._child.first_line(START_LIMIT_S)
            self.url = line.removeprefix("listening on ")
            await self._wait_until_ready(started)
        except BaseException:
            if self._child is not None:
                await self._child.kill()
            shutil.rmtree(self._logs, ignore_errors=True)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            await self._child.stop(STOP_GRACE_S)
        shutil.rmtree(self._logs, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        assert self._child is not None
        return self._child.pid

    def worker_pids(self) -> list[int]:
        """Process ids below the supervisor that serve requests."""
        assert self._child is not None
        return [p.pid for p in self._child.tree()[1:] if "app.serving.worker" in p.cmdline()]

    def cpu_seconds(self) -> float:
        """User + system CPU seconds of the supervisor and its workers so far."""
        assert self._child is not None
        return self._child.cpu_seconds()

    def peaks_mb(self) -> list[float]:
        """The peak resident memory of each worker, MiB."""
        assert self._child is not None
        return self._child.peak_memory_mb()

    def log_bytes(self) -> int:
        """Bytes the service has logged so far."""
        return sum(log.stat().st_size for log in self._logs.glob("*.log"))

    def log_tail(self) -> str:
        return "" if self._child is None else self._child.log_tail()

    async def _wait_until_ready(self, started: float) -> None:
        assert self._child is not None
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while time.perf_counter() - started < START_LIMIT_S and self._child.alive:
                try:
                    async with session.get(f"{self.url}/readyz") as response:
                        if response.status == 200:
                            self.startup_ms = (time.perf_counter() - started) * 1000
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.005)
        raise KitError(f"the container lane did not become ready: {self._child.log_tail() or 'no reason given'}")
