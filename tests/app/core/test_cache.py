"""Which suppliers a search asks, given what is recent: per-supplier freshness, failures, a shared store that may lie."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from app.core.cache import FAILED_FRESH_S, AnswerCache, Freshness
from app.core.errors import AllSuppliersFailed, SupplierUnavailable
from app.core.lru import ByteLru
from app.core.models import OutcomeStatus, SearchResult
from app.core.rank import Rules
from app.core.search import SearchService
from tests.fakes import QUERY, FakeClock, FakeRates, FakeSupplier, hotel


class Store:
    """A shared store in memory."""

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}
        self.ttl_ms: list[int] = []

    async def get(self, key: bytes) -> bytes | None:
        return self.entries.get(key)

    def put(self, key: bytes, value: bytes, *, ttl_ms: int) -> None:
        self.entries[key] = value
        self.ttl_ms.append(ttl_ms)


class World:
    """Suppliers `quick` (fresh 30 s), `slow` (300 s) and `never` (0), with one cache per process."""

    def __init__(self, store: Store | None = None, clock: FakeClock | None = None, *, namespace: str = "") -> None:
        self.clock = clock or FakeClock(1_000.0)
        self.suppliers = {name: FakeSupplier(name, (hotel(name, name=f"Hotel {name}"),)) for name in ("quick", "slow", "never")}
        freshness = Freshness(30.0, {"slow": 300.0, "never": 0.0})
        self.cache = AnswerCache(
            freshness,
            ByteLru(1_000_000, self.clock),
            remote=store,
            namespace=namespace,
            wall_clock=self.clock,
            jitter=lambda: 0.0,
        )
        self.service = SearchService(
            tuple(self.suppliers.values()), rates=FakeRates(), rules=Rules(Decimal(0)), deadline_ms=1_000, cache=self.cache
        )

    async def search(self, deadline_ms: int | None = None) -> SearchResult:
        return await self.service.search(QUERY, limit=10, deadline_ms=deadline_ms)

    @property
    def asked(self) -> list[int]:
        return [supplier.asked for supplier in self.suppliers.values()]


async def test_each_supplier_is_asked_again_when_its_own_freshness_is_over() -> None:
    world = World()
    first = await world.search()
    assert world.asked == [1, 1, 1]
    world.clock.now += 29
    second = await world.search()
    assert world.asked == [1, 1, 2]
    assert second.hotels == first.hotels
    assert [outcome.supplier for outcome in second.outcomes] == ["quick", "slow", "never"]
    assert [outcome.cached_age_ms for outcome in second.outcomes] == [29_000.0, 29_000.0, None]
    world.clock.now += 2
    await world.search()
    assert world.asked == [2, 1, 3]
    world.clock.now += 270
    await world.search()
    assert world.asked == [3, 2, 4]


async def test_an_answer_used_again_does_not_become_younger() -> None:
    world = World()
    await world.search()
    for _ in range(3):
        world.clock.now += 9
        await world.search()
    assert world.asked[0] == 1
    world.clock.now += 4
    await world.search()
    assert world.asked[0] == 2


async def test_another_search_is_asked_for_on_its_own() -> None:
    world = World()
    await world.search()
    await world.service.search(msgspec.structs.replace(QUERY, currency="EUR"), limit=10)
    assert world.asked == [2, 2, 2]


async def test_a_failure_stands_for_a_second_but_not_when_the_search_was_cut_short_by_its_caller() -> None:
    for deadline_ms, asked_soon in ((None, 1), (500, 2)):
        world = World()
        world.suppliers["slow"] = FakeSupplier("slow", error=SupplierUnavailable("status 500"))
        world.service.suppliers = tuple(world.suppliers.values())
        await world.search(deadline_ms)
        world.clock.now += FAILED_FRESH_S * 0.9
        result = await world.search()
        assert world.asked[1] == asked_soon
        assert result.outcomes[1].status is OutcomeStatus.ERROR
        assert not result.complete
        world.clock.now += FAILED_FRESH_S
        await world.search()
        assert world.asked[1] == asked_soon + 1


async def test_when_nobody_answers_nothing_is_kept() -> None:
    world = World()
    for name in world.suppliers:
        world.suppliers[name] = FakeSupplier(name, error=SupplierUnavailable("status 500"))
    world.service.suppliers = tuple(world.suppliers.values())
    for _ in range(2):
        with pytest.raises(AllSuppliersFailed):
            await world.search()
    assert world.asked == [2, 2, 2]


async def test_another_process_finds_the_answers_in_the_shared_store() -> None:
    store, clock = Store(), FakeClock(1_000.0)
    here, there = World(store, clock), World(store, clock)
    first = await here.search()
    clock.now += 5
    second = await there.search()
    assert there.asked == [0, 0, 1]
    assert second.hotels == first.hotels
    assert there.cache.remote_hits == 1
    assert store.ttl_ms[0] == 300_000
    stranger = World(store, clock, namespace="other account")
    await stranger.search()
    assert stranger.asked == [1, 1, 1]


@pytest.mark.parametrize("junk", [b"", b"\x00", b"hello", msgspec.msgpack.encode([[1.0, {}, 1]]), b"\xc1" * 1_000])
async def test_an_entry_that_is_not_ours_is_nothing(junk: bytes) -> None:
    store, clock = Store(), FakeClock(1_000.0)
    await World(store, clock).search()
    for key in store.entries:
        store.entries[key] = junk
    world = World(store, clock)
    result = await world.search()
    assert (world.asked, world.cache.corrupt, result.complete) == ([1, 1, 1], 1, True)


async def test_an_entry_with_an_impossible_price_is_nothing() -> None:
    store, clock = Store(), FakeClock(1_000.0)
    await World(store, clock).search()
    for key, value in store.entries.items():
        store.entries[key] = value.replace(b"100.00", b"-00.01")
    world = World(store, clock)
    await world.search()
    assert (world.asked, world.cache.corrupt) == ([1, 1, 1], 1)


async def test_a_whole_answer_stands_until_its_first_supplier_is_stale() -> None:
    world = World()
    result = await world.search()
    assert world.cache.whole_ttl_s(result.outcomes) == 0, "one supplier's answers may never be used again"
    without = [outcome for outcome in result.outcomes if outcome.supplier != "never"]
    assert world.cache.whole_ttl_s(without) == 30
    aged = [msgspec.structs.replace(outcome, cached_age_ms=12_000.0) for outcome in without]
    assert world.cache.whole_ttl_s(aged) == 18


async def test_of_many_processes_some_ask_a_little_early() -> None:
    clock = FakeClock(1_000.0)
    eager = World(clock=clock)
    eager.cache._jitter = lambda: 1.0
    await eager.search()
    clock.now += 28
    await eager.search()
    assert eager.asked[:2] == [2, 1]
