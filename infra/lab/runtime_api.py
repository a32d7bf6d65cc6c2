"""One Lambda environment: a process of a real runtime client, and the Lambda Runtime API it polls (API 2018-06-01).

The client is AWS's `awslambdaric`, or what `AWS_LAMBDA_EXEC_WRAPPER` starts in its place, as in Lambda's managed runtime. A
port of its own for every environment, for a client says nowhere who it is. An environment takes one event for each poll of
`/next`: one at a time, or as on Lambda Managed Instances up to `Code.concurrency`, which its client finds in
`AWS_LAMBDA_MAX_CONCURRENCY`. There, as on AWS, an event that takes too long ends alone; its late answer is refused with 410.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from infra.errors import KitError
from infra.lab.lab_time import LabTime
from infra.lab.managed_runtime import Code as Code
from infra.lab.processes import Child, spawn

API = "/2018-06-01/runtime"
RESPONSE_LIMIT = 6_291_556
"""Largest response in bytes that Lambda takes from a synchronous invocation (6 MB and its own envelope)."""

INIT_LIMIT_S = 10.0
MANAGED_INIT_LIMIT_S = 60.0
"""AWS gives an environment of a Managed Instance 15 minutes; a forked one needs seconds here."""
POLL_LIMIT_S = 2.0
"""An environment that has answered polls again within milliseconds; one that does not is given up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an event ended: the handler's answer, or an error type with its message as payload."""

    payload: bytes
    error_type: str | None = None


