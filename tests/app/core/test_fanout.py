"""Fan-out: one outcome a supplier, whatever the supplier does, and nothing left running."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest

from app.core.errors import SupplierMalformed, SupplierSkipped, SupplierTimeout, SupplierUnavailable
from app.core.fanout import SupplierAnswer, fan_out
from app.core.models import SearchQuery, SupplierHotel
from tests.fakes import QUERY, FakeSupplier, hotel


async def ask(*suppliers: FakeSupplier, deadline_ms: int = 500) -> list[SupplierAnswer]:
    return await fan_out(suppliers, QUERY, deadline_ms=deadline_ms, clock=time.perf_counter)


async def test_suppliers_are_asked_in_parallel_and_answers_keep_their_order() -> None:
    started = time.perf_counter()
    answers = await ask(*(FakeSupplier(f"s{n}", (hotel(f"s{n}"),), delay_s=0.1 - n / 1000) for n in range(45)))
    assert time.perf_counter() - started < 0.35
    assert [answer.outcome.supplier for answer in answers] == [f"s{n}" for n in range(45)]
    assert {answer.outcome.status for answer in answers} == {"ok"}
    assert all(answer.outcome.hotels == answer.outcome.offers == 1 for answer in answers)


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (SupplierTimeout("no answer within 1 s"), "timeout", "no answer within 1 s"),
        (SupplierUnavailable("status 500"), "error", "status 500"),
        (SupplierMalformed("$.data: missing"), "malformed", "$.data: missing"),
        (SupplierSkipped("cannot search for children"), "skipped", "cannot search for children"),
        (ZeroDivisionError("oops"), "error", "ZeroDivisionError: oops"),
        (RecursionError(), "error", "RecursionError: "),
        (SystemExit("gone"), "error", "SystemExit: gone"),
        (asyncio.CancelledError("its own"), "error", "CancelledError: its own"),
        (SupplierMalformed("x" * 5_000), "malformed", "x" * 299 + "…"),
    ],
)
async def test_each_failure_becomes_that_suppliers_outcome(error: BaseException, status: str, detail: str) -> None:
    good, bad = await ask(FakeSupplier("good", (hotel("good"),)), FakeSupplier("bad", error=error))
    assert (good.outcome.status, bad.outcome.status, bad.outcome.detail) == ("ok", status, detail)
    assert bad.hotels == ()


class Unspeakable(BaseException):
    def __str__(self) -> str:
        raise RuntimeError("no message")


async def test_an_exception_that_cannot_even_be_shown_is_an_error_of_its_own() -> None:
    good, bad = await ask(FakeSupplier("good", (hotel("good"),)), FakeSupplier("bad", error=Unspeakable()))
    assert (good.outcome.status, bad.outcome.status) == ("ok", "error")
    assert bad.outcome.detail == "Unspeakable: (its message cannot be shown)"


class StubbornSupplier(FakeSupplier):
    """Ignores being cancelled until `released`."""

    def __init__(self, supplier_id: str) -> None:
        super().__init__(supplier_id, timeout_ms=50)
        self.released = asyncio.Event()

    async def search(self, query: SearchQuery) -> tuple[SupplierHotel, ...]:
        while not self.released.is_set():
            with suppress(asyncio.CancelledError):
                await self.released.wait()
        return ()


async def test_a_supplier_that_ignores_being_cancelled_is_left_behind_not_awaited(caplog: pytest.LogCaptureFixture) -> None:
    before = asyncio.all_tasks()
    stubborn = StubbornSupplier("stubborn")
    started = time.perf_counter()
    first, second = await ask(stubborn, FakeSupplier("good", (hotel("good"),)), deadline_ms=100)
    assert time.perf_counter() - started < 1
    assert (first.outcome.status, second.outcome.status) == ("timeout", "ok")
    assert "stubborn ignores being cancelled" in caplog.text
    stubborn.released.set()
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == before


async def test_slow_supplier_is_reported_not_awaited() -> None:
    slow = FakeSupplier("slow", delay_s=30, timeout_ms=60)
    later = FakeSupplier("later", (hotel("later"),), delay_s=0.15)
    started = time.perf_counter()
    first, second = await ask(slow, later)
    assert time.perf_counter() - started < 1
    assert (first.outcome.status, second.outcome.status, slow.cancelled) == ("timeout", "ok", 1)
    assert 55 <= first.outcome.elapsed_ms < 140, "its own time limit counts, not the slowest other supplier"


async def test_the_deadline_cuts_a_longer_timeout() -> None:
    (answer,) = await ask(FakeSupplier("slow", delay_s=30, timeout_ms=20_000), deadline_ms=80)
    assert answer.outcome.status == "timeout"
    assert 75 <= answer.outcome.elapsed_ms < 500


async def test_cancelling_the_caller_cancels_every_call_and_leaks_no_task() -> None:
    suppliers = [FakeSupplier(f"s{n}", delay_s=30) for n in range(5)]
    before = asyncio.all_tasks()
    search = asyncio.create_task(ask(*suppliers, deadline_ms=20_000))
    await asyncio.sleep(0.05)
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    assert [supplier.cancelled for supplier in suppliers] == [1] * 5
    assert asyncio.all_tasks() == before


async def test_no_task_is_left_after_many_searches_with_time_outs() -> None:
    before = asyncio.all_tasks()
    for _ in range(20):
        await ask(*(FakeSupplier(f"s{n}", delay_s=1 if n % 3 == 0 else 0, timeout_ms=5) for n in range(9)))
    assert asyncio.all_tasks() == before


async def test_no_suppliers_is_no_answers() -> None:
    assert await ask() == []
