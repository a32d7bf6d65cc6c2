"""CPU a search over each tenth of a run, as the spread of a figure that is measured of all searches together."""

from __future__ import annotations

from collections.abc import Callable

TENTHS = 10


class Tenths:
    """Counts searches as they end and reads the lane's CPU seconds at each tenth; `cpu_ms` are the means of the tenths."""

    def __init__(self, cpu_seconds: Callable[[], float], searches: int, searched: Callable[[int], None]) -> None:
        self._cpu_seconds, self._searched = cpu_seconds, searched
        self._size = max(1, searches // TENTHS)
        self._ended, self._last = 0, cpu_seconds()
        self.cpu_ms: list[float] = []

    def count(self, searches: int) -> None:
        self._searched(searches)
        self._ended += searches
        if self._ended >= self._size:
            now = self._cpu_seconds()
            self.cpu_ms.append((now - self._last) * 1000 / self._ended)
            self._ended, self._last = 0, now
