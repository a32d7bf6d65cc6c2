"""Admission: how many searches may be in flight at once, so that more load than the CPU can serve is refused, not drowned in.

The limit follows the event loop's lag, which is how long anything that is ready waits for the CPU: while the loop keeps up,
the limit stays out of the way of what is in flight; when the lag stands above its target, it closes in. The rule is
additive-increase/multiplicative-decrease as in TCP's congestion control, with lag in the place of lost packets (the idea of
CoDel, RFC 8289: judge a queue by how long it makes things wait, not by its length). Suppliers that become slow raise the
number in flight and not the lag, so they close nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.telemetry.metrics import Sample

TARGET_MS = 30.0
"""Standing lag above which searches are refused. A search waits for the CPU some ten times, mostly while its suppliers
answer, so this costs it well below its deadline."""

FIRST_LIMIT = 64
LEAST, MOST = 4, 4_096
STANDING = 2
"""Samples in a row that must be late: one search's own work, or one collection of garbage, makes a single late sample."""

CLOSE_IN = 0.95
OPEN_UP = 1.05
"""Per sample, so that the limit doubles within a second where it was too low."""

NEAR = 0.8
"""The limit only grows while this share of it is used: one that nothing has tested says nothing."""


class Admission:
    """`shed` counts what was refused. Feed `lag_seen` with every sample of the loop's lag."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.limit = float(FIRST_LIMIT if enabled else MOST)
        self.shed = 0
        self._enabled = enabled
        self._late = 0
        self._most_in_flight = 0

    def admits(self, in_flight: int) -> bool:
        """Whether one more search may begin beside those in flight."""
        self._most_in_flight = max(self._most_in_flight, in_flight + 1)
        if in_flight < self.limit:
            return True
        self.shed += 1
        return False

    def lag_seen(self, late_ms: float) -> None:
        most, self._most_in_flight = self._most_in_flight, 0
        if not self._enabled:
            return
        self._late = self._late + 1 if late_ms > TARGET_MS else 0
        if self._late >= STANDING:
            self.limit = max(LEAST, min(self.limit, max(most, LEAST)) * CLOSE_IN)
        elif not self._late and most >= NEAR * self.limit:
            self.limit = min(MOST, self.limit * OPEN_UP + 1)

    def samples(self) -> Iterable[Sample]:
        yield Sample("crossover_admission_limit", "gauge", "Searches that may be in flight at once.", int(self.limit))
        yield Sample("crossover_searches_shed_total", "counter", "Searches refused because of overload.", self.shed)
