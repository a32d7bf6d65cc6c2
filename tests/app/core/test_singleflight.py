"""Identical work is done once; callers come and go without disturbing each other."""

from __future__ import annotations

import asyncio

import pytest

from app.core.singleflight import Flight, SingleFlight


class Work:
    """Ends when told to; counts how often it was begun and cancelled."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.go = asyncio.Event()
        self.flight: Flight[str] | None = None

    async def __call__(self, flight: Flight[str]) -> int:
        self.begun += 1
        self.flight = flight
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self.begun


async def started(*tasks: asyncio.Task[int]) -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_callers_of_one_key_share_one_result_and_other_keys_do_not() -> None:
    flights: SingleFlight[str, str, int] = SingleFlight()
    work, other = Work(), Work()
    callers = [asyncio.create_task(flights.do("same", work)) for _ in range(10)]
    callers.append(asyncio.create_task(flights.do("other", other)))
    await started(*callers)
    assert ("same" in flights, len(flights), flights.shared) == (True, 2, 9)
    work.go.set()
    other.go.set()
    assert await asyncio.gather(*callers) == [1] * 11
    assert (work.begun, other.begun, len(flights)) == (1, 1, 0)
    assert await flights.do("same", work) == 2, "work that has ended is done anew"


async def test_one_caller_leaving_costs_the_others_nothing() -> None:
    flights: SingleFlight[str, str, int] = SingleFlight()
    work = Work()
    first, second = (asyncio.create_task(flights.do("k", work)) for _ in range(2))
    await started(first, second)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.go.set()
    assert await second == 1
    assert work.cancelled == 0


async def test_the_last_caller_leaving_cancels_the_work_and_waits_for_its_end() -> None:
    flights: SingleFlight[str, str, int] = SingleFlight()
    work = Work()
    callers = [asyncio.create_task(flights.do("k", work)) for _ in range(3)]
    await started(*callers)
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    assert (work.cancelled, len(flights)) == (1, 0)
    work.go.set()
    assert await flights.do("k", work) == 2


async def test_a_failure_reaches_every_caller() -> None:
    flights: SingleFlight[str, str, int] = SingleFlight()

    async def fail(_: Flight[str]) -> int:
        await asyncio.sleep(0)
        raise LookupError("nothing")

    answers = await asyncio.gather(*(flights.do("k", fail) for _ in range(3)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["nothing"] * 3
    assert len(flights) == 0


async def test_a_late_listener_hears_everything_and_one_that_fails_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    flights: SingleFlight[str, str, int] = SingleFlight()
    work = Work()
    early: list[str] = []
    late: list[str] = []

    def broken(_: str) -> None:
        raise RuntimeError("broken listener")

    callers = [asyncio.create_task(flights.do("k", work, listener=listener)) for listener in (early.append, broken)]
    await started(*callers)
    assert work.flight is not None
    work.flight.publish("one")
    callers.append(asyncio.create_task(flights.do("k", work, listener=late.append)))
    await started(*callers)
    work.flight.publish("two")
    work.go.set()
    assert await asyncio.gather(*callers) == [1, 1, 1]
    assert early == late == ["one", "two"]
    assert caplog.text.count("hears no more") == 1
