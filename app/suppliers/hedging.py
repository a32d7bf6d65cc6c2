"""Hedging: a call that takes longer than most of its supplier's calls is sent once more, and the first answer wins.

With forty suppliers a search is as slow as the slowest of forty draws: a supplier's 99th percentile is met by every third
search. A second copy after the supplier's own 95th percentile usually answers at once (Dean and Barroso, The Tail at Scale,
2013). Copies are at most `BUDGET` of a supplier's calls, whatever its latency does.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from app.suppliers.http1.exchange import Exchange
from app.telemetry.metrics import Sample

QUANTILE = 0.95
BUDGET = 0.05
"""Copies per call."""

BURST = 8.0
"""Most copies saved up: a supplier that turns slow all at once gets no more than these beyond `BUDGET`."""

KEPT = 256
"""Latencies that the quantile is taken of; renewed every `RENEWED` calls, and unknown before the first `RENEWED`."""

RENEWED = 32
TICK_S = 0.01
LATE_S = 0.01
"""When a tick comes this much later than asked, it is this process that is slow: more calls would make it slower."""


class Waiting(NamedTuple):
    since: float
    exchange: Exchange


class SupplierHedging:
    """One supplier's calls in flight, its latency, and its budget of copies. `wake` is called when a call is to be watched."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self.after_s: float | None = None
        """When a call is sent once more: this supplier's 95th percentile in seconds; `None` while unknown."""
        self.calls = 0
        self.hedged = 0
        self.waiting: deque[Waiting] = deque()
        self._latencies_s: deque[float] = deque(maxlen=KEPT)
        self._allowance = 0.0

    def watch(self, since: float, exchange: Exchange) -> None:
        """Send this call once more if it is not done when this supplier's calls usually are."""
        self.waiting.append(Waiting(since, exchange))
        self._wake()

    def observe(self, elapsed_s: float) -> None:
        """A call has ended, or was given up, after this time: of one given up, it is known to be at least this slow."""
        self.calls += 1
        self._allowance = min(BURST, self._allowance + BUDGET)
        self._latencies_s.append(elapsed_s)
        if self.calls % RENEWED == 0:
            ordered = sorted(self._latencies_s)
            self.after_s = ordered[int(QUANTILE * len(ordered))]

    def overdue(self, now: float, *, late: bool = False) -> list[Waiting]:
        """The calls to send once more now, none when this process is `late`; each is asked about once."""
        if self.after_s is None:
            self.waiting.clear()
            return []
        due = []
        limit = now - self.after_s
        while self.waiting and (self.waiting[0].since <= limit or self.waiting[0].exchange.future.done()):
            call = self.waiting.popleft()
            if not late and self._allowance >= 1 and not call.exchange.future.done():
                self._allowance -= 1
                self.hedged += 1
                due.append(call)
        return due


class Hedger:
    """Looks at all suppliers' calls every `TICK_S` while any is in flight: one timer for all of them."""

    def __init__(self) -> None:
        self._suppliers: dict[str, SupplierHedging] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def of(self, supplier: str) -> SupplierHedging:
        return self._suppliers.setdefault(supplier, SupplierHedging(self._wake))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def samples(self) -> Iterable[Sample]:
        for supplier, hedging in self._suppliers.items():
            label = (("supplier", supplier),)
            yield Sample(
                "crossover_hedged_calls_total", "counter", "Calls sent once more for being slow.", hedging.hedged, label
            )

    def _tick(self) -> None:
        now = time.monotonic()
        late = now - self._due > LATE_S
        left = False
        for hedging in self._suppliers.values():
            if hedging.waiting:
                for call in hedging.overdue(now, late=late):
                    call.exchange.send_copy()
                left = left or bool(hedging.waiting)
        self._timer = None
        if left:
            self._wake()

    def _wake(self) -> None:
        if self._timer is None:
            self._due = time.monotonic() + TICK_S
            self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)
