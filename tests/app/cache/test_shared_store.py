"""The shared store on a real server: fast or not at all, whatever the server does; a failover needs no restart."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from app.cache.address import read_address
from app.cache.shared_store import MAX_PENDING_PUTS, TIMEOUT_S, SharedStore, open_store
from tests.app.cache.servers import Server, server, watched
from tests.conftest import free_port

KEY = b"crossover:test"


def address(running: Server) -> str:
    return f"redis://127.0.0.1:{running.port}"


async def until_up(store: SharedStore, limit_s: float = 10) -> float:
    """Seconds until it counts as up again."""
    began = time.monotonic()
    while not store._up:
        await asyncio.sleep(0.01)
        assert time.monotonic() - began < limit_s
    return time.monotonic() - began


async def test_what_is_put_is_got_by_another_until_its_time_is_up(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        where = read_address("X", address(running))
        async with open_store(where) as here, open_store(where) as there:
            assert await there.get(KEY) is None
            here.put(KEY, b"\x00value", ttl_ms=60_000)
            await here.settle()
            assert await there.get(KEY) == b"\x00value"
            assert 0 < running.client().pttl(KEY) <= 60_000
            here.put(KEY, b"short", ttl_ms=1)
            await here.settle()
            await asyncio.sleep(0.05)
            assert await there.get(KEY) is None
            assert dict(there.results) == {"miss": 2, "hit": 1}


async def test_a_server_that_is_away_costs_one_caller_an_error_and_the_others_nothing() -> None:
    async with open_store(read_address("X", f"redis://127.0.0.1:{free_port()}")) as store:
        assert await store.get(KEY) is None
        began = time.monotonic()
        for _ in range(1_000):
            assert await store.get(KEY) is None
            store.put(KEY, b"x", ttl_ms=1_000)
        assert time.monotonic() - began < 1
        assert (store.results["error"], store.results["skipped"]) == (1, 2_000)
        assert "crossover_cache_store_up" in {sample.name for sample in store.samples() if sample.value == 0}


async def test_a_server_that_hangs_costs_its_timeout_once_and_is_used_again_when_it_answers(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        async with open_store(read_address("X", address(running))) as store:
            store.put(KEY, b"value", ttl_ms=60_000)
            await store.settle()
            running.freeze()
            began = time.monotonic()
            assert await store.get(KEY) is None
            assert TIMEOUT_S * 0.5 < time.monotonic() - began < 2
            assert await store.get(KEY) is None
            assert store.results["skipped"] == 1
            running.thaw()
            await until_up(store)
            assert await store.get(KEY) == b"value"


async def test_a_server_that_restarts_is_used_again(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        async with open_store(read_address("X", address(running))) as store:
            assert await store.get(KEY) is None
            running.kill()
            assert await store.get(KEY) is None
            running.start()
            await until_up(store)
            store.put(KEY, b"value", ttl_ms=60_000)
            await store.settle()
            assert await store.get(KEY) == b"value"


async def test_callers_that_leave_in_the_middle_never_leave_their_answer_to_another(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        keys = [b"key:%d" % number for number in range(50)]
        for key in keys:
            running.client().set(key, key)
        async with open_store(read_address("X", address(running))) as store:
            for turn in range(200):
                leaving = [asyncio.create_task(store.get(key)) for key in keys[:4]]
                for _ in range(turn % 7):
                    await asyncio.sleep(0)
                for task in leaving:
                    task.cancel()
                await asyncio.gather(*leaving, return_exceptions=True)
                key = keys[turn % len(keys)]
                assert await store.get(key) in (key, None)
            if not store._up:
                await until_up(store)
            assert [await store.get(key) for key in keys] == keys


async def test_more_than_it_can_take_is_dropped_not_queued(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        async with open_store(read_address("X", address(running))) as store:
            running.freeze()
            for number in range(MAX_PENDING_PUTS + 50):
                store.put(b"%d" % number, b"x" * 1_000, ttl_ms=1_000)
            assert store.results["busy"] == 50
            assert len(store._tasks) == MAX_PENDING_PUTS


async def test_a_wrong_password_or_a_foreign_type_is_no_answer(tmp_path: Path) -> None:
    with server(tmp_path, "requirepass right") as running:
        async with open_store(read_address("X", f"redis://:wrong@127.0.0.1:{running.port}")) as store:
            assert await store.get(KEY) is None
            assert store.results["error"] == 1
        async with open_store(read_address("X", f"redis://:right@127.0.0.1:{running.port}")) as store:
            running.client(password="right").rpush(KEY, b"a list")
            assert await store.get(KEY) is None
            assert store.results["error"] == 1


@pytest.mark.slow
async def test_after_the_primary_is_killed_under_load_errors_end_with_detection_and_no_restart(tmp_path: Path) -> None:
    detection_s = 1.0
    with watched(tmp_path, down_after_ms=int(detection_s * 1000)) as group:
        async with open_store(read_address("X", group.url)) as store:
            worst = stored = 0.0
            ended = asyncio.Event()

            async def load(number: int) -> None:
                nonlocal worst, stored
                while not ended.is_set():
                    began = time.monotonic()
                    store.put(b"k%d" % number, b"value", ttl_ms=60_000)
                    await store.get(b"k%d" % number)
                    worst = max(worst, time.monotonic() - began)
                    await asyncio.sleep(0.01)

            callers = [asyncio.create_task(load(number)) for number in range(8)]
            await asyncio.sleep(1)
            assert store.results["hit"] > 50
            assert not store.results["error"]
            await asyncio.to_thread(group.primary.kill)
            killed = time.monotonic()
            while await asyncio.to_thread(group.primary_port) == group.primary.port:
                assert time.monotonic() - killed < 20, "the Sentinels elected nobody"
                await asyncio.sleep(0.02)
            elected = time.monotonic()
            await until_up(store)
            recovered_s = time.monotonic() - elected
            errors, stored = store.results["error"], store.results["stored"]
            await asyncio.sleep(1)
            ended.set()
            await asyncio.gather(*callers)
            assert recovered_s < 1, f"{recovered_s:.2f} s after the new primary was known"
            assert store.results["error"] == errors, "no errors after it has recovered"
            assert store.results["stored"] > stored
            assert group.replica.client().get("k0") == b"value"
            assert worst < 1, "the load never waited for the cache"
