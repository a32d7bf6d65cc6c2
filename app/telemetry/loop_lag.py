"""Event-loop lag: how much later than asked the loop runs a timer. A blocked loop shows here before callers complain.

On Lambda the process is frozen between invocations, when time passes but the loop is not late: a gap in which the process
used no more CPU than a moment is not counted.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

INTERVAL_S = 0.1
KEPT_SAMPLES = 600
FROZEN_GAP_S = 1.0


class LoopLag:
    """Samples every `INTERVAL_S`, keeps the last minute."""

    def __init__(self) -> None:
        self._samples_ms: deque[float] = deque(maxlen=KEPT_SAMPLES)
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._cpu = 0.0

    def start(self) -> None:
        """Begin sampling on the running loop."""
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

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + INTERVAL_S
        self._cpu = time.process_time()
        self._timer = loop.call_at(self._due, self._sample)

    def _sample(self) -> None:
        late_s = asyncio.get_running_loop().time() - self._due
        frozen = late_s > FROZEN_GAP_S and time.process_time() - self._cpu < late_s / 10
        if not frozen:
            self._samples_ms.append(max(0.0, late_s) * 1000)
        self._arm()
