"""A lane made ready ahead of load: what is written down, what is raised, and how long one waits."""

from __future__ import annotations

import pytest

from infra.errors import InputError, KitError
from infra.operating.prewarming import Prewarming, begin, propose, release, wait
from infra.operating.proposal import Request
from infra.operating.proposal import propose as propose_switch
from infra.switching.ports import Unreachable
from infra.switching.preflight import Quota
from infra.switching.weights import all_on
from tests.infra.console.scripted import T0, Scripted


def said(stage: Scripted) -> list[str]:
    return [event.what for event in stage.store.history(100)]


def test_what_is_asked_for_stands_in_the_history_before_anything_is_raised() -> None:
    stage = Scripted()
    asked = propose(stage.connect(), "container", units=5)
    assert "prewarm" not in stage.mishaps.calls
    stage.mishaps.always = lambda name: name == "append"
    with pytest.raises(Unreachable):
        begin(stage.connect(), asked)
    assert stage.lanes.lanes["container"].floor == 2
    stage.mishaps.always = lambda name: False
    begin(stage.connect(), asked)
    assert stage.lanes.lanes["container"].floor == 5
    wait(stage.connect(), asked)
    assert said(stage) == [
        "5 instances of the container lane asked for ahead of load; the container lane keeps 5 instances at least (2 before)",
        "5 ready on the container lane, 5 were asked for",
    ]


def test_what_is_not_ready_in_time_is_told_and_stands_in_the_history() -> None:
    stage = Scripted()
    stage.lanes.lanes["container"].prewarms = False
    asked = propose(stage.connect(), "container", units=5)
    begin(stage.connect(), asked)
    seen: list[int | None] = []
    with pytest.raises(KitError, match="2 of 5 are ready on the container lane after 20 s; the rest may come yet"):
        wait(stage.connect(), asked, wait_s=20, seen=seen.append)
    assert stage.clock.now() == T0 + 20
    assert seen == 5 * [2]
    stage.mishaps.always = lambda name: name == "ready"
    with pytest.raises(KitError, match="how many are ready is not known on the container lane after 20 s"):
        wait(stage.connect(), asked, wait_s=20)
    assert [each.partition(" on the ")[0] for each in said(stage)[1:]] == [
        "2 of 5 are ready",
        "how many are ready is not known",
    ]


def test_what_the_preflight_of_a_switch_would_refuse_is_not_raised_and_said_in_its_words() -> None:
    stage = Scripted()
    stage.quotas = (Quota(kind="on demand", allowed=8, used=4, more=0), Quota(kind="on spot", allowed=64, used=60, more=22))
    with pytest.raises(KitError) as refused:
        propose(stage.connect(), "container", units=11)
    plan = propose_switch(stage.connect(), all_on("container"), Request(units=11))
    assert str(refused.value) == f"refused, nothing was raised: {'; '.join(map(str, plan.refusals))}"
    assert [each.check for each in plan.refusals] == ["capacity", "quotas"]
    stage.requests_last_hour = 0
    with pytest.raises(KitError, match="refused, nothing was raised: capacity: the CPU of a request is not known"):
        propose(stage.connect(), "container")


@pytest.mark.parametrize(
    ("lane", "units", "floor", "says"),
    [
        ("container", 5, 2, "the container lane keeps 5 instances at least (2 before)"),
        ("container", 5, None, "the container lane keeps 5 instances at least (how many it keeps now is not known)"),
        ("container", 5, 5, "nothing is raised: the container lane keeps 5 instances at least already"),
        ("lambda", 5, 0, "nothing is raised: the stage keeps no environments started"),
        ("lambda", 5, 2, "the lambda lane keeps 5 environments at least (2 before)"),
    ],
)
def test_it_says_what_it_would_raise(lane: str, units: int, floor: int | None, says: str) -> None:
    assert Prewarming(lane, units, "given", 2, floor, 100).words.startswith(says)


def test_release_is_written_down_and_for_containers_alone() -> None:
    stage = Scripted()
    stage.lanes.lanes["container"].floor = 5
    assert release(stage.connect(), "container") == "the container lane follows its load again, from 2 up"
    assert said(stage) == ["the container lane is let follow its load again, from 2 up as its template has it"]
    with pytest.raises(InputError, match="for the container lane"):
        release(stage.connect(), "lambda")
