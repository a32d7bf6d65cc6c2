"""A caller that goes away takes its search along: nobody reads the answer, and forty suppliers are spared."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Receive

T = TypeVar("T")


class CallerGone(Exception):
    """The caller closed its connection before it was answered."""


async def unless_gone(receive: Receive, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled, raising `CallerGone`, once the caller has disconnected.

    `receive` is the request's, its body not read by anyone else. A server that cannot tell (Lambda) never interrupts.
    """
    worker = asyncio.current_task()
    assert worker is not None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        worker.cancel()

    watcher = asyncio.get_running_loop().create_task(watch())
    try:
        return await work
    except asyncio.CancelledError:
        if gone and worker.uncancel() == 0:
            raise CallerGone from None
        raise
    finally:
        watcher.cancel()
