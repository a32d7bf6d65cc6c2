"""Event-loop lag: how much later than asked the loop runs a timer. A blocked loop shows here before callers complain.
Beside it the busy share: lag of a loop that rests half the time is no lack of CPU.

Time in which the loop does not run is not lag: on Lambda it runs only during invocations; the Lambda lane says so with each.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator

from app.telemetry.metrics import Sample

INTERVAL_S = 0.05
KEPT_SAMPLES = 1_200
SCHEDSTAT = "/proc/thread-self/schedstat"
"""Nanoseconds that this thread has run, and that it was ready and waited for a CPU (Linux, scheduler/sched-stats.rst)."""


class BusyShare:
    """The share of the time, 0 to 1, in which this process ran, or the calling thread was ready and waited for a CPU (where the
    kernel tells that). Of the whole process, for while another thread runs Python the loop waits for the interpreter."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None

    def forget(self) -> None:
        """The next call is a first one again."""
        self._before = None

    def since_last(self) -> float | None:
        """Since the last call; `None` at the first one."""
        now = time.perf_counter(), time.process_time() + _waited_s()
        before, self._before = self._before, now
        if before is None or now[0] <= before[0]:
            return None
        return min(1.0, (now[1] - before[1]) / (now[0] - before[0]))


def _waited_s() -> float:
    try:
        with open(SCHEDSTAT, "rb", buffering=0) as file:  # noqa: PTH123 (every 50 ms: the cheapest way counts)
            return int(file.read(100).split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class LoopLag:
    """Samples every `INTERVAL_S`, keeps the last minute; `listener` hears each sample: the lag in ms, and the busy share."""

    def __init__(self) -> None:
        self.listener: Callable[[float, float | None], None] | None = None
        self._samples_ms: deque[float] = deque(maxlen=KEPT_SAMPLES)
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._resumed = 0.0
        self._busy = BusyShare()
        self._busy_shares: deque[float] = deque(maxlen=KEPT_SAMPLES)

    def start(self) -> None:
        """Begin sampling on the running loop; the first sample is due `INTERVAL_S` from now."""
        self.stop()
        self._busy.since_last()
        self._arm()

    def resume(self) -> None:
        """The loop stood still until now and is about to run: a sample that fell due meanwhile is none. Cheaper than to stop
        and start anew, which takes 0.1 ms of an invocation."""
        self._resumed = time.monotonic()  # the clock of the loops too
        self._busy.forget()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def quantile_ms(self, quantile: float) -> float | None:
        """The given quantile (0 to 1) of the last minute's lag in ms; `None` before the first sample."""
        if not self._samples_ms:
            return None
        ordered = sorted(self._samples_ms)
        return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]

    def samples(self) -> Iterator[Sample]:
        about = "How late the event loop runs its timers, last minute."
        for quantile in (0.5, 0.99, 1.0):
            value = self.quantile_ms(quantile)
            if value is not None:
                label = (("quantile", f"{quantile:g}"),)
                yield Sample("crossover_event_loop_lag_milliseconds", "gauge", about, round(value, 3), label)
        if self._busy_shares:
            about = "Share of the time in which the process ran or its loop waited for a CPU, last minute."
            share = sum(self._busy_shares) / len(self._busy_shares)
            yield Sample("crossover_event_loop_busy_share", "gauge", about, round(share, 4))

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + INTERVAL_S
        self._timer = loop.call_at(self._due, self._sample)

    def _sample(self) -> None:
        if self._due >= self._resumed:
            self._take()
        self._arm()

    def _take(self) -> None:
        late_s = asyncio.get_running_loop().time() - self._due
        late_ms = max(0.0, late_s) * 1000
        self._samples_ms.append(late_ms)
        busy = self._busy.since_last()
        if busy is not None:
            self._busy_shares.append(busy)
        if self.listener is not None:
            self.listener(late_ms, busy)
