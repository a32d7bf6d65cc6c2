"""Values by key, each with its own time to live; the least recently used go when their bytes pass a limit."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")

OVERHEAD_BYTES = 600
"""Memory of an entry besides its value's bytes: its key's objects and the table's (measured with tracemalloc, rounded up)."""


class ByteLru(Generic[V]):
    """`bytes` counts what the values hold and the overhead; `evicted` what had to go before its time."""

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._entries: OrderedDict[Hashable, tuple[float, int, V]] = OrderedDict()
        self.bytes = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> V | None:
        """The value, while its time lasts."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if self._clock() >= entry[0]:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry[2]

    def put(self, key: Hashable, value: V, *, size: int, ttl_s: float) -> None:
        """Keep `value`, which holds `size` bytes; one larger than a quarter of all room is not kept."""
        self._drop(key)
        size += OVERHEAD_BYTES
        if ttl_s <= 0 or size > self._max_bytes // 4:
            return
        self._entries[key] = (self._clock() + ttl_s, size, value)
        self.bytes += size
        while self.bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))
            self.evicted += 1

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry[1]
