"""`python -m infra.lab.drills.callers URL OUT --rps N --connections N`: callers who never stop, in a process of their own.

They keep their connections and leave at a constant rate whatever the answers do; a request's latency counts from the moment it
was due (no coordinated omission). Nothing is sent a second time, so a connection that is reset is a failed request. At
SIGTERM they wait for what is under way and write every request to OUT.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import msgspec

from infra.lab.drills.requests import Requests

MAX_REQUESTS = 500_000
TIMEOUT_S = 30.0
LANE_HEADER = "x-crossover-lane"


class Callers:
    """`paths` are asked in turn. `requests` is what came of those that have ended."""

    def __init__(self, url: str, paths: tuple[str, ...], *, rps: float, connections: int) -> None:
        self._url, self._rps, self._connections = url, rps, connections
        self._paths: Iterator[str] = itertools.cycle(paths)
        self.requests = Requests()
        self.stopped = asyncio.Event()

    async def run(self) -> None:
        """Until `stopped` is set, or `MAX_REQUESTS` were sent."""
        connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=600)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(self._url, connector=connector, timeout=timeout) as session:
            session._retry_connection = False  # aiohttp would send a GET again, and so hide a reset
            began = time.time()
            async with asyncio.TaskGroup() as group:
                for number in range(MAX_REQUESTS):
                    due = began + number / self._rps
                    if await self._stopped_before(due):
                        break
                    group.create_task(self._one(session, next(self._paths), due))

    async def _stopped_before(self, due: float) -> bool:
        await asyncio.sleep(max(0.0, due - time.time()))
        return self.stopped.is_set()

    async def _one(self, session: aiohttp.ClientSession, path: str, due: float) -> None:
        status, lane = 0, ""
        try:
            async with session.get(path) as response:
                body = await response.read()
                status, lane = response.status, _lane(body)
        except (aiohttp.ClientError, TimeoutError) as error:
            lane = f"{type(error).__name__}: {error}"[:200]
        self.requests.add(due, (time.time() - due) * 1000, status, lane)


def _lane(body: bytes) -> str:
    """Of an answer of `/version`; other paths do not say which lane they were answered by."""
    return "lambda" if b'"lane":"lambda"' in body else "container" if b'"lane":"container"' in body else ""


async def call(url: str, paths: tuple[str, ...], rps: float, connections: int) -> Requests:
    callers = Callers(url, paths, rps=rps, connections=connections)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, callers.stopped.set)
    sys.stdout.write("calling\n")
    sys.stdout.flush()
    await callers.run()
    return callers.requests


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("out", type=Path)
    parser.add_argument("--rps", type=float, default=150.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--path", action="append", default=[])
    arguments = parser.parse_args()
    paths = tuple(arguments.path or ["/version"])
    made = asyncio.run(call(arguments.url, paths, arguments.rps, arguments.connections))
    arguments.out.write_bytes(msgspec.json.encode(made))
