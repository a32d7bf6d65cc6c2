"""One Lambda environment: a process of the real `awslambdaric`, and the Lambda Runtime API it polls (API 2018-06-01).

A port of its own for every environment, for the client holds one keep-alive connection and says nowhere who it is. The
environment takes one event at a time and is free again only when it polls `/next` once more.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from infra.errors import KitError
from infra.lab.processes import Child, minimal_environment, spawn

API = "/2018-06-01/runtime"
RESPONSE_LIMIT = 6_291_556
"""Largest response in bytes that Lambda takes from a synchronous invocation (6 MB and its own envelope)."""

INIT_LIMIT_S = 10.0
POLL_LIMIT_S = 2.0
"""An environment that has answered polls again within milliseconds; one that does not is given up."""


@dataclass(frozen=True, slots=True)
class Code:
    """What an environment runs: a directory, the interpreter, and variables on top of Lambda's own."""

    tree: Path
    python: Path
    env: Mapping[str, str]
    runtime: Path
    handler: str = "lambda_handler.handler.handler"


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
    """Start it with `start`, hand it one event at a time with `run`, end it with `stop`."""

    def __init__(self, code: Code, *, memory_mb: int, log: Path) -> None:
        self._code = code
        self._memory_mb = memory_mb
        self._log = log
        self._runner: web.AppRunner | None = None
        self._child: Child | None = None
        self._polling: asyncio.Future[tuple[str, bytes, float]] | None = None
        self._ready = asyncio.Event()
        self._answer: asyncio.Future[Outcome] | None = None
        self._request_id = ""
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
        command: list[str | Path] = [self._code.python, "-m", "awslambdaric", self._code.handler]
        self._child = await spawn(command, env=self._variables(port), cwd=self._code.tree, log=self._log)
        first = await _first(self._ready.wait(), self._child.wait(), timeout_s=INIT_LIMIT_S)
        if first != 0:
            ended = self._child.log_tail() or f"exit status {self._child.exit_status}"
            reason = self._init_error or (f"init took more than {INIT_LIMIT_S:g} s" if first is None else ended)
            await self.stop()
            raise EnvironmentGone(reason)
        self.init_ms = (time.perf_counter() - started) * 1000

    async def wait_until_free(self) -> bool:
        """Wait for the next poll; false when the process ended instead, or did not poll within `POLL_LIMIT_S`."""
        assert self._child is not None
        return await _first(self._ready.wait(), self._child.wait(), timeout_s=POLL_LIMIT_S) == 0

    async def run(self, request_id: str, event: bytes, timeout_s: float) -> Outcome:
        """Hand over an event and await its end. Raises `TimeoutError` or `EnvironmentGone`; both leave it unusable."""
        assert self._polling is not None and self._child is not None
        polling, self._polling = self._polling, None
        self._ready.clear()
        self._request_id = request_id
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._answer = answer
        polling.set_result((request_id, event, time.time() + timeout_s))
        try:
            first = await _first(answer, self._child.wait(), timeout_s=timeout_s)
            if first == 0:
                return answer.result()
            if first is None:
                raise TimeoutError
            raise EnvironmentGone(f"exit status {self._child.exit_status}")
        finally:
            self._answer = None

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.kill()
        if self._polling is not None and not self._polling.done():
            self._polling.cancel()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def _serve(self) -> int:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get(f"{API}/invocation/next", self._on_next)
        app.router.add_post(f"{API}/invocation/{{id}}/response", self._on_response)
        app.router.add_post(f"{API}/invocation/{{id}}/error", self._on_error)
        app.router.add_post(f"{API}/init/error", self._on_init_error)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        address = self._runner.addresses[0]
        return int(address[1])

    def _variables(self, port: int) -> dict[str, str]:
        """What the managed runtime sets, then the function's own variables."""
        python = next((part for part in self._code.runtime.name.split("py") if part), "3.13")
        return minimal_environment(
            {
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
                "AWS_EXECUTION_ENV": f"AWS_Lambda_python{python}",
                "AWS_LAMBDA_FUNCTION_NAME": "crossover-lab",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._memory_mb),
                "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/crossover-lab",
                "AWS_LAMBDA_LOG_STREAM_NAME": self._log.stem,
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",
                "LAMBDA_TASK_ROOT": str(self._code.tree),
                "PYTHONPATH": f"{self._code.tree}:{self._code.runtime}",
                "PYTHONDONTWRITEBYTECODE": "1",
                **self._code.env,
            }
        )

    async def _on_next(self, request: web.Request) -> web.StreamResponse:
        self._polling = asyncio.get_running_loop().create_future()
        self._ready.set()
        request_id, event, deadline = await self._polling
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{random.getrandbits(96):024x};Sampled=0",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:crossover-lab",
        }
        return web.Response(body=event, content_type="application/json", headers=headers)

    async def _on_response(self, request: web.Request) -> web.Response:
        payload = await request.read()
        if len(payload) > RESPONSE_LIMIT:
            message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
            self._end(
                request, Outcome(error_payload("Function.ResponseSizeTooLarge", message), "Function.ResponseSizeTooLarge")
            )
            return web.Response(status=413, body=b"{}", content_type="application/json")
        self._end(request, Outcome(payload))
        return web.Response(status=202, body=b'{"status":"OK"}', content_type="application/json")

    async def _on_error(self, request: web.Request) -> web.Response:
        payload = await request.read()
        kind = request.headers.get("Lambda-Runtime-Function-Error-Type", "Unhandled")
        self._end(request, Outcome(payload, kind))
        return web.Response(status=202, body=b'{"status":"OK"}', content_type="application/json")

    async def _on_init_error(self, request: web.Request) -> web.Response:
        self._init_error = (await request.read()).decode(errors="replace")[:500]
        return web.Response(status=202, body=b'{"status":"OK"}', content_type="application/json")

    def _end(self, request: web.Request, outcome: Outcome) -> None:
        if self._answer is not None and not self._answer.done() and request.match_info["id"] == self._request_id:
            self._answer.set_result(outcome)


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
