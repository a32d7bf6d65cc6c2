"""The guard: a dead supplier costs no search anything within a second, and gets a few probes until it is back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import SupplierHeldBack, SupplierThrottled
from app.core.fanout import fan_out
from app.core.models import OutcomeStatus, SearchQuery
from app.core.rank import Rules
from app.core.search import SearchService
from app.suppliers.content import ContentHotel
from app.suppliers.formats.account import Account
from app.suppliers.formats.liteapi import LiteApi
from app.suppliers.guard import FIRST_PAUSE_S, LONGEST_PAUSE_S, MAX_IN_FLIGHT, PROBES, SILENCE_S, SILENT_CALLS, Guard, State
from app.suppliers.http1.client import AcceleratedClient
from app.suppliers.registry import HttpSupplier
from app.suppliers.transport import HttpTransport, supplier_client
from app.suppliers.wire import WireRequest
from tests.app.suppliers.http1.scripted import ScriptedServer, plain, serving
from tests.fakes import QUERY, FakeClock, FakeRates, FakeSupplier, hotel


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(100.0)


@pytest.fixture
def guard(clock: FakeClock) -> Guard:
    return Guard("one", clock, jitter=lambda: 0.5)


def fail(guard: Guard, times: int = 1) -> None:
    for _ in range(times):
        guard.failed(guard.admit())


def test_a_few_failures_among_answers_change_nothing(guard: Guard) -> None:
    for _ in range(50):
        guard.succeeded(guard.admit())
        guard.succeeded(guard.admit())
        fail(guard)
    assert guard.state is State.CLOSED


def test_failures_alone_open_the_circuit_and_it_says_when_it_is_tried_again(guard: Guard, clock: FakeClock) -> None:
    fail(guard, 5)
    assert guard.state is State.OPEN
    with pytest.raises(SupplierHeldBack, match=r"failed too often, the next try is in 1\.0 s"):
        guard.admit()
    assert guard.held_back["open"] == 1 and guard.in_flight == 0


def test_old_failures_are_forgotten(guard: Guard, clock: FakeClock) -> None:
    fail(guard, 4)
    clock.now += 60
    fail(guard)
    assert guard.state is State.CLOSED


def test_only_a_few_probes_go_out_and_their_answers_close_the_circuit(guard: Guard, clock: FakeClock) -> None:
    fail(guard, 5)
    clock.now += FIRST_PAUSE_S + 0.01
    probes = [guard.admit() for _ in range(PROBES)]
    while_tried = guard.state
    with pytest.raises(SupplierHeldBack, match="2 tries are under way"):
        guard.admit()
    for probe in probes:
        guard.succeeded(probe)
    assert (while_tried, guard.state) == (State.HALF_OPEN, State.CLOSED)


def test_a_failed_probe_doubles_the_pause_up_to_a_limit(guard: Guard, clock: FakeClock) -> None:
    fail(guard, 5)
    pauses = []
    for _ in range(8):
        before = clock.now
        while True:
            clock.now += 0.5
            try:
                probe = guard.admit()
            except SupplierHeldBack:
                continue
            guard.failed(probe)
            break
        pauses.append(clock.now - before)
    assert pauses[1] > 1.5 * pauses[0] and max(pauses) <= LONGEST_PAUSE_S + 0.5


def test_calls_from_before_the_circuit_opened_do_not_count_as_probes(guard: Guard, clock: FakeClock) -> None:
    old = [guard.admit() for _ in range(3)]
    fail(guard, 5)
    clock.now += FIRST_PAUSE_S + 0.01
    guard.admit()
    guard.failed(old[0])
    guard.succeeded(old[1])
    guard.ended(old[2])
    assert guard.state is State.HALF_OPEN and guard.in_flight == 1


def test_silence_is_noticed_within_a_second_though_no_call_has_timed_out(guard: Guard, clock: FakeClock) -> None:
    guard.succeeded(guard.admit())
    died = clock.now
    while guard.state is State.CLOSED and clock.now < died + 60:
        with contextlib.suppress(SupplierHeldBack):
            guard.admit()
        clock.now += 0.01
    assert guard.in_flight >= SILENT_CALLS and clock.now - died <= 1.0


def test_a_process_that_slept_does_not_take_its_suppliers_for_dead(guard: Guard, clock: FakeClock) -> None:
    calls = [guard.admit() for _ in range(SILENT_CALLS)]
    clock.now += 5  # the loop was blocked: new searches begin before waiting answers are read
    calls += [guard.admit() for _ in range(5)]
    for call in calls:
        guard.succeeded(call)
    clock.now += SILENCE_S
    guard.admit()
    assert guard.state is State.CLOSED


def test_a_supplier_that_always_takes_long_is_not_silent(guard: Guard, clock: FakeClock) -> None:
    in_flight: list[float] = []
    for tick in range(2_000):  # 100 calls a second, each 0.7 s long
        in_flight.append(guard.admit())
        clock.now += 0.01
        if tick >= 70:
            guard.succeeded(in_flight.pop(0))
    assert guard.opened == 0


def test_no_more_calls_in_flight_than_allowed(guard: Guard) -> None:
    calls = [guard.admit() for _ in range(MAX_IN_FLIGHT)]
    with pytest.raises(SupplierHeldBack, match="256 calls to it are in flight"):
        guard.admit()
    guard.ended(calls[0])
    guard.admit()


def test_a_supplier_that_asks_us_to_wait_is_left_alone_until_then(guard: Guard, clock: FakeClock) -> None:
    guard.throttled(3)
    with pytest.raises(SupplierHeldBack, match=r"asked us to wait, 3\.0 s more"):
        guard.admit()
    clock.now += 3.01
    guard.admit()


@given(st.lists(st.sampled_from(["admit", "ok", "fail", "gone", "wait", "throttle"]), max_size=200))
def test_calls_in_flight_always_add_up(steps: list[str]) -> None:
    clock = FakeClock(100.0)
    guard = Guard("one", clock, max_in_flight=7)
    calls: list[float] = []
    for step in steps:
        clock.now += 0.05
        if step == "admit":
            try:
                calls.append(guard.admit())
            except SupplierHeldBack:
                assert guard.state is not State.CLOSED or len(calls) == 7 or clock.now < guard._throttled_until
        elif step == "wait":
            clock.now += 2
        elif step == "throttle":
            guard.throttled(0.2)
        elif calls:
            {"ok": guard.succeeded, "fail": guard.failed, "gone": guard.ended}[step](calls.pop(0))
        assert guard.in_flight == len(calls) <= 7
    clock.now += 2 * LONGEST_PAUSE_S
    for call in calls:
        guard.ended(call)
    guard.succeeded(guard.admit())  # it is always asked again


# -- with real connections ---------------------------------------------------------------------------------------------


def supplier_at(url: str, client: AcceleratedClient, timeout_ms: int = 500) -> HttpSupplier:
    account = Account(supplier="one", url=url, key="k", secret="", hotels={"LON": [ContentHotel("1", "Alba", 51.5, -0.1)]})
    guard = Guard("one", time.monotonic)
    return HttpSupplier("one", timeout_ms, LiteApi(account), HttpTransport(client, guard=guard), guard)


NOTHING = plain(b'{"data": []}')


async def statuses(supplier: HttpSupplier, searches: int) -> list[OutcomeStatus]:
    found = []
    for _ in range(searches):
        (answer,) = await fan_out([supplier], QUERY, deadline_ms=1_000, clock=time.perf_counter)
        found.append(answer.outcome.status)
    return found


async def test_a_supplier_that_dies_is_held_back_after_a_handful_of_calls_and_asked_again_when_it_is_back() -> None:
    async with supplier_client() as client:
        server = ScriptedServer([NOTHING])
        async with serving(server):
            supplier = supplier_at(server.url, client)
            assert set(await statuses(supplier, 4)) == {"ok"}
        died = time.monotonic()
        assert (await statuses(supplier, 10))[-1] == OutcomeStatus.HELD_BACK
        assert time.monotonic() - died < 1.0 + 0.5, "nobody listens: each call fails at once"
        listening = await asyncio.start_server(server.handle, "127.0.0.1", server.port)
        async with asyncio.timeout(20):
            while (await statuses(supplier, 1)) != [OutcomeStatus.OK]:
                await asyncio.sleep(0.05)
        listening.close()
    assert supplier.guard.opened >= 1


async def test_a_search_is_incomplete_but_answered_while_a_supplier_is_held_back() -> None:
    async with supplier_client() as client:
        dead = supplier_at("http://127.0.0.1:9", client)
        for _ in range(5):
            dead.guard.failed(dead.guard.admit())
        alive = FakeSupplier("two", (hotel("two"),))
        service = SearchService([dead, alive], rates=FakeRates(), rules=Rules(Decimal(0)), deadline_ms=500)
        result = await service.search(QUERY, limit=5)
    assert [outcome.status for outcome in result.outcomes] == ["held_back", "ok"] and not result.complete


@pytest.mark.parametrize("retry_after", ["2", "Fri, 31 Dec 2099 23:59:59 GMT"], ids=["seconds", "a date"])
async def test_retry_after_is_obeyed_and_throttling_is_no_failure(retry_after: str) -> None:
    throttled = plain(b"", f"Retry-After: {retry_after}", status="429 Too Many Requests")
    async with serving(ScriptedServer([throttled])) as server, supplier_client() as client:
        supplier = supplier_at(server.url, client)
        with pytest.raises(SupplierThrottled):
            await supplier.search(QUERY)
        with pytest.raises(SupplierHeldBack, match="asked us to wait"):
            await supplier.search(QUERY)
    assert len(server.requests) == 1 and supplier.guard.state is State.CLOSED


async def test_a_caller_that_leaves_is_not_the_suppliers_failure_and_a_time_out_is() -> None:
    class Silent:
        async def search(self, query: SearchQuery, transport: object) -> tuple[()]:
            await asyncio.sleep(30)
            return ()

    supplier = HttpSupplier("one", 50, Silent(), transport=None)  # type: ignore[arg-type]
    leaving = asyncio.create_task(supplier.search(QUERY))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert list(supplier.guard._outcomes) == [] and supplier.guard.in_flight == 0
    assert await statuses(supplier, 5) == ["timeout"] * 5
    assert supplier.guard.state is State.OPEN


async def test_its_state_is_shown(guard: Guard) -> None:
    fail(guard, 5)
    shown = {(sample.name, sample.labels[1][1]): sample.value for sample in guard.samples()}
    assert shown["crossover_breaker_state", "open"] == 1 and shown["crossover_breaker_state", "closed"] == 0


def test_a_request_is_idempotent_unless_said_otherwise() -> None:
    assert WireRequest("POST", "u", {}).idempotent
