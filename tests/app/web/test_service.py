"""What the routes share: everything that was begun in the background is waited for, side by side."""

from __future__ import annotations

import asyncio

from tests.app.web.test_routes import make_service


async def test_settling_waits_for_every_part_at_once() -> None:
    service = make_service()
    await service.settle()
    both, settled = asyncio.Barrier(2), []

    async def settle(part: str) -> None:
        await both.wait()  # for ever, were one settled after the other
        settled.append(part)

    service.settlers += [lambda: settle("store"), lambda: settle("traces")]
    async with asyncio.timeout(5):
        await service.settle()
    assert sorted(settled) == ["store", "traces"]
