"""The Lambda lane: environments of a real runtime client, one event each at a time, as Lambda would run and bill them; or as
many at once as `Code.concurrency` says, as on Lambda Managed Instances, whose billing by instance is not done here.

Cold starts on demand, the most recently used environment first, throttling at the concurrency limit, the time limit, the
6 MB payload limits, and a REPORT line per invocation with INIT billed (as AWS does since 2025-08-01). Not done: slowing the
CPU down to the share that a memory size would get.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import math
import shutil
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from infra.bundle import byte_compile
from infra.lab.lab_time import LabTime
from infra.lab.runtime_api import Code, Environment, EnvironmentGone, error_payload
from infra.wheels import ROOT, install_locked, locked_requirements

REQUEST_LIMIT = 6 * 1024 * 1024
KEPT_REPORTS = 200_000


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """One synchronous invocation. `status` is Lambda's own (200, also for a function's error; 429 throttled; 413 too large);
    `billed_ms` includes `init_ms` on a cold start; `error_type` is `None` for success."""

    request_id: str
    status: int
    payload: bytes
    duration_ms: float
    billed_ms: int
    init_ms: float | None
    max_memory_mb: float | None
    error_type: str | None = None

    def report(self, memory_mb: int) -> str:
        """The REPORT line as CloudWatch Logs would have it."""
        used = "unknown" if self.max_memory_mb is None else f"{self.max_memory_mb:.0f} MB"
        line = (
            f"REPORT RequestId: {self.request_id}\tDuration: {self.duration_ms:.2f} ms\tBilled Duration: {self.billed_ms} ms"
            f"\tMemory Size: {memory_mb} MB\tMax Memory Used: {used}"
        )
        return line if self.init_ms is None else f"{line}\tInit Duration: {self.init_ms:.2f} ms"


class LambdaLane:
    """A function's environments. An async context manager; leaving it ends every environment. `timeout_s` is by `lab_time`."""

    def __init__(
        self,
        code: Code,
        *,
        memory_mb: int = 1_769,
        concurrency: int = 10,
        timeout_s: float = 10.0,
        lab_time: LabTime | None = None,
    ) -> None:
        self._code = code
        self._time = lab_time or LabTime(1.0)
        self.memory_mb = memory_mb
        self._concurrency = concurrency  # environments, each with `code.concurrency` places for an event
        self._timeout_s = timeout_s
        self._logs = Path(tempfile.mkdtemp(prefix="crossover-lambda-"))
        self._idle: list[Environment] = []
        self._returning: list[Environment] = []  # once for each place that is about to be free
        self._freed = asyncio.Condition()
        self._background: set[asyncio.Task[None]] = set()
        self._cpu_of_ended = 0.0
        self._memory_of_ended: list[float] = []
        self.environments: set[Environment] = set()
        self.results: deque[InvokeResult] = deque(maxlen=KEPT_REPORTS)
        self.cold_starts = 0

    async def __aenter__(self) -> LambdaLane:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(environment.stop() for environment in list(self.environments)))
        await asyncio.gather(*self._background, return_exceptions=True)  # they end, for every environment has
        shutil.rmtree(self._logs, ignore_errors=True)

    @property
    def reports(self) -> list[str]:
        """The REPORT lines so far, oldest first."""
        return [result.report(self.memory_mb) for result in self.results]

    def cpu_seconds(self) -> float:
        """User + system CPU seconds of all environments, ended ones included."""
        return self._cpu_of_ended + sum(environment.cpu_seconds() for environment in self.environments)

    def peaks_mb(self) -> list[float]:
        """The peak resident memory of each environment, MiB."""
        peaks = [*self._memory_of_ended, *(environment.peak_memory_mb() for environment in self.environments)]
        return [peak for peak in peaks if peak is not None]

    def log_lines(self) -> list[str]:
        """What the function itself has logged so far, environment by environment."""
        return [line for log in sorted(self._logs.glob("*.log")) for line in log.read_text(errors="replace").splitlines()]

    def log_bytes(self) -> int:
        """Bytes the function itself has logged so far (Lambda's START, END and REPORT lines come on top)."""
        return sum(log.stat().st_size for log in self._logs.glob("*.log"))

    async def prewarm(self, count: int) -> list[float]:
        """Start environments until `count` exist; returns the Init Durations (ms) of the new ones."""
        new = []
        while len(self.environments) < min(count, self._concurrency):
            environment = await self._start()
            new.append(environment.init_ms)
            self._idle += [environment] * self._code.concurrency
        return new

    async def invoke(self, event: bytes) -> InvokeResult:
        """Invoke synchronously."""
        result = await self._invoke(event, str(uuid.uuid4()))
        if result.status == 200:
            self.results.append(result)
        return result

    async def _invoke(self, event: bytes, request_id: str) -> InvokeResult:
        if len(event) > REQUEST_LIMIT:
            return _refused(request_id, 413, "RequestEntityTooLargeException", f"over {REQUEST_LIMIT} bytes")
        try:
            environment, init_ms = await self._acquire()
        except EnvironmentGone as gone:
            return _failed(request_id, "Runtime.InitError", gone.reason, 0.0, None)
        if environment is None:
            return _refused(request_id, 429, "TooManyRequestsException", "Rate Exceeded.")
        started = time.perf_counter()
        try:
            outcome = await environment.run(request_id, event, self._time.real_s(self._timeout_s))
        except TimeoutError:
            await self._give_up(environment)
            reason = f"Task timed out after {self._timeout_s:.2f} seconds"
            memory = environment.peak_memory_mb()
            return _failed(request_id, "Sandbox.Timedout", reason, self._timeout_s * 1000, init_ms, memory)
        except EnvironmentGone as gone:
            await self._drop(environment)
            elapsed, memory = (time.perf_counter() - started) * 1000, environment.peak_memory_mb()
            return _failed(request_id, "Runtime.ExitError", f"Runtime exited: {gone.reason}", elapsed, init_ms, memory)
        except asyncio.CancelledError:
            self._later(self._give_up(environment))
            raise
        duration_ms = (time.perf_counter() - started) * 1000
        memory = environment.peak_memory_mb()
        self._returning.append(environment)
        self._later(self._free(environment))
        billed = math.ceil(duration_ms + (init_ms or 0.0))
        return InvokeResult(request_id, 200, outcome.payload, duration_ms, billed, init_ms, memory, outcome.error_type)

    async def _acquire(self) -> tuple[Environment | None, float | None]:
        """An environment for one event, and its Init Duration when it was started for it; `None` when throttled.

        One that has answered but not polled again yet is waited for: it is free within a millisecond, and starting another
        in its place would be a cold start that Lambda does not make.
        """
        async with self._freed:
            while True:
                while self._idle:
                    environment = self._idle.pop()
                    if environment.alive:
                        return environment, None
                    await self._drop(environment)
                if not self._returning:
                    break
                await self._freed.wait()
            if len(self.environments) >= self._concurrency:
                return None, None
            reserved = self._new()
        await self._begin(reserved)
        self._idle += [reserved] * (self._code.concurrency - 1)
        return reserved, reserved.init_ms

    def _new(self) -> Environment:
        self.cold_starts += 1
        log = self._logs / f"{self.cold_starts:04}.log"
        environment = Environment(self._code, memory_mb=self.memory_mb, log=log, lab_time=self._time)
        self.environments.add(environment)
        return environment

    async def _begin(self, environment: Environment) -> None:
        try:
            await environment.start()
        except BaseException:
            await self._drop(environment)
            raise

    async def _start(self) -> Environment:
        environment = self._new()
        await self._begin(environment)
        return environment

    async def _free(self, environment: Environment) -> None:
        """Make an environment available once it polls again; one that has ended instead is dropped."""
        free = await environment.wait_until_free()
        if not free and (self._code.concurrency == 1 or not environment.alive):  # others may be served in it
            await self._drop(environment)
        async with self._freed:
            self._returning.remove(environment)
            if environment in self.environments:
                self._idle.append(environment)
            self._freed.notify_all()

    async def _give_up(self, environment: Environment) -> None:
        """Nobody waits for this event any more: its environment is killed, or on a Managed Instance left to the others."""
        if self._code.concurrency == 1:
            await self._drop(environment)
        else:
            self._returning.append(environment)
            self._later(self._free(environment))

    async def _drop(self, environment: Environment) -> None:
        if environment in self.environments:
            self.environments.discard(environment)
            memory = environment.peak_memory_mb()
            await environment.stop()
            self._cpu_of_ended += environment.cpu_seconds()
            if memory is not None:
                self._memory_of_ended.append(memory)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _refused(request_id: str, status: int, kind: str, message: str) -> InvokeResult:
    return InvokeResult(request_id, status, error_payload(kind, message), 0.0, 0, None, None, kind)


def _failed(
    request_id: str, kind: str, message: str, duration_ms: float, init_ms: float | None, memory_mb: float | None = None
) -> InvokeResult:
    billed = math.ceil(duration_ms + (init_ms or 0.0))
    return InvokeResult(request_id, 200, error_payload(kind, message), duration_ms, billed, init_ms, memory_mb, kind)


@functools.cache
def runtime_folder(python: str, interpreter: Path, group: str = "runtime") -> Path:
    """The locked runtime client for a Python minor version, byte-compiled, installed once: what AWS puts beside a bundle; or
    its SDK, which is there too, the group `sdk`. Not for an event loop: it may start processes."""
    requirements = locked_requirements(group)
    digest = hashlib.sha256(requirements.encode()).hexdigest()[:12]
    folder = ROOT / "out" / "runtime" / digest / f"py{python}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            install_locked(requirements, Path(scratch) / "runtime", python=python)
            byte_compile(interpreter, Path(scratch) / "runtime")
            try:
                (Path(scratch) / "runtime").rename(folder)
            except OSError:  # another process was faster, with the same locked wheels
                if not folder.is_dir():
                    raise
    return folder
