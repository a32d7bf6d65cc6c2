"""Admission: how many searches may be in flight at once, so that more load than the CPU can serve is refused, not drowned in.

The limit follows two figures of the event loop, both smoothed over half a second: its lag, which is how long anything that is
ready waits for the loop, and its busy share, in which the process runs or waits for a CPU. A loop that hardly ever rests and
lets things wait has more searches than it can serve: the limit closes in, gently, to where the loop is just busy; beyond
that, more in flight only wait longer, at no more answers a second (measured: docs/search.md). Lag of a loop that does rest is
somebody else's, and closes nothing unless it is long. The rule is additive-increase/multiplicative-decrease as in TCP's
congestion control, with waiting in the place of lost packets (the idea of CoDel, RFC 8289: judge a queue by how long it makes
things wait, not by its length). Suppliers that become slow raise the number in flight and neither figure: they close nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.telemetry.loop_lag import INTERVAL_S
from app.telemetry.metrics import Sample

LAG_MS, BUSY_SHARE = 6.0, 0.97
"""Above both of them together there is more load than CPU."""

LONG_LAG_MS = 200.0
"""Above this there is too much load however much the loop rests: it may stand in a blocking call."""

SMOOTHED_MS = 500.0
"""What is smoothed over; a sample weighs as much as the time since the one before it."""

STANDING = 2
"""Samples in a row that must be late: one search's own work, or one collection of garbage, makes a single late sample."""

INTERVAL_MS = INTERVAL_S * 1000
FIRST_LIMIT = 64
LEAST, MOST = 4, 4_096
CLOSE_IN, CLOSE_IN_FAST = 0.98, 0.95
"""Per sample; fast under a long lag, whose samples come seldom."""

OPEN_UP, OPEN_UP_FAST = 1.01, 1.05
"""Per sample; fast below `ROOMY`, so that the limit doubles within a second where it was too low."""

ROOMY = 0.8
NEAR = 0.8
"""The limit only grows while this share of it is used: one that nothing has tested says nothing."""


class Admission:
    """`shed` counts what was refused. Feed `loop_seen` with every sample of the loop."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.limit = float(FIRST_LIMIT if enabled else MOST)
        self.shed = 0
        self._enabled = enabled
        self._lag_ms = 0.0
        self._busy = 0.0
        self._late = 0
        self._most_in_flight = 0

    def admits(self, in_flight: int) -> bool:
        """Whether one more search may begin beside those in flight."""
        self._most_in_flight = max(self._most_in_flight, in_flight + 1)
        if in_flight < self.limit:
            return True
        self.shed += 1
        return False

    def loop_seen(self, late_ms: float, busy: float | None) -> None:
        """A sample: how late the loop was, and its busy share since the last one, where that is known."""
        most, self._most_in_flight = self._most_in_flight, 0
        if not self._enabled:
            return
        weight = min(1.0, (INTERVAL_MS + late_ms) / SMOOTHED_MS)
        self._lag_ms += weight * (late_ms - self._lag_ms)
        self._busy += weight * ((busy or 0.0) - self._busy)
        self._late = self._late + 1 if late_ms > LAG_MS else 0  # now: the past must not close or open beyond what is needed
        if self._late >= STANDING and self._lag_ms > LONG_LAG_MS:
            self._close(most, CLOSE_IN_FAST)
        elif self._late >= STANDING and self._lag_ms > LAG_MS and self._busy > BUSY_SHARE:
            self._close(most, CLOSE_IN)
        elif not self._late and most >= NEAR * self.limit:
            self.limit = min(MOST, self.limit * (OPEN_UP_FAST if self._busy < ROOMY else OPEN_UP) + 1)

    def _close(self, most: int, factor: float) -> None:
        self.limit = max(LEAST, min(self.limit, max(most, LEAST)) * factor)

    def samples(self) -> Iterable[Sample]:
        yield Sample("crossover_admission_limit", "gauge", "Searches that may be in flight at once.", int(self.limit))
        yield Sample("crossover_searches_shed_total", "counter", "Searches refused because of overload.", self.shed)
