"""Entries live for their time, and the least recently used go when their bytes run out."""

from __future__ import annotations

from app.core.lru import OVERHEAD_BYTES, ByteLru
from tests.fakes import FakeClock


def test_a_value_is_there_until_its_time_is_up_and_its_bytes_go_with_it() -> None:
    clock = FakeClock()
    lru: ByteLru[str] = ByteLru(10_000, clock)
    lru.put("a", "value", size=100, ttl_s=10)
    clock.now = 9.9
    assert (lru.get("a"), lru.bytes) == ("value", 100 + OVERHEAD_BYTES)
    clock.now = 10.0
    assert (lru.get("a"), lru.bytes, len(lru)) == (None, 0, 0)


def test_the_least_recently_used_go_first() -> None:
    lru: ByteLru[int] = ByteLru(4 * (1_000 + OVERHEAD_BYTES), FakeClock())
    for number in range(4):
        lru.put(number, number, size=1_000, ttl_s=60)
    assert lru.get(0) == 0
    lru.put(4, 4, size=1_000, ttl_s=60)
    assert [lru.get(number) for number in range(5)] == [0, None, 2, 3, 4]
    assert lru.evicted == 1


def test_one_value_never_takes_more_than_a_quarter_and_putting_again_counts_once() -> None:
    lru: ByteLru[str] = ByteLru(8_000, FakeClock())
    lru.put("big", "x", size=2_000, ttl_s=60)
    assert lru.get("big") is None
    for _ in range(3):
        lru.put("same", "x", size=1_000, ttl_s=60)
    assert lru.bytes == 1_000 + OVERHEAD_BYTES
    lru.put("same", "x", size=1_000, ttl_s=0)
    assert len(lru) == lru.bytes == 0
