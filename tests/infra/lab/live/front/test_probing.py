"""Health checks of real targets, and telling what came of them."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from infra.lab.lab_time import LabTime
from infra.lab.live.front.health import REGISTERED
from infra.lab.live.front.probing import Prober, tell_health
from infra.lab.live.front.roster import Roster
from tests.infra.lab.live.front.targets import CHECK, ONE, Instances, serving, snapshot, until


def state(roster: Roster, id: str) -> str:
    told = roster.told()[ONE][id]
    assert told is not None
    return told["State"]


async def test_a_target_is_checked_at_once_when_it_is_registered() -> None:
    roster = Roster(snapshot({ONE: 1}, {ONE: ["i-1"]}, check=CHECK))
    async with serving("one") as one, Prober(roster, Instances({"i-1": one.port}), LabTime()):
        assert state(roster, "i-1") == "initial"
        await until(lambda: state(roster, "i-1") == "healthy", within_s=CHECK.interval_s / 2)
        assert one.requests == [], "a check is no request"


async def test_a_target_is_checked_as_often_as_its_group_says_in_the_labs_time() -> None:
    roster = Roster(snapshot({ONE: 1}, {ONE: ["i-1"]}, check=CHECK))
    async with serving("one") as one, Prober(roster, Instances({"i-1": one.port}), LabTime(200.0)):
        await until(lambda: state(roster, "i-1") == "healthy")
        one.ready = 503
        await until(lambda: state(roster, "i-1") == "unhealthy")
        assert "Target.ResponseCodeMismatch" in str(roster.told())
        one.ready = 200
        await until(lambda: state(roster, "i-1") == "healthy")


async def test_a_target_that_is_nowhere_and_one_that_refuses_are_unhealthy_for_reasons_of_their_own() -> None:
    roster = Roster(snapshot({ONE: 1}, {ONE: ["i-nowhere", "i-closed"]}, check=CHECK))
    async with Prober(roster, Instances({"i-closed": 1}), LabTime(500.0)):
        await until(lambda: {state(roster, id) for id in ("i-nowhere", "i-closed")} == {"unhealthy"})
    reasons = {id: (told or {})["Reason"] for id, told in roster.told()[ONE].items()}
    assert reasons == {"i-nowhere": "Target.Timeout", "i-closed": "Target.FailedHealthChecks"}


async def test_targets_that_come_and_go_are_taken_up_and_left() -> None:
    roster = Roster(snapshot({ONE: 1}, {ONE: []}, check=CHECK))
    async with serving("one") as one, Prober(roster, Instances({"i-1": one.port}), LabTime(200.0)) as prober:
        roster.learn(snapshot({ONE: 1}, {ONE: ["i-1"]}, check=CHECK), 0.0)
        prober.follow()
        await until(lambda: state(roster, "i-1") == "healthy")
        roster.learn(snapshot({ONE: 1}, {ONE: []}, check=CHECK), 10.0)
        prober.follow()
        assert roster.told()[ONE]["i-1"] is None
        assert prober._tasks == {}


async def test_what_has_changed_is_told_and_told_again_until_it_is_taken() -> None:
    told: list[Any] = []
    problems: list[str] = []

    async def take(request: web.Request) -> web.Response:
        told.append(await request.json())
        return web.Response(status=500 if len(told) == 1 else 200)

    app = web.Application()
    app.router.add_put("/_lab/target-health", take)
    roster = Roster(snapshot({ONE: 1}, {ONE: ["i-1"]}, check=CHECK))
    changed = asyncio.Event()
    changed.set()
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        telling = asyncio.create_task(tell_health(roster, changed, url, every_s=0.01, problem=problems.append))
        await until(lambda: len(told) == 2)
        await asyncio.sleep(0.05)
        assert len(told) == 2, "nothing has changed since"
        telling.cancel()
    assert told[-1] == roster.told() == {ONE: {"i-1": REGISTERED.told()}}
    assert len(problems) == 1
