"""One ASGI request collected whole: disconnects, broken apps, and a receive that was cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lambda_handler.runtime.cycle import FAILED, Cycle

SCOPE: Any = {"type": "http", "method": "GET", "path": "/"}
START = {"type": "http.response.start", "status": 201, "headers": [[b"a", b"b"]]}


async def test_parts_become_one_body_and_the_disconnect_comes_after() -> None:
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.append((await receive())["body"].decode())
        impatient = asyncio.create_task(receive())
        await asyncio.sleep(0)
        impatient.cancel()  # as a search does once it is done
        watcher = asyncio.create_task(receive())
        await send(START)
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        assert not watcher.done()
        await send({"type": "http.response.body", "body": b"two"})
        heard.append((await watcher)["type"])
        heard.append((await receive())["type"])

    answer = await Cycle(b"asked").run(app, SCOPE)
    assert (answer["status"], answer["headers"], answer["body"]) == (201, [[b"a", b"b"]], b"one two")
    assert heard == ["asked", "http.disconnect", "http.disconnect"]


@pytest.mark.parametrize("begun", [False, True])
async def test_an_app_that_raises_before_its_answer_is_whole_is_answered_for(begun: bool) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if begun:
            await send(START)
        raise LookupError

    assert await Cycle(b"").run(app, SCOPE) == FAILED


async def test_an_app_that_raises_after_its_answer_has_answered() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send({"type": "http.response.body"})
        raise LookupError

    assert (await Cycle(b"").run(app, SCOPE))["status"] == 201


async def test_an_app_that_does_not_answer_is_an_error() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)

    with pytest.raises(RuntimeError, match="without a whole answer"):
        await Cycle(b"").run(app, SCOPE)


async def test_cancelling_reaches_the_app() -> None:
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await Cycle(b"").run(app, SCOPE)
    assert ended == ["cancelled"]
