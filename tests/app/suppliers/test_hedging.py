"""Hedging: slow calls are sent once more, within the budget, and never when it is this process that is slow."""

from __future__ import annotations

import asyncio
import random

import pytest

from app.suppliers.hedging import BUDGET, BURST, RENEWED, Hedger, SupplierHedging, Waiting
from app.suppliers.http1.exchange import Exchange
from app.suppliers.transport import HttpTransport, supplier_client
from app.suppliers.wire import WireRequest
from tests.app.suppliers.http1.scripted import listening, plain


class Nobody:
    def start(self, exchange: Exchange) -> None:
        raise AssertionError("nothing is sent here")


def exchange() -> Exchange:
    future = asyncio.get_running_loop().create_future()
    return Exchange(Nobody(), b"", future, head=False, limit=1, read_s=None, pool_s=None, resend=True)


def experienced(latencies_s: list[float]) -> SupplierHedging:
    hedging = SupplierHedging(lambda: None)
    for latency in latencies_s:
        hedging.observe(latency)
    return hedging


def test_the_threshold_is_the_suppliers_own_95th_percentile_and_unknown_before_enough_calls() -> None:
    assert experienced([0.1] * (RENEWED - 1)).after_s is None
    assert experienced([n / 100 for n in range(1, 101)] * 3).after_s == pytest.approx(0.95, abs=0.02)


async def test_only_calls_past_the_threshold_are_due_and_each_once() -> None:
    hedging = experienced([0.1] * 100)
    calls = [Waiting(since, exchange()) for since in (0.0, 0.05, 0.2)]
    hedging.waiting.extend(calls)
    assert hedging.overdue(0.16) == calls[:2]
    assert hedging.overdue(0.16) == [] and len(hedging.waiting) == 1


async def test_answered_calls_and_late_ticks_cost_no_copy() -> None:
    hedging = experienced([0.1] * 100)
    done = exchange()
    done.future.set_result(None)  # type: ignore[arg-type]
    hedging.waiting.append(Waiting(0.0, done))
    assert hedging.overdue(1.0) == []
    hedging.waiting.append(Waiting(0.0, exchange()))
    assert hedging.overdue(1.0, late=True) == [] and not hedging.waiting
    assert hedging.hedged == 0


async def test_copies_stay_within_the_budget_however_slow_the_supplier_turns() -> None:
    rng = random.Random(1)
    hedging = experienced([rng.lognormvariate(-2.8, 0.9) for _ in range(256)])
    for call in range(2_000):  # every one of them is late now
        hedging.waiting.append(Waiting(float(call), exchange()))
        hedging.overdue(call + 100.0)
        hedging.observe(100.0)
    assert 0 < hedging.hedged <= BUDGET * hedging.calls + BURST
    assert hedging.hedged >= 0.9 * BUDGET * 2_000


@pytest.mark.parametrize("hedged", [True, False])
async def test_a_slow_answer_is_overtaken_by_its_copy(hedged: bool) -> None:
    asked = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while True:
            await reader.readuntil(b"\r\n\r\n")
            asked += 1
            if asked == 41:
                await asyncio.sleep(1.5)
                writer.write(plain(b"slow"))
            else:
                writer.write(plain(b"fast"))

    async with listening(handle) as port, supplier_client() as client:
        hedger = Hedger()
        transport = HttpTransport(client, hedger.of("one") if hedged else None)
        request = WireRequest("GET", f"http://127.0.0.1:{port}/x", {})
        for _ in range(40):
            await transport.send(request)
        answer = await transport.send(request)
        hedger.close()
    if hedged and hedger.of("one").hedged:  # on a busy machine the tick may come late, and then sends no copy
        assert answer.body == b"fast" and [sample.value for sample in hedger.samples()] == [1]
    else:
        assert answer.body == b"slow"


async def test_what_is_not_idempotent_is_never_sent_twice() -> None:
    hedger = Hedger()
    async with supplier_client() as client:
        request = WireRequest("POST", "http://127.0.0.1:1/x", {}, b"", idempotent=False)
        with pytest.raises(Exception, match="cannot connect"):
            await HttpTransport(client, hedger.of("one")).send(request)
    assert not hedger.of("one").waiting and hedger.of("one").hedged == 0
