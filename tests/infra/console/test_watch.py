"""What is seen: each piece with its age, nothing made up, and nothing asked for nobody."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

from infra.console.feed import Feed
from infra.console.picture import picture
from infra.console.watch import Pace, Watch
from infra.errors import KitError
from infra.switching.aws.schedules import OFF
from infra.switching.driver import Driver
from infra.switching.plan import Need, make_plan
from infra.switching.record import Phase
from infra.switching.weights import Weights, all_on
from tests.infra.console.conftest import Asker
from tests.infra.console.scripted import T0, Scripted, ScriptedSchedules, Served, serving, weekday


def watching(stage: Scripted) -> Watch:
    return Watch(stage.connect, stage.connect(), pace=Pace(look_s=0, figures_s=0, stacks_s=0))


def test_everything_is_there_and_as_status_has_it(stage: Scripted) -> None:
    told = picture(watching(stage).look())
    assert (told["stage"], told["region"], told["account"], told["production"]) == ("prod", "us-east-1", "111122223333", True)
    assert (told["rule"], told["parameter"], told["agree"]) == ("100:0", "100:0", True)
    assert told["lanes"]["lambda"]["requests"] == 24_000  # the four whole minutes of five
    assert told["lanes"]["container"]["p99_ms"] is None
    assert told["alarms"] == {"lambda": "OK", "container": "OK"}
    assert (told["switch"], told["switch_known"], told["history"], told["findings"]) == (None, True, [], [])
    assert len(told["timeline"]["minutes"]) == 59
    assert told["timeline"]["lanes"]["lambda"]["requests_per_s"][-1] == 100.0
    assert told["timeline"]["lanes"]["lambda"]["error_percent"][-1] == 0.0
    assert told["timeline"]["lanes"]["container"]["error_percent"][-1] is None  # of no request
    assert told["timeline"]["lanes"]["container"]["healthy"][-1] == 2


def test_what_does_not_answer_keeps_what_it_said_with_its_age_and_why(stage: Scripted) -> None:
    watch = watching(stage)
    watch.look()
    stage.let_pass(30)
    stage.mishaps.always = lambda name: name in ("timeline", "rule")
    stage.lanes.lanes["container"].ready = 5
    told = picture(watch.look())
    assert told["pieces"]["figures"] == {"seen_at": T0, "wrong": "timeline: no answer", "refused": False}
    assert told["pieces"]["weights"] == {"seen_at": T0, "wrong": "rule: no answer", "refused": False}
    assert told["rule"] == "100:0"
    assert told["pieces"]["record"] == {"seen_at": T0 + 30, "wrong": "", "refused": False}
    assert told["lanes"]["container"]["ready"] == 5


def test_what_never_answered_is_not_known(stage: Scripted) -> None:
    stage.mishaps.always = lambda name: name in ("load", "timeline", "alarm", "ready", "rule")
    told = picture(watching(stage).look())
    assert (told["switch"], told["switch_known"], told["rule"], told["agree"], told["timeline"]) == (
        None,
        False,
        None,
        None,
        None,
    )
    assert told["lanes"]["lambda"] == {
        **dict.fromkeys(("requests", "errors", "p99_ms", "throttled", "loop_lag_ms", "healthy")),
        "ready": None,
    }
    assert told["alarms"] == {"lambda": None, "container": None}
    assert told["findings"] is None


def test_where_nobody_answers_the_rest_is_not_waited_for(stage: Scripted) -> None:
    stage.mishaps.always = lambda name: True
    told = picture(watching(stage).look())
    assert stage.mishaps.calls == ["load", "parameter"]
    assert {piece["wrong"] for name, piece in told["pieces"].items() if name not in ("weights", "stacks")} == {
        "load: no answer"
    }


def test_credentials_that_have_expired_are_told_from_an_aws_that_is_away(stage: Scripted) -> None:
    watch = watching(stage)
    watch.look()

    def refuse(name: str, do: object) -> NoReturn:
        raise KitError(f"{name}: the AWS credentials have expired")

    answering, stage.mishaps.around = stage.mishaps.around, refuse  # type: ignore[method-assign]
    told = picture(watch.look())["pieces"]["record"]
    assert told == {"seen_at": T0, "wrong": "load: the AWS credentials have expired", "refused": True}
    stage.mishaps.around = answering  # type: ignore[method-assign]
    stage.mishaps.always = lambda name: True
    assert picture(watch.look())["pieces"]["record"]["refused"] is False


def test_scheduled_switches_are_told_the_next_first(stage: Scripted) -> None:
    assert picture(watching(stage).look())["scheduled"] == []
    stage.schedules = ScriptedSchedules(weekday("lambda", 22 * 60), weekday("container", 7 * 60, "412.50"))
    stage.schedules.set_state(stage.schedules.all()[0], OFF)
    told = picture(watching(stage).look())["scheduled"]
    assert [(each["to"], each["state"], each["saves_usd_per_month"]) for each in told] == [
        ("container", "enabled", "412.50"),
        ("lambda", "disabled", None),
    ]
    assert told[0]["next"] is not None
    assert told[1]["next"] is None


def test_a_rule_and_a_parameter_that_differ_are_told_apart(stage: Scripted) -> None:
    stage.traffic.in_parameter = Weights(20, 80)
    told = picture(watching(stage).look())
    assert (told["rule"], told["parameter"], told["agree"]) == ("100:0", "20:80", False)
    assert "the next deployment writes" in told["findings"][0]["what"]


def test_nothing_is_asked_while_no_page_is_open(stage: Scripted, served: Served, asker: Asker) -> None:
    before = len(stage.mishaps.calls)
    time.sleep(0.6)
    assert len(stage.mishaps.calls) == before
    asker.seen()
    for _ in range(100):  # the page that was closed is noticed at the next word to it
        at = len(stage.mishaps.calls)
        time.sleep(0.6)
        if len(stage.mishaps.calls) == at:
            break
    else:
        pytest.fail("it goes on asking")
    assert at > before


async def test_all_pages_are_fed_by_one_look_and_the_last_to_close_ends_it() -> None:
    looks = 0

    def look() -> bytes:
        nonlocal looks
        looks += 1
        return str(looks).encode()

    feed = Feed(look, every_s=0.01)
    async with feed.open() as first, feed.open() as second, feed.open() as third:
        for _ in range(5):
            told = {await page.get() for page in (first, second, third)}
            assert (
                max(map(int, told)) <= looks <= max(map(int, told)) + 1
            )  # a look of each page's own would be three times as many
    at = looks
    await asyncio.sleep(0.1)
    assert looks <= at + 1
    async with feed.open() as again:
        assert int(await again.get()) > at


async def test_a_look_that_fails_is_followed_by_another(capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter((ValueError("a fault"), b"seen"))

    def look() -> bytes:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    feed = Feed(look, every_s=0.01)
    async with feed.open() as seen:
        assert await seen.get() == b"seen"
    assert "ValueError('a fault')" in capsys.readouterr().err


def test_the_last_word_of_a_console_is_that_it_ends(stage: Scripted) -> None:
    names: list[str] = []
    with serving(stage) as served:
        events = Asker(served).enter().events()
        assert next(events)[0] == "pulse"
        listening = threading.Thread(target=lambda: names.extend(name for name, _ in events))
        listening.start()
    listening.join(20)
    assert names[-1] == "end"


def test_a_running_switch_says_where_it_is_and_what_it_waits_for(stage: Scripted) -> None:
    plan = make_plan(stage="prod", start=Weights(100, 0), goal=all_on("container"), need=Need(units=6, why="because"))
    assert plan is not None
    Driver(stage.connect().world, owner="anna@laptop:1").begin(plan, why="<b>cheaper</b>")
    told = json.loads(json.dumps(picture(watching(stage).look())["switch"], default=vars_of))
    assert told["waits"]["what"] == "6 instances of the container lane (2 are ready)"
    assert told["waits"]["by"] == T0 + plan.prewarm_s
    assert [step["state"] for step in told["steps"]] == 5 * ["ahead"]
    assert (told["goal_words"], told["start_words"], told["why"]) == ("container 100%", "lambda 100%", "<b>cheaper</b>")
    record = stage.store.load()
    assert record is not None
    assert record.phase is Phase.PREWARM


def vars_of(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def test_the_documentation_of_the_page_names_what_each_poll_asks() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "operate.md").read_text()
    pace = Pace()
    for seconds in (pace.look_s, pace.figures_s, pace.stacks_s):
        assert f"{seconds:g} s" in text.partition("## The watch page")[2]
