"""One look after another for as long as somebody looks, sent to everybody who does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Feed:
    """`look` blocks and returns one line to send. A page that does not keep up misses what is old."""

    def __init__(self, look: Callable[[], bytes], *, every_s: float) -> None:
        self._look, self._every_s = look, every_s
        self._open: set[asyncio.Queue[bytes]] = set()
        self._wake = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._last: bytes | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[asyncio.Queue[bytes]]:
        """A queue with the newest line only."""
        mine: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)
        self._open.add(mine)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._run())
        elif self._last is not None:
            _put(mine, self._last)
        try:
            yield mine
        finally:
            self._open.discard(mine)
            self._wake.set()

    def soon(self) -> None:
        """Look now rather than later. From the loop's own thread."""
        self._wake.set()

    async def _run(self) -> None:
        self._last = None
        while self._open:
            self._wake.clear()
            try:
                self._last = await asyncio.to_thread(self._look)
            except Exception as error:  # the next look may succeed; the page sees by its age that there is none
                sys.stderr.write(f"crossover: the page could not be brought up to date: {error!r}\n")
            else:
                for queue in self._open:
                    _put(queue, self._last)
            try:
                await asyncio.wait_for(self._wake.wait(), self._every_s)
            except TimeoutError:
                continue


def _put(queue: asyncio.Queue[bytes], line: bytes) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(line)
