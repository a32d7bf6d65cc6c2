"""Event-loop lag: a blocked loop is seen, a frozen process is not mistaken for one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
import uvloop

from app.telemetry import loop_lag
from app.telemetry.loop_lag import BusyShare, LoopLag


async def test_a_blocked_loop_shows_as_lag() -> None:
    lag = LoopLag()
    lag.start()
    await asyncio.sleep(0.15)
    busy_until = time.perf_counter() + 0.4
    while time.perf_counter() < busy_until:
        pass
    await asyncio.sleep(0.15)
    lag.stop()
    worst = lag.quantile_ms(1.0)
    assert worst is not None
    assert worst > 200


async def test_a_loop_blocked_without_using_the_cpu_shows_as_lag() -> None:
    """Blocking input or output is the common mistake; it leaves the CPU idle."""
    lag = LoopLag()
    lag.start()
    await asyncio.sleep(0.05)
    time.sleep(1.2)
    await asyncio.sleep(0.05)
    lag.stop()
    worst = lag.quantile_ms(1.0)
    assert worst is not None
    assert worst > 1_000


@pytest.mark.parametrize("new_event_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("first", [0.15, 0.01])
def test_time_in_which_the_loop_stands_still_before_resume_is_not_lag(
    new_event_loop: Callable[[], asyncio.AbstractEventLoop], first: float
) -> None:
    lag = LoopLag()

    async def invocation(seconds: float, blocked: float = 0.0) -> None:
        await asyncio.sleep(seconds)
        time.sleep(blocked)
        await asyncio.sleep(0)

    async def begin() -> None:
        lag.start()

    loop = new_event_loop()
    loop.run_until_complete(begin())
    for seconds in (first, 0.15, 0.15):
        time.sleep(0.3)
        lag.resume()
        loop.run_until_complete(invocation(seconds))
    worst = lag.quantile_ms(1.0)
    assert worst is not None, "an invocation is longer than the interval"
    assert worst < 200
    loop.run_until_complete(invocation(0.15, blocked=0.4))
    loop.run_until_complete(invocation(0.15))
    seen = lag.quantile_ms(1.0)
    assert seen is not None
    assert seen > 200, "what an invocation blocks is seen still"
    lag.stop()
    loop.close()


async def test_no_sample_is_unknown_not_zero() -> None:
    assert LoopLag().quantile_ms(0.99) is None


def test_the_busy_share_tells_work_from_rest() -> None:
    busy = BusyShare()
    assert busy.since_last() is None, "of one look nothing is known"
    time.sleep(0.3)
    resting = busy.since_last()
    until = time.perf_counter() + 0.3
    while time.perf_counter() < until:
        pass
    working = busy.since_last()
    assert resting is not None and resting < 0.5
    assert working is not None and working > 0.5


def test_where_the_kernel_does_not_tell_of_waiting_work_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_lag, "SCHEDSTAT", "/no/such/file")
    busy = BusyShare()
    busy.since_last()
    began, used = time.perf_counter(), time.process_time()
    while time.process_time() < used + 0.2:
        pass
    share = busy.since_last()
    assert share == pytest.approx(0.2 / (time.perf_counter() - began), rel=0.2)


def test_another_threads_work_counts_for_it_holds_the_interpreter() -> None:
    busy = BusyShare()
    busy.since_last()
    began, cpu = time.perf_counter(), time.process_time()
    other = threading.Thread(target=sum, args=(range(20_000_000),))
    other.start()
    other.join()
    used, share = time.process_time() - cpu, busy.since_last()
    assert used > 0.05
    assert share is not None and share > 0.8 * used / (time.perf_counter() - began)


async def test_each_sample_is_told_with_its_busy_share() -> None:
    told: list[tuple[float, float | None]] = []
    lag = LoopLag()
    lag.listener = lambda late_ms, busy: told.append((late_ms, busy))
    lag.start()
    await asyncio.sleep(0.3)
    lag.stop()
    assert len(told) >= 2
    assert all(busy is None or 0 <= busy <= 1 for _, busy in told)
