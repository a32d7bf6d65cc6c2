"""Event-loop lag: a blocked loop is seen, a frozen process is not mistaken for one."""

from __future__ import annotations

import asyncio
import time

from app.telemetry import loop_lag
from app.telemetry.loop_lag import LoopLag


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


async def test_time_in_which_the_process_was_frozen_is_not_lag() -> None:
    lag = LoopLag()
    lag.start()
    await asyncio.sleep(0.05)
    time.sleep(loop_lag.FROZEN_GAP_S + 0.3)  # off the CPU, as a frozen Lambda environment is
    await asyncio.sleep(0.15)
    lag.stop()
    worst = lag.quantile_ms(1.0)
    assert worst is None or worst < 200


async def test_no_sample_is_unknown_not_zero() -> None:
    assert LoopLag().quantile_ms(0.99) is None
