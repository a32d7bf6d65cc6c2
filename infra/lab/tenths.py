"""CPU and suppliers' bytes a search over each tenth of a run: the spread of what is measured of all searches together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

from infra.lab.supplier_counts import Counts

TENTHS = 10


class Tenths:
    """Counts searches as they end. At each tenth it reads the lane's CPU seconds, of which `cpu_ms` are the means, and asks
    what suppliers have counted so far, of which `upstream` tells the means."""

    def __init__(
        self,
        cpu_seconds: Callable[[], float],
        searches: int,
        searched: Callable[[int], None],
        counts: Callable[[], Awaitable[Counts | None]],
    ) -> None:
        self._cpu_seconds, self._searched, self._counts = cpu_seconds, searched, counts
        self._size = max(1, searches // TENTHS)
        self._ended, self._last = 0, cpu_seconds()
        self._sizes: list[int] = []
        self._counted: list[asyncio.Future[Counts | None]] = []
        self.cpu_ms: list[float] = []

    def count(self, searches: int) -> None:
        self._searched(searches)
        self._ended += searches
        if self._ended >= self._size:
            now = self._cpu_seconds()
            self.cpu_ms.append((now - self._last) * 1000 / self._ended)
            self._counted.append(asyncio.ensure_future(self._counts()))
            self._sizes.append(self._ended)
            self._ended, self._last = 0, now

    async def upstream(self, name: str) -> list[float]:
        """The mean of one count a search, over all suppliers, of each tenth; none where nobody counted."""
        counts = [each for each in await asyncio.gather(*self._counted) if each is not None]
        totals = [0, *(sum(count[name] for count in each.values()) for each in counts)]
        return [(after - before) / size for (before, after), size in zip(pairwise(totals), self._sizes, strict=False)]