class EnvironmentGone(KitError):
    """The environment's process ended; `reason` is the tail of its log, or what it posted to `/init/error`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a Lambda environment ended: {reason}")
        self.reason = reason


class Environment:
    """Start it with `start`, hand it events with `run`, no more at once than it polls for, end it with `stop`. `lab_time` is
    that of its own clock, by which its deadlines are told."""

    def __init__(self, code: Code, *, memory_mb: int, log: Path, lab_time: LabTime | None = None) -> None:
        self._time = lab_time or LabTime(1.0)
        self._code = code
        self._memory_mb = memory_mb
        self._log = log
        self._runner: web.AppRunner | None = None
        self._child: Child | None = None
        self._polls: deque[asyncio.Future[tuple[str, bytes, float]]] = deque()
        self._ready = asyncio.Event()
        self._answers: dict[str, asyncio.Future[Outcome]] = {}
        self._too_late: set[str] = set()
        self.restored = False
        self._init_error: str | None = None
        self.init_ms = 0.0

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    def cpu_seconds(self) -> float:
        return 0.0 if self._child is None else self._child.cpu_seconds()

    def peak_memory_mb(self) -> float | None:
        """Peak resident memory in MiB; after its end, as last read."""
        return None if self._child is None else self._child.observe()

    async def start(self) -> None:
        """Spawn and wait for the first poll; `init_ms` is the time between. Raises `EnvironmentGone`."""
        port = await self._serve()
        started = time.perf_counter()
        variables = self._code.variables(port, memory_mb=self._memory_mb, log_stream=self._log.stem)
        self._child = await spawn(self._code.command(), env=variables, cwd=self._code.tree, log=self._log)
        limit_s = INIT_LIMIT_S if self._code.concurrency == 1 else MANAGED_INIT_LIMIT_S
        first = await _first(self._ready.wait(), self._child.wait(), timeout_s=limit_s)
        if first != 0:
            ended = self._child.log_tail() or f"exit status {self._child.exit_status}"
            reason = self._init_error or (f"init took more than {limit_s:g} s" if first is None else ended)
            await self.stop()
            raise EnvironmentGone(reason)
        self.init_ms = (time.perf_counter() - started) * 1000

    async def wait_until_free(self) -> bool:
        """Wait for the next poll; false when the process ended instead, or did not poll within `POLL_LIMIT_S`."""
        assert self._child is not None
        return await _first(self._ready.wait(), self._child.wait(), timeout_s=POLL_LIMIT_S) == 0

    async def wait_for_polls(self, count: int, timeout_s: float) -> None:
        """Wait until so many polls stand open: that many events it can take at once. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout_s):
            while len(self._open_polls()) < count:  # noqa: ASYNC110 (a count, not an event; only measuring waits for it)
                await asyncio.sleep(0.005)

    async def run(self, request_id: str, event: bytes, timeout_s: float) -> Outcome:
        """Hand over an event and await its end. Raises `TimeoutError` or `EnvironmentGone`, which leave it unusable, the first
        only where it takes one event at a time. Waits for a poll when there is none."""
        assert self._child is not None
        deadline = time.time() + timeout_s
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._answers[request_id] = answer
        try:
            (await self._poll(timeout_s)).set_result((request_id, event, self._time.at(deadline)))
            first = await _first(answer, self._child.wait(), timeout_s=deadline - time.time())
            if first == 0:
                return answer.result()
            if first is None:
                self._too_late.add(request_id)
                raise TimeoutError
            raise EnvironmentGone(f"exit status {self._child.exit_status}")
        finally:
            del self._answers[request_id]

    async def _poll(self, timeout_s: float) -> asyncio.Future[tuple[str, bytes, float]]:
        assert self._child is not None
        while not self._open_polls():
            if await _first(self._ready.wait(), self._child.wait(), timeout_s=timeout_s) != 0:
                raise EnvironmentGone(f"it does not poll; exit status {self._child.exit_status}")
        poll = self._polls.popleft()
        self._open_polls()
        return poll

    def _open_polls(self) -> deque[asyncio.Future[tuple[str, bytes, float]]]:
        """Without those whose connection has gone; `_ready` says whether there are any."""
        while self._polls and self._polls[0].done():
            self._polls.popleft()
        if not self._polls:
            self._ready.clear()
        return self._polls

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.kill()
        for poll in self._polls:
            poll.cancel()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def _serve(self) -> int:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get(f"{API}/invocation/next", self._on_next)
        app.router.add_post(f"{API}/invocation/{{id}}/response", self._on_response)
        app.router.add_post(f"{API}/invocation/{{id}}/error", self._on_error)
        app.router.add_post(f"{API}/init/error", self._on_init_error)
        app.router.add_get(f"{API}/restore/next", self._on_restore_next)
        app.router.add_post(f"{API}/restore/error", self._on_init_error)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        address = self._runner.addresses[0]
        return int(address[1])

    async def _on_next(self, request: web.Request) -> web.StreamResponse:
        poll: asyncio.Future[tuple[str, bytes, float]] = asyncio.get_running_loop().create_future()
        self._polls.append(poll)
        self._ready.set()
        request_id, event, deadline = await poll
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{random.getrandbits(96):024x};Sampled=0",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:crossover-lab",
        }
        return web.Response(body=event, content_type="application/json", headers=headers)

    async def _on_response(self, request: web.Request) -> web.Response:
        payload = await request.read()
        if len(payload) <= RESPONSE_LIMIT:
            return self._end(request, Outcome(payload))
        message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
        kind = "Function.ResponseSizeTooLarge"
        self._end(request, Outcome(error_payload(kind, message), kind))
        return _told(413, "RequestEntityTooLarge", message)

    async def _on_error(self, request: web.Request) -> web.Response:
        payload = await request.read()
        return self._end(request, Outcome(payload, request.headers.get("Lambda-Runtime-Function-Error-Type", "Unhandled")))

    async def _on_init_error(self, request: web.Request) -> web.Response:
        self._init_error = (await request.read()).decode(errors="replace")[:500]
        return _taken()

    async def _on_restore_next(self, request: web.Request) -> web.Response:
        """SnapStart: answered when a snapshot has been taken and an environment restored from it; here at once."""
        self.restored = True
        return _taken(200)

    def _end(self, request: web.Request, outcome: Outcome) -> web.Response:
        request_id = request.match_info["id"]
        if request_id in self._too_late:
            return _told(410, "InvokeTimeout", "Invoke timeout")
        answer = self._answers.get(request_id)
        if answer is None or answer.done():
            return _told(400, "InvalidRequestID", "Invalid request ID")
        answer.set_result(outcome)
        return _taken()


def _taken(status: int = 202) -> web.Response:
    return web.Response(status=status, body=b'{"status":"OK"}', content_type="application/json")


def _told(status: int, kind: str, message: str) -> web.Response:
    return web.Response(status=status, body=error_payload(kind, message), content_type="application/json")


async def _first(*awaitables: Awaitable[Any], timeout_s: float) -> int | None:
    """The position of the first to finish (the earlier one when both have), `None` when none does in time."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        done, _ = await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    return next((position for position, task in enumerate(tasks) if task in done), None)


def error_payload(kind: str, message: str) -> bytes:
    """An error as Lambda's service words it."""
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
