"""A hundred thousand searches, of which some are joined, time out, fail or lose their caller, leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import random
from datetime import timedelta

import pytest
from msgspec.structs import replace

from app.core.errors import CrossoverError, SupplierUnavailable
from app.core.models import SearchQuery, SupplierHotel
from app.telemetry.tracing.port import Origin
from app.web.search import Key, Searches
from tests.app.web.test_routes import make_service
from tests.fakes import QUERY, FakeSupplier, hotel

SEARCHES = 100_000
AT_ONCE = 500
ORIGIN = Origin("/search", "http", [])


class Moody(FakeSupplier):
    """Answers at once, fails, or never answers, by the dates asked for."""

    async def search(self, query: SearchQuery) -> tuple[SupplierHotel, ...]:
        mood = query.check_in.toordinal() % 50
        if mood == 0:
            await asyncio.sleep(3_600)
        if mood in (1, 2):
            raise SupplierUnavailable("status 500")
        return self._hotels


@pytest.mark.slow
async def test_a_hundred_thousand_searches_leave_no_task_and_no_memory() -> None:
    service = make_service(Moody("a", (hotel("a"),)), Moody("b", (hotel("b"),)), deadline_ms=60)
    searches = Searches(service)
    rng = random.Random(7)

    async def some(count: int) -> tuple[int, int]:
        """Run this many searches; how many failed or were cancelled, and how many objects there are then."""
        ended = 0
        for _ in range(count // AT_ONCE):
            queries = [replace(QUERY, check_in=QUERY.check_in + timedelta(days=rng.randrange(350))) for _ in range(AT_ONCE)]
            callers = [asyncio.create_task(searches.answer(Key(query, 5, None), ORIGIN)) for query in queries]
            await asyncio.sleep(0)
            for caller in rng.sample(callers, AT_ONCE // 20):
                caller.cancel()
            for answer in await asyncio.gather(*callers, return_exceptions=True):
                if isinstance(answer, BaseException):
                    assert isinstance(answer, asyncio.CancelledError | CrossoverError), answer
                    ended += 1
        await asyncio.sleep(0.1)
        gc.collect()
        return ended, len(gc.get_objects())

    tasks = len(asyncio.all_tasks())
    _, before = await some(SEARCHES // 5)
    ended, after = await some(SEARCHES * 4 // 5)
    assert ended > SEARCHES // 50, "some must have failed or lost their caller, or this tests nothing"
    assert searches.flights.shared > SEARCHES // 20
    assert (len(asyncio.all_tasks()), len(searches.flights), service.counters.in_flight) == (tasks, 0, 0)
    assert after - before < 500, f"{after - before} objects more after {SEARCHES * 4 // 5:,} searches"
