"""A caller that goes away ends its search, over a real server; one that stays is not disturbed."""

from __future__ import annotations

import asyncio

import pytest

from app.web.disconnect import CallerGone, unless_gone
from tests.app.web.served import served
from tests.app.web.test_routes import SEARCH, make_service
from tests.fakes import FakeSupplier


async def test_closing_the_connection_cancels_every_call_and_leaves_no_task() -> None:
    suppliers = [FakeSupplier(f"s{n}", delay_s=30, timeout_ms=30_000) for n in range(5)]
    service = make_service(*suppliers, deadline_ms=30_000)
    async with served(service) as (host, port):
        before = len(asyncio.all_tasks())
        _, writer = await asyncio.open_connection(host, port)
        writer.write(f"GET {SEARCH} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        while not all(supplier.asked for supplier in suppliers):
            await asyncio.sleep(0.01)
        assert service.counters.in_flight == 1
        writer.close()
        async with asyncio.timeout(10):
            while service.counters.in_flight or len(asyncio.all_tasks()) > before:
                await asyncio.sleep(0.01)
        assert [supplier.cancelled for supplier in suppliers] == [1] * 5
        assert service.counters.abandoned == 1


async def test_work_is_done_undisturbed_while_the_caller_stays() -> None:
    async def receive() -> dict[str, object]:
        await asyncio.sleep(3_600)
        return {}

    async def work() -> str:
        await asyncio.sleep(0.01)
        return "done"

    before = len(asyncio.all_tasks())
    assert await unless_gone(receive, work()) == "done"
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before


async def test_being_cancelled_by_someone_else_stays_a_cancellation() -> None:
    async def receive() -> dict[str, object]:
        await asyncio.sleep(3_600)
        return {}

    task = asyncio.create_task(unless_gone(receive, asyncio.sleep(30)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_caller_that_has_gone_already_is_noticed_at_once() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    with pytest.raises(CallerGone):
        await unless_gone(receive, asyncio.sleep(30))
