"""Failed calls are made once more when that is safe, within a budget that a supplier in trouble soon uses up."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.core.errors import SupplierHeldBack, SupplierUnavailable
from app.suppliers.guard import Guard, State
from app.suppliers.retries import MOST, RESERVE, RetryBudget
from app.suppliers.transport import HttpTransport, supplier_client
from app.suppliers.wire import WireRequest
from tests.app.suppliers.http1.scripted import CLOSE, ScriptedServer, plain, serving

OK = plain(b"ok")
BAD = plain(b"", status="502 Bad Gateway")
LATER = plain(b"", "Retry-After: 9", status="503 Service Unavailable")
NONE_LEFT = plain(b"ok", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 60")


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives these answers, the last one for ever. Its URL and the requests that it got."""
    async with serving(ScriptedServer(answers)) as server:
        yield f"{server.url}/x", server.requests


@pytest.mark.parametrize("first", [BAD, CLOSE])
async def test_one_failure_is_tried_again_unseen(first: bytes) -> None:
    async with answering(first, OK) as (url, heads), supplier_client() as client:
        budget = RetryBudget("one")
        answer = await HttpTransport(client, retries=budget).send(WireRequest("GET", url, {}))
    assert (answer.status, len(heads), budget.retried) == (200, 2, 1)


async def test_a_supplier_that_says_when_to_come_back_or_an_unsafe_call_is_not_tried_again() -> None:
    async with answering(LATER, OK) as (url, heads), supplier_client() as client:
        assert (await HttpTransport(client, retries=RetryBudget("one")).send(WireRequest("GET", url, {}))).status == 503
        assert len(heads) == 1
    async with answering(CLOSE, OK) as (url, heads), supplier_client() as client:
        with pytest.raises(SupplierUnavailable):
            await HttpTransport(client, retries=RetryBudget("one")).send(WireRequest("POST", url, {}, b"", False))
        assert len(heads) == 1


async def test_a_dead_supplier_gets_hardly_more_calls_than_without_retries() -> None:
    calls = 200
    async with answering(BAD) as (url, heads), supplier_client() as client:
        transport = HttpTransport(client, retries=RetryBudget("one"))
        for _ in range(calls):
            assert (await transport.send(WireRequest("GET", url, {}))).status == 502
    assert calls + RESERVE <= len(heads) <= calls * 1.1 + RESERVE + 1


async def test_nothing_is_tried_again_while_the_circuit_is_not_closed() -> None:
    guard = Guard("one", time.monotonic)
    guard.state = State.HALF_OPEN
    async with answering(BAD) as (url, heads), supplier_client() as client:
        await HttpTransport(client, guard=guard, retries=RetryBudget("one")).send(WireRequest("GET", url, {}))
    assert len(heads) == 1


async def test_a_supplier_whose_limit_is_reached_is_left_alone_until_its_reset() -> None:
    guard = Guard("one", time.monotonic)
    async with answering(NONE_LEFT) as (url, _), supplier_client() as client:
        assert (await HttpTransport(client, guard=guard).send(WireRequest("GET", url, {}))).status == 200
    with pytest.raises(SupplierHeldBack, match=r"asked us to wait, (60|59)"):
        guard.admit()


def test_calls_save_up_retries_to_a_limit() -> None:
    budget = RetryBudget("one")
    for _ in range(10_000):
        budget.called()
    allowed = sum(budget.allows() for _ in range(100))
    assert (allowed, budget.refused) == (MOST, 100 - MOST)
