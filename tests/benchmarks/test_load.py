"""The generator: what counts as done, as failed, and from when latency counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import repeat

import pytest

from benchmarks.load import Target, closed_loop, open_loop, quantile

Reply = Callable[[int], Awaitable[bytes]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def served(reply: Reply) -> AsyncIterator[tuple[Target, list[int]]]:
    """A target on a tiny server, and the list of connections it has accepted."""
    accepted: list[int] = []
    asked = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        accepted.append(len(accepted))
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                asked += 1
                answer = await reply(asked)
                if not answer:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    target = Target("127.0.0.1", server.sockets[0].getsockname()[1], repeat("/search"))
    async with server:
        yield target, accepted
        target.close()
        await asyncio.sleep(0.01)


def seconds() -> Callable[[], dict[str, float]]:
    used = iter((1.0, 1.5))
    return lambda: {"service": next(used)}


async def at_once(_: int) -> bytes:
    return OK


def test_a_quantile_is_one_of_the_values_and_unknown_of_none() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert (quantile(values, 0), quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)) == (1, 51, 100, 100)
    assert quantile([7.0], 0.99) == 7.0
    assert quantile([], 0.5) is None


async def test_closed_loop_keeps_connections_and_divides_cpu_by_answers() -> None:
    async with served(at_once) as (target, accepted):
        window = await closed_loop(target, in_flight=3, warmup_s=0.05, window_s=0.2, probe=seconds())
    assert len(accepted) == 3
    assert window.completed > 10
    assert window.cpu_ms_per_search == pytest.approx(500 / window.completed)
    assert not window.failures


async def test_open_loop_sends_at_the_rate_whatever_the_answers_do() -> None:
    async def slow(_: int) -> bytes:
        await asyncio.sleep(0.3)
        return OK

    async with served(slow) as (target, _):
        window = await open_loop(target, rps=200, warmup_s=0.1, window_s=0.5, seed=1, probe=seconds())
    assert 60 < window.due < 140
    p50 = window.latency_ms(0.5)
    assert p50 is not None
    assert p50 >= 295


async def test_errors_and_broken_connections_are_failures_not_latencies() -> None:
    async def faulty(number: int) -> bytes:
        return b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" if number % 2 else b""

    async with served(faulty) as (target, _):
        window = await closed_loop(target, in_flight=1, warmup_s=0, window_s=0.2, probe=seconds())
    assert window.completed == 0
    assert window.cpu_ms_per_search is None
    assert window.failures["status 503"] > 1
    assert window.failures["ConnectionResetError"] > 1
    assert window.latency_ms(0.99) is None


async def test_chunked_answers_are_read_whole() -> None:
    async def chunked(_: int) -> bytes:
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

    async with served(chunked) as (target, _):
        assert await target.search() == (200, b"abcde")
