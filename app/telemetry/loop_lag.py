"""Event-loop lag: how much later than asked the loop runs a timer. A blocked loop shows here before callers complain.

Time in which the loop does not run is not lag: on Lambda it runs only during invocations, so the Lambda lane starts and
stops the sampler with each.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from app.telemetry.metrics import Sample

INTERVAL_S = 0.05
KEPT_SAMPLES = 1_200


class LoopLag:
    """Samples every `INTERVAL_S`, keeps the last minute; `listener` hears each sample in ms."""

    def __init__(self) -> None:
        self.listener: Callable[[float], None] | None = None
        self._samples_ms: deque[float] = deque(maxlen=KEPT_SAMPLES)
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def start(self) -> None:
        """Begin sampling on the running loop; the first sample is due `INTERVAL_S` from now."""
        self.stop()
        self._arm()

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

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + INTERVAL_S
        self._timer = loop.call_at(self._due, self._sample)

    def _sample(self) -> None:
        late_s = asyncio.get_running_loop().time() - self._due
        late_ms = max(0.0, late_s) * 1000
        self._samples_ms.append(late_ms)
        if self.listener is not None:
            self.listener(late_ms)
        self._arm()
