"""What the routes share: everything that was begun in the background is waited for, side by side."""

from __future__ import annotations

import asyncio
import time

from tests.app.web.test_routes import make_service


async def test_settling_waits_for_every_part_at_once() -> None:
    service = make_service()
    await service.settle()
    settled = []

    async def settle(part: str) -> None:
        await asyncio.sleep(0.1)
        settled.append(part)

    service.settlers += [lambda: settle("store"), lambda: settle("traces")]
    began = time.perf_counter()
    await service.settle()
    assert sorted(settled) == ["store", "traces"]
    assert time.perf_counter() - began < 0.18
