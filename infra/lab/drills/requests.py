"""Every request of a drill, and what can be said of them: how many failed, how late the slowest were, and when."""

from __future__ import annotations

import math
from collections import Counter

from msgspec import Struct, field


class Requests(Struct, kw_only=True):
    """Four columns, a row a request in the order in which they ended. `due` are real seconds since 1970; `status` 0 is a
    connection that broke or a time-out, of which `lane` tells the reason; else `lane` is who answered, where it is known."""

    due: list[float] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    lane: list[str] = field(default_factory=list)

    def add(self, due: float, ms: float, status: int, lane: str) -> None:
        self.due.append(due)
        self.ms.append(ms)
        self.status.append(status)
        self.lane.append(lane)

    def between(self, start: float, end: float) -> Requests:
        """Those that were due from `start` on and before `end`."""
        rows = [row for row in zip(self.due, self.ms, self.status, self.lane, strict=True) if start <= row[0] < end]
        return Requests(
            due=[row[0] for row in rows],
            ms=[row[1] for row in rows],
            status=[row[2] for row in rows],
            lane=[row[3] for row in rows],
        )

    @property
    def count(self) -> int:
        return len(self.due)

    @property
    def failed(self) -> int:
        """Not answered, or answered with what a caller did not ask for."""
        return sum(status != 200 for status in self.status)

    @property
    def reasons(self) -> Counter[str]:
        """Of the failures: a status, or how the connection broke."""
        told = zip(self.status, self.lane, strict=True)
        return Counter(f"HTTP {status}" if status else lane for status, lane in told if status != 200)

    def moved_at(self) -> float | None:
        """When the first was due that another lane answered than the first one, or that failed; None where there is none."""
        told = list(zip(self.due, self.status, self.lane, strict=True))
        home = next((lane for _, status, lane in sorted(told) if status == 200 and lane), "")
        return min((due for due, status, lane in told if status != 200 or lane not in ("", home)), default=None)

    def p99_ratio(self, moved_at: float | None, calm_until: float = math.inf) -> float | None:
        """The p99 from a moment on over the one before, or until `calm_until` where that is earlier; None where either is not
        known."""
        if moved_at is None:
            return None
        parts = self.between(0, min(moved_at, calm_until)), self.between(moved_at, math.inf)
        before, moving = (part.quantile_ms(0.99) for part in parts)
        return round(moving / before, 3) if before and moving else None

    def of_lane(self, lane: str) -> int:
        return sum(each == lane for each in self.lane)

    def quantile_ms(self, quantile: float) -> float | None:
        """Of the requests that were answered; None where there were none."""
        ordered = sorted(ms for ms, status in zip(self.ms, self.status, strict=True) if status == 200)
        return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))] if ordered else None
