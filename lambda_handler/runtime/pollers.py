"""One long poll of `/next` for each invocation that may run at once, all on one event loop, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal

from lambda_handler.application import lifespan, resume
from lambda_handler.runtime.connection import Answer, Connection
from lambda_handler.runtime.context import REQUEST_ID, Context
from lambda_handler.runtime.errors import ERROR_TYPE
from lambda_handler.runtime.invocation import invoke

log = logging.getLogger("crossover.lambda")

ATTEMPTS = 5
FIRST_DELAY_S = 0.1
"""Between attempts to poll, doubled each time: what AWS's client does on Managed Instances."""

FINISH_S = 0.25
"""At SIGTERM for what is in flight, and as long again for the app's lifespan: Lambda kills a runtime after 0.5 s."""

TOLERATED = frozenset((202, 400, 410, 413))
"""Taken; of an invocation that Lambda no longer waits for; timed out; too large, of which Lambda tells the caller itself."""


class RuntimeApiFailed(Exception):
    """The Runtime API says that this environment is beyond repair, or says nothing."""


async def run(address: str, concurrency: int) -> None:
    """Serve until SIGTERM, then finish what is in flight. Leaves the app's lifespan, however it ends. Raises
    `RuntimeApiFailed`."""
    log.info("the bundle's runtime client takes %d at once", concurrency)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    pollers = [Poller(Connection(address), alone=concurrency == 1) for _ in range(concurrency)]
    tasks = [asyncio.create_task(poller.run()) for poller in pollers]
    stopped = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopped}:
            task.result()
        await _finish(pollers, tasks)
    finally:
        for task in (stopped, *tasks):
            task.cancel()
        await asyncio.gather(stopped, *tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(lifespan.shutdown(), FINISH_S)


async def _finish(pollers: list[Poller], tasks: list[asyncio.Task[None]]) -> None:
    """Take no more events; those that are being served have `FINISH_S`."""
    busy = []
    for poller, task in zip(pollers, tasks, strict=True):
        poller.last = True
        if poller.busy:
            busy.append(task)
        else:
            task.cancel()
    if busy:
        await asyncio.wait(busy, timeout=FINISH_S)


class Poller:
    """Takes one event after the other over a connection of its own; `busy` while it has one."""

    def __init__(self, connection: Connection, *, alone: bool) -> None:
        self._connection = connection
        self._alone = alone
        self.busy = self.last = False

    async def run(self) -> None:
        while not self.last:
            polled = await self._poll()
            self.busy = True
            await self._serve(polled)
            self.busy = False

    async def _poll(self) -> Answer:
        delay_s = FIRST_DELAY_S
        for attempt in range(1, ATTEMPTS + 1):
            try:
                polled = await self._connection.next()
                if polled.status == 200:
                    return polled
                reason = f"it answered {polled.status}"
            except OSError as error:
                reason = str(error)
            log.warning("no event from the Runtime API, attempt %d of %d: %s", attempt, ATTEMPTS, reason)
            await asyncio.sleep(delay_s)
            delay_s *= 2
        raise RuntimeApiFailed(f"no event from the Runtime API: {reason}")

    async def _serve(self, polled: Answer) -> None:
        context = Context(polled.headers)
        REQUEST_ID.set(context.aws_request_id)
        if self._alone:
            resume()  # the environment was frozen since its last answer
            if context.trace_id is not None:
                os.environ["_X_AMZN_TRACE_ID"] = context.trace_id  # where AWS's SDKs look; of no use to many at once
        outcome = await invoke(polled.body, context, alone=self._alone)
        headers = f"Lambda-Runtime-Invocation-Id: {context.invocation_id}\r\n" if context.invocation_id else ""
        if outcome.error_type is None:
            await self._post(f"/invocation/{context.aws_request_id}/response", outcome.body, headers)
        else:
            headers += f"{ERROR_TYPE}: {outcome.error_type}\r\n"
            await self._post(f"/invocation/{context.aws_request_id}/error", outcome.body, headers)
        REQUEST_ID.set(None)

    async def _post(self, path: str, body: bytes, headers: str) -> None:
        try:
            told = await self._connection.post(path, body, headers)
        except OSError as error:
            log.warning("an answer may be lost: %s", error)
            return
        if told.status not in TOLERATED:
            raise RuntimeApiFailed(f"the Runtime API answered {told.status} to an answer")
        if told.status != 202:
            reason = told.body[:200].decode(errors="replace")
            log.warning("the Runtime API did not take an answer (%d): %s", told.status, reason)
