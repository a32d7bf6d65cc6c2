"""The load balancer over real sockets: what callers and targets see of weights, changes, errors and limits."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from infra.errors import KitError
from infra.lab.lambda_lane import InvokeResult
from infra.lab.live.front.balancer import LiveBalancer
from infra.lab.live.front.counts import Tally
from infra.lab.live.front.followed import Snapshot
from infra.lab.live.front.groups import Target
from infra.lab.live.front.health import Result
from infra.lab.live.front.listeners import Action, Condition, FixedResponse, Forward, Redirect, condition
from infra.lab.live.front.node import Around
from infra.lab.live.front.roster import Roster
from tests.infra.lab.live.front.targets import (
    CHECK,
    FUNCTION,
    ONE,
    TWO,
    FunctionDouble,
    HandTime,
    Instances,
    Served,
    serving,
    snapshot,
    until,
)

LANE = condition({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "x-lane", "Values": ["two"]}})


@dataclass
class Front:
    balancer: LiveBalancer
    session: aiohttp.ClientSession
    roster: Roster
    tally: Tally
    time: HandTime
    functions: FunctionDouble

    async def get(self, path: str = "/", **headers: str) -> tuple[int, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.get(self.balancer.url + path, headers=named) as answer:
            return answer.status, await answer.text()

    def change(self, to: Snapshot) -> None:
        self.balancer.learn(to, self.time.now())


@asynccontextmanager
async def front(
    first: Snapshot,
    *,
    instances: dict[str, int] | None = None,
    lags_s: tuple[float, ...] = (2.0, 5.0),
    least_delay_s: float = 0.0,
) -> AsyncIterator[Front]:
    time, roster, tally, functions = HandTime(), Roster(first), Tally(), FunctionDouble()
    around = Around(lab_time=time, roster=roster, addresses=Instances(instances or {}), functions=functions, tally=tally)
    async with (
        LiveBalancer(around, first, lags_s=lags_s, least_delay_s=least_delay_s) as balancer,
        aiohttp.ClientSession() as session,
    ):
        yield Front(balancer, session, roster, tally, time, functions)


@pytest.fixture
async def one() -> AsyncIterator[Served]:
    async with serving("one") as served:
        yield served


@pytest.fixture
async def two() -> AsyncIterator[Served]:
    async with serving("two") as served:
        yield served


def split(one: int, two: int) -> Snapshot:
    return snapshot({ONE: one, TWO: two}, {ONE: ["i-1"], TWO: ["i-2"]})


async def test_requests_of_one_connection_are_spread_by_weight(one: Served, two: Served) -> None:
    async with front(split(20, 80), instances={"i-1": one.port, "i-2": two.port}) as live:
        for _ in range(300):
            assert (await live.get())[0] == 200
        assert live.tally.now.new_connections == 1
    assert 30 < len(one.requests) < 95
    assert len(one.requests) + len(two.requests) == 300


async def test_a_change_of_weights_loses_no_request_under_load_and_reaches_the_nodes_one_after_the_other(
    one: Served, two: Served
) -> None:
    answers: Counter[tuple[int, str]] = Counter()
    async with front(split(1, 0), instances={"i-1": one.port, "i-2": two.port}) as live:

        async def caller(own: aiohttp.ClientSession) -> None:
            while True:
                async with own.get(live.balancer.url) as answer:
                    answers[answer.status, await answer.text()] += 1

        async def serve(more: int) -> tuple[int, int]:
            """So many more requests, and which target got how many of them."""
            before = len(one.requests), len(two.requests)
            end = sum(answers.values()) + more
            await until(lambda: sum(answers.values()) >= end)
            return len(one.requests) - before[0], len(two.requests) - before[1]

        async with AsyncExitStack() as stack:
            sessions = [await stack.enter_async_context(aiohttp.ClientSession()) for _ in range(16)]
            callers = [asyncio.create_task(caller(own)) for own in sessions]
            await serve(100)
            live.change(split(0, 1))
            assert (await serve(100))[1] == 0, "no node knows of it yet"
            live.time.pass_by(3.0)
            assert min(await serve(200)) > 0, "one node knows and the other does not"
            live.time.pass_by(3.0)
            await serve(20)  # what was under way
            assert (await serve(100))[0] == 0
            for task in callers:
                task.cancel()
            await asyncio.gather(*callers, return_exceptions=True)
    assert {status for status, _ in answers} == {200}


async def test_a_request_that_names_its_lane_gets_it(one: Served, two: Served) -> None:
    told = snapshot({ONE: 1}, {ONE: ["i-1"], TWO: ["i-2"]}, rules=[([LANE], Forward(((TWO, 1),)))])
    async with front(told, instances={"i-1": one.port, "i-2": two.port}) as live:
        assert await live.get(X_Lane="two") == (200, "two")
        assert await live.get(X_Lane="elsewhere") == (200, "one")


async def test_fixed_answers_and_redirects_come_from_the_load_balancer_itself() -> None:
    rules: list[tuple[list[Condition], Action]] = [
        ([LANE], FixedResponse(404, "text/plain", "no such route\n")),
        ([], Redirect(301, "HTTPS", "#{host}", "443", "/#{path}", "#{query}")),
    ]
    async with front(snapshot({}, {}, rules=rules)) as live:
        assert await live.get(X_Lane="two") == (404, "no such route\n")
        async with live.session.get(f"{live.balancer.url}/a?b=1", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (301, "https://127.0.0.1/a?b=1")
        assert (live.tally.now.fixed_responses, live.tally.now.redirects, live.tally.now.groups) == (1, 1, {})


async def test_without_a_registered_target_the_answer_is_503_and_no_request_of_the_group() -> None:
    async with front(snapshot({ONE: 1}, {ONE: []})) as live:
        assert (await live.get())[0] == 503
        assert live.tally.now.elb_statuses == {503: 1}
        assert ONE not in live.tally.now.groups


async def test_a_target_that_takes_no_connection_is_502_and_one_that_is_nowhere_504() -> None:
    told = snapshot({ONE: 1}, {ONE: ["i-1"], TWO: ["i-2"]}, rules=[([LANE], Forward(((TWO, 1),)))])
    async with front(told, instances={"i-1": 1}) as live:
        assert (await live.get())[0] == 502
        assert (await live.get(X_Lane="two"))[0] == 504, "after the lab's 10 seconds"
        assert live.tally.now.elb_statuses == {502: 1, 504: 1}
        assert (live.tally.now.groups[ONE].connection_errors, live.tally.now.groups[TWO].connection_errors) == (1, 1)


async def test_a_machine_that_halts_makes_a_connection_late_and_not_a_504(one: Served) -> None:
    async with front(split(1, 0), instances={"i-1": one.port}) as live:
        asked = asyncio.create_task(live.get())
        while not asked.done():
            time.sleep(0.12)  # longer than ten lab seconds, each time, for all that goes on in this loop
            await asyncio.sleep(0)
        assert await asked == (200, "one")


async def test_a_connection_of_the_pool_that_breaks_is_502_and_the_request_is_not_sent_again(one: Served) -> None:
    async with front(snapshot({ONE: 1}, {ONE: ["i-1"]}), instances={"i-1": one.port}, lags_s=(0.0,)) as live:
        assert (await live.get())[0] == 200
        assert (await live.get("/reset"))[0] == 502
        assert (await live.get())[0] == 200
    assert one.requests == ["/", "/reset", "/"]


async def test_a_targets_own_error_is_passed_on_and_counted_as_the_targets(one: Served) -> None:
    async with front(snapshot({ONE: 1}, {ONE: ["i-1"]}), instances={"i-1": one.port}) as live:
        assert await live.get("/error") == (500, "one")
        group = live.tally.now.groups[ONE]
        assert (group.requests, group.statuses, sum(group.waited_s.values())) == (1, {5: 1}, 1)
        assert group.size == len("one")
        assert not live.tally.now.elb_statuses


async def test_targets_take_turns_and_the_unhealthy_get_none(one: Served, two: Served) -> None:
    told = snapshot({ONE: 1}, {ONE: ["i-1", "i-2"]}, check=CHECK)
    async with front(told, instances={"i-1": one.port, "i-2": two.port}) as live:
        for id in ("i-1", "i-2"):
            live.roster.result(ONE, Target(id, 80), Result(200), 0.0)
        for _ in range(10):
            await live.get()
        assert (len(one.requests), len(two.requests)) == (5, 5)
        for _ in range(3):
            live.roster.result(ONE, Target("i-1", 80), Result(), 0.0)
        for _ in range(10):
            await live.get()
        assert (len(one.requests), len(two.requests)) == (5, 15)
        for _ in range(3):
            live.roster.result(ONE, Target("i-2", 80), Result(), 0.0)
        for _ in range(10):
            await live.get()
        assert (len(one.requests), len(two.requests)) == (10, 20), "with none healthy, all are asked"


async def test_the_target_with_the_fewest_requests_under_way_is_taken_where_the_group_says_so(one: Served, two: Served) -> None:
    told = snapshot({ONE: 1}, {ONE: ["i-1", "i-2"]}, algorithm="least_outstanding_requests")
    async with front(told, instances={"i-1": one.port, "i-2": two.port}, lags_s=(0.0,)) as live:
        slow = asyncio.create_task(live.get("/slow"))
        await until(lambda: one.requests or two.requests)
        busy, idle = (one, two) if one.requests else (two, one)
        for _ in range(10):
            await live.get()
        assert (len(busy.requests), len(idle.requests)) == (1, 10)
        busy.let_go.set()
        assert (await slow)[0] == 200


async def test_a_target_that_left_gets_requests_for_a_while_ends_what_it_has_and_is_cut_off_in_the_end(
    one: Served, two: Served
) -> None:
    def told(*ids: str) -> Snapshot:
        return snapshot({ONE: 1}, {ONE: ids}, algorithm="weighted_random", delay_s=60.0)

    async with front(told("i-1", "i-2"), instances={"i-1": one.port, "i-2": two.port}, lags_s=(0.0,)) as live:
        slow: list[asyncio.Task[tuple[int, str]]] = []
        while not two.requests:
            slow.append(asyncio.create_task(live.get("/slow")))
            await until(lambda: len(one.requests) + len(two.requests) == len(slow))
        live.change(told("i-1"))
        live.time.pass_by(16.0)
        for _ in range(20):
            await live.get()
        leaked = len(two.requests)
        assert leaked > 1, "it is still asked"
        live.time.pass_by(2.0)
        for _ in range(20):
            assert await live.get() == (200, "one")
        assert len(two.requests) == leaked
        assert live.balancer.let_go(live.time.now()) == []
        assert not slow[-1].done(), "what it has under way may end"
        live.time.pass_by(42.0)
        assert live.balancer.let_go(live.time.now()) == [Target("i-2", 80)]
        assert (await slow[-1])[0] == 502
        one.let_go.set()
        assert {status for status, _ in await asyncio.gather(*slow[:-1])} <= {200}, "the others are where nothing changed"


async def test_what_is_under_way_has_its_seconds_however_fast_the_delay_passes(one: Served) -> None:
    told, left = (snapshot({ONE: 1}, {ONE: ids}, delay_s=30.0) for ids in (["i-1"], []))
    async with front(told, instances={"i-1": one.port}, lags_s=(0.0,), least_delay_s=30.0) as live:
        slow = asyncio.create_task(live.get("/slow"))
        await until(lambda: one.requests)
        live.change(left)
        live.time.pass_by(31.0)
        assert live.balancer.let_go(live.time.now()) == [Target("i-1", 80)]
        await asyncio.sleep(0.05)
        one.let_go.set()
        assert await slow == (200, "one")


async def test_a_target_that_says_nothing_for_the_idle_timeout_is_504(one: Served) -> None:
    told = snapshot({ONE: 1}, {ONE: ["i-1"]}, idle_timeout_s=0.2)
    async with front(told, instances={"i-1": one.port}) as live:
        assert (await live.get("/slow"))[0] == 504
        assert live.tally.now.groups[ONE].connection_errors == 0


async def test_a_callers_connection_that_is_idle_is_closed_after_the_idle_timeout() -> None:
    here = FixedResponse(200, "text/plain", "here")
    async with front(snapshot({}, {}, rules=[([], here)], idle_timeout_s=0.2)) as live:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(live.balancer.url.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert live.balancer.connections == 1
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()
        assert live.balancer.connections == 0


async def test_headers_with_odd_names_are_dropped_and_the_load_balancers_own_are_set(one: Served) -> None:
    async with front(snapshot({ONE: 1}, {ONE: ["i-1"]}), instances={"i-1": one.port}) as live:
        async with live.session.get(live.balancer.url, headers={"x_odd": "1", "x-even": "2", "X-Forwarded-For": "9.9.9.9"}):
            pass
        (seen,) = one.headers
    assert "x_odd" not in seen
    assert seen["x-even"] == "2"
    assert (seen["X-Forwarded-For"], seen["X-Forwarded-Port"]) == ("9.9.9.9, 127.0.0.1", "80")
    assert seen["X-Forwarded-Proto"] == "http"


async def test_headers_with_odd_names_stay_where_the_load_balancer_drops_none(one: Served) -> None:
    told = snapshot({ONE: 1}, {ONE: ["i-1"]}, drop_invalid_headers=False)
    async with front(told, instances={"i-1": one.port}) as live, live.session.get(live.balancer.url, headers={"x_odd": "1"}):
        pass
    assert one.headers[0]["x_odd"] == "1"


async def test_a_function_is_asked_with_an_event_that_names_its_target_group() -> None:
    async with front(snapshot({FUNCTION: 1}, {FUNCTION: ["arn:function"]})) as live:
        async with live.session.post(f"{live.balancer.url}/p?q=1", data=b"body", headers={"x_odd": "1"}) as answer:
            assert (answer.status, await answer.text()) == (200, "function")
        event = json.loads(live.functions.events[0])
        assert event["requestContext"] == {"elb": {"targetGroupArn": FUNCTION}}
        assert (event["httpMethod"], event["path"], event["queryStringParameters"]) == ("POST", "/p", {"q": "1"})
        assert "x_odd" not in event["headers"]
        assert live.tally.now.functions_size == live.tally.now.groups[FUNCTION].size == len("body") + len("function")
        assert live.tally.now.groups[FUNCTION].statuses == {2: 1}


@pytest.mark.parametrize(
    ("status", "error", "counted"),
    [(429, "TooManyRequestsException", (1, 0)), (200, "Unhandled", (1, 0)), (500, "ServiceException", (0, 1))],
)
async def test_a_function_that_fails_is_502_and_is_told_apart_from_lambda_failing(
    status: int, error: str, counted: tuple[int, int]
) -> None:
    async with front(snapshot({FUNCTION: 1}, {FUNCTION: ["arn:function"]})) as live:
        live.functions.answer = InvokeResult("1", status, b"{}", 0.0, 0, None, None, error)
        assert (await live.get())[0] == 502
        group = live.tally.now.groups[FUNCTION]
        assert (group.function_errors, group.service_errors) == counted
        assert (group.requests, group.statuses, live.tally.now.elb_statuses) == (1, {}, {502: 1})


async def test_a_body_over_1_mb_is_413_for_a_function_and_passes_to_an_instance(one: Served) -> None:
    told = snapshot({FUNCTION: 1}, {FUNCTION: ["arn"], ONE: ["i-1"]}, rules=[([LANE], Forward(((ONE, 1),)))])
    async with front(told, instances={"i-1": one.port}) as live:
        for headers, status in (({}, 413), ({"x-lane": "two"}, 200)):
            async with live.session.post(
                live.balancer.url, data=io.BytesIO(b"x" * (1024 * 1024 + 1)), headers=headers
            ) as answer:
                assert answer.status == status
        assert not live.functions.events


async def test_a_caller_that_waits_for_leave_to_send_its_body_gets_it(one: Served) -> None:
    told = snapshot({ONE: 1}, {ONE: ["i-1"]})
    async with (
        front(told, instances={"i-1": one.port}) as live,
        live.session.post(live.balancer.url, data=b"body", expect100=True) as answer,
    ):
        assert answer.status == 200


async def test_a_caller_that_goes_away_is_counted(one: Served) -> None:
    async with front(snapshot({ONE: 1}, {ONE: ["i-1"]}), instances={"i-1": one.port}) as live:
        with pytest.raises(TimeoutError):
            await live.session.get(f"{live.balancer.url}/slow", timeout=aiohttp.ClientTimeout(total=0.3))
        one.let_go.set()
        await until(lambda: live.tally.now.elb_statuses)
        assert live.tally.now.elb_statuses == {460: 1}


async def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    told = snapshot({}, {})
    async with front(told) as live:
        port = int(live.balancer.url.rpartition(":")[2])
        around = Around(
            lab_time=live.time, roster=live.roster, addresses=Instances(), functions=live.functions, tally=live.tally
        )
        with pytest.raises(KitError, match=f"cannot listen on port {port}: Address already in use"):
            await AsyncExitStack().enter_async_context(LiveBalancer(around, told, port=port))
