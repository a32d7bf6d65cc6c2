"""The buttons over HTTP: the commands' rules, what must be said first, and who drives."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable

import msgspec
import pytest
from click.testing import CliRunner

from infra.cli import cli
from infra.config import Stage
from infra.console.actions import FRESH_S, Actions
from infra.console.driving import Drives
from infra.console.sent import BeginOrder, PlanOrder, PrewarmOrder, PromoteOrder, WishOrder
from infra.errors import KitError
from infra.operating.proposal import propose, request_of
from infra.settings.switching import Switch
from infra.switching.aws.schedules import OFF, ON
from infra.switching.driver import LEASE_S, Driver, wish
from infra.switching.ports import Said
from infra.switching.record import Phase, Record, Wish
from infra.switching.weights import Weights, all_on
from tests.infra.console.conftest import Asker
from tests.infra.console.scripted import T0, Scripted, ScriptedSchedules, Served, serving, weekday

HELD_AT = T0 + 400
"""In the second of five steps."""


def eventually(true: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def record_of(stage: Scripted) -> Record:
    record = stage.store.load()
    assert record is not None
    return record


def begin(asker: Asker, **order: object) -> None:
    told = asker.do("switch", proposal=asker.planned(), typed="prod", **order)
    assert told.status_code == 200, told.text


def held(stage: Scripted, asker: Asker) -> Record:
    """A switch that is under way, at a moment that does not pass."""
    stage.clock.until = HELD_AT
    begin(asker)
    eventually(lambda: record_of(stage).phase is Phase.VERIFY and stage.clock.now() > HELD_AT - 6, "it does not come there")
    return record_of(stage)


def anna(stage: Scripted) -> Driver:
    """Another operator, at another machine, who has begun."""
    options = {"steps": "50,100", "limits": (), "bake_s": None, "units": 4, "profile": None, "standby": None}
    request = request_of({**options, "quiet_s": 30.0, "allow_version_skew": False, "smoke_path": None})
    plan = propose(stage.connect(), all_on("container"), request).plan
    assert plan is not None
    driver = Driver(stage.connect().world, owner="anna@laptop:1")
    driver.begin(plan, why="cheaper")
    return driver


def test_a_plan_changes_nothing_and_is_the_command_s(stage: Scripted, asker: Asker) -> None:
    told = asker.do("plan", goal="split 30/70", steps="50,100", units=4).json()
    assert told["plan"]["goal"] == "30:70"
    assert [step["weights"] for step in told["plan"]["steps"]] == ["65:35", "30:70"]
    assert told["plan"]["need"] == {"units": 4, "why": "given as --units"}
    assert told["refusals"] == []
    assert (told["start"], told["goal"]) == ("lambda 100%", "lambda 30%, container 70%")
    assert asker.do("plan", goal="lambda").json() == {
        "proposal": None,
        "goal": "lambda 100%",
        "plan": None,
        "refusals": [],
        "doubts": [],
    }
    assert stage.store.load() is None


def test_a_switch_goes_to_its_end_without_a_page(stage: Scripted, asker: Asker) -> None:
    begin(asker, why="weekday load")
    eventually(lambda: record_of(stage).ended, "it does not end")
    record = record_of(stage)
    assert (record.phase, record.why, record.forced) == (Phase.DONE, "weekday load", ())
    assert str(stage.traffic.in_rule) == str(stage.traffic.in_parameter) == "0:100"
    assert [str(weights) for _, weights in stage.traffic.changes] == ["99:1", "95:5", "75:25", "50:50", "0:100"]
    told = asker.seen()
    assert told["driving"] == {"running": False, "waits": None, "notes": [], "end": "done"}
    assert [step["state"] for step in told["switch"]["steps"]] == 5 * ["gone"]
    back = asker.do("plan", back=True).json()
    assert (back["goal"], back["plan"]["steps"]) == ("lambda 100%", [{"percent": 100, "weights": "100:0"}])
    assert asker.do("switch", proposal=back["proposal"], typed="prod").status_code == 200
    eventually(lambda: record_of(stage).ended and record_of(stage).id != record.id, "it does not go back")
    assert record_of(stage).why == f"rollback of {record.id}"
    assert str(stage.traffic.in_rule) == "100:0"


@pytest.mark.parametrize("typed", ["", "prd", "staging", "PROD"])
def test_production_is_named_for_what_moves_traffic_or_hurries_it(stage: Scripted, asker: Asker, typed: str) -> None:
    refused = asker.do("switch", proposal=asker.planned(), typed=typed)
    assert (refused.status_code, refused.json()["error"]) == (409, "that is not 'prod': nothing was changed")
    assert stage.store.load() is None
    step = held(stage, asker).step
    assert asker.do("promote", step=step, typed=typed).json()["error"] == "that is not 'prod': nothing was changed"
    assert record_of(stage).wish is Wish.GO_ON


def test_another_stage_needs_no_name() -> None:
    stage = Scripted("staging")
    with serving(stage) as served:
        asker = Asker(served).enter()
        assert asker.do("switch", proposal=asker.planned()).status_code == 200
        eventually(lambda: record_of(stage).ended, "it does not end")


def test_what_is_against_it_is_gone_over_with_force_and_a_reason_alone(stage: Scripted, asker: Asker) -> None:
    stage.smokes = 1
    stage.alarms["container"] = "ALARM"
    proposal = asker.planned()
    refused = asker.do("switch", proposal=proposal, typed="prod", reason="I say so")
    assert refused.status_code == 409
    assert "refused, no traffic was moved: alarms: the container lane's alarm fires" in refused.json()["error"]
    without = asker.do("switch", proposal=proposal, typed="prod", force=True, reason="  ")
    assert (without.status_code, without.json()["error"][:7]) == (400, "say why")
    assert stage.store.load() is None
    forced = asker.do("switch", proposal=proposal, typed="prod", force=True, why="incident 12", reason="the alarm is of Lambda")
    assert forced.status_code == 200
    record = record_of(stage)
    assert record.why == "incident 12; forced: the alarm is of Lambda"
    assert [each.split(":")[0] for each in record.forced] == ["alarms", "smoke"]
    assert "FORCED over alarms" in stage.store.history(100)[0].what


def test_a_plan_is_carried_out_once_while_it_is_fresh_and_traffic_where_it_was(stage: Scripted) -> None:
    moments = [0.0]
    drives = Drives()
    actions = Actions("prod", stage.connect, drives, moment=lambda: moments[0])
    first, second = (str(actions.plan(PlanOrder("container"))["proposal"]) for _ in range(2))
    stage.traffic.in_rule = Weights(90, 10)
    with pytest.raises(KitError, match="traffic is split 90:10 by now, the plan begins at 100:0"):
        actions.begin(BeginOrder(first, typed="prod"))
    stage.traffic.in_rule = Weights(100, 0)
    moments[0] = FRESH_S + 1
    with pytest.raises(KitError, match="too old"):
        actions.begin(BeginOrder(first, typed="prod"))
    moments[0] = FRESH_S - 1
    actions.begin(BeginOrder(second, typed="prod"))
    with pytest.raises(KitError, match="too old"):
        actions.begin(BeginOrder(second, typed="prod"))
    with pytest.raises(KitError, match="too old"):
        actions.begin(BeginOrder("guessed", typed="prod"))
    eventually(lambda: not drives.running, "it does not end")


def test_a_rule_that_holds_no_weights_is_mended_by_a_forced_switch_as_on_the_command_line(
    stage: Scripted, asker: Asker
) -> None:
    stage.traffic.in_rule = None  # type: ignore[assignment]
    proposal = asker.planned()
    assert "the rule no weights of the two lanes" in asker.do("switch", proposal=proposal, typed="prod").json()["error"]
    forced = asker.do("switch", proposal=proposal, typed="prod", force=True, reason="somebody has rewritten the rule")
    assert forced.status_code == 200, forced.text
    eventually(lambda: record_of(stage).ended, "it does not end")
    assert str(stage.traffic.in_rule) == "0:100"


def test_pause_holds_resume_goes_on_promote_skips_and_abort_goes_back(stage: Scripted, asker: Asker) -> None:
    step = held(stage, asker).step
    assert "holds at its step" in asker.do("pause").json()["said"]
    stage.clock.until = HELD_AT + 1_800
    eventually(lambda: stage.clock.now() > HELD_AT + 1_790, "time does not pass")
    assert (record_of(stage).step, record_of(stage).phase) == (step, Phase.VERIFY)
    told = asker.seen()["switch"]
    assert (told["wish"], told["waits"]["held"], told["driven"]) == ("pause", True, True)
    assert "goes on" in asker.do("resume").json()["said"]
    stage.clock.until += 10
    eventually(lambda: record_of(stage).step == step + 1, "it does not go on")
    assert asker.do("promote", step=step + 1, typed="prod").status_code == 200
    stage.clock.until += 20
    eventually(lambda: record_of(stage).step == step + 2, "it is not promoted")
    assert "goes back to where it started" in asker.do("abort").json()["said"]
    stage.clock.until += 60
    eventually(lambda: record_of(stage).ended, "it does not go back")
    assert (record_of(stage).phase, str(stage.traffic.in_rule)) == (Phase.ROLLED_BACK, "100:0")
    said = [event.what for event in stage.store.history(100)]
    assert [each for each in said if each.endswith(" asked")] == ["pause asked", "go-on asked", "promote asked", "abort asked"]
    told = asker.seen()
    assert told["driving"]["end"].startswith("rolled back to 100:0 (lambda:container): aborted by an operator")
    assert [step["state"] for step in told["switch"]["steps"]] == ["left", "left", "left", "left", "ahead"]


def test_the_command_line_and_a_second_console_are_told_who_switches(stage: Scripted, asker: Asker) -> None:
    owner = held(stage, asker).owner
    by_hand = CliRunner().invoke(
        cli, ["switch", "--stage", "prod", "lambda", "--steps", "100", "--yes"], obj=stage.connect, standalone_mode=False
    )
    assert f"{owner} is switching since 7 min, at verify, step 2 of 5 (95:5); its driver is at work" in str(by_hand.exception)
    with serving(stage) as second:
        other = Asker(second).enter()
        told = other.seen()["switch"]
        assert (told["owner"], told["driven"], told["step"]) == (owner, True, 1)
        busy = other.do("switch", proposal=other.planned("lambda"), typed="prod")
        assert busy.status_code == 409
        assert f"{owner} is switching since" in busy.json()["error"]


def test_this_console_is_told_of_another_s_switch_and_takes_it_over_when_its_driver_is_gone(
    stage: Scripted, asker: Asker
) -> None:
    anna(stage)
    busy = asker.do("switch", proposal=asker.planned(), typed="prod").json()["error"]
    assert "anna@laptop:1 is switching since 0 min, at prewarm; its driver is at work" in busy
    assert "anna@laptop:1 is switching" in asker.do("resume").json()["error"]
    stage.let_pass(LEASE_S + 1)
    told = asker.seen()
    assert told["switch"]["driven"] is False
    assert "stands at prewarm and nobody drives it" in told["findings"][0]["what"]
    assert "this console drives it from prewarm on" in asker.do("resume").json()["said"]
    eventually(lambda: record_of(stage).ended, "it does not end")
    assert record_of(stage).phase is Phase.DONE
    assert record_of(stage).owner != "anna@laptop:1"


def test_taking_over_from_a_driver_at_work_is_said_so(stage: Scripted, asker: Asker) -> None:
    anna(stage)
    assert asker.do("resume", take_over=True).status_code == 200
    eventually(lambda: record_of(stage).ended, "it does not end")
    assert record_of(stage).owner != "anna@laptop:1"


def test_an_abort_whose_driver_is_gone_is_driven_here(stage: Scripted, asker: Asker) -> None:
    anna(stage)
    stage.let_pass(LEASE_S + 1)
    assert asker.do("abort").json()["said"].endswith("its driver is gone: this console drives it")
    eventually(lambda: record_of(stage).ended, "it does not go back")
    assert record_of(stage).phase is Phase.ROLLED_BACK


def awaited(stage: Scripted, asker: Asker) -> None:
    """An abort of anna's switch, a moment after it began; time stands still."""
    anna(stage)
    stage.clock.until = T0 + 10
    said = asker.do("abort").json()["said"]
    assert said.endswith("should it be gone, this console goes back itself when its lease ends")
    until = {"owner": "anna@laptop:1", "until": T0 + LEASE_S}
    eventually(lambda: asker.seen()["driving"]["waits"] == until, "it does not say for whom it waits")
    assert asker.seen()["driving"]["running"] is False
    assert record_of(stage).owner == "anna@laptop:1"


def test_an_abort_waits_for_the_lease_of_a_driver_that_died_a_moment_ago(stage: Scripted, asker: Asker) -> None:
    awaited(stage, asker)
    stage.clock.until = float("inf")
    eventually(lambda: record_of(stage).ended, "it does not go back")
    assert record_of(stage).phase is Phase.ROLLED_BACK
    assert record_of(stage).owner != "anna@laptop:1"
    assert stage.clock.now() >= T0 + LEASE_S
    eventually(lambda: asker.seen()["driving"]["waits"] is None, "it says that it waits")


def test_an_abort_that_its_driver_obeys_is_left_to_it(stage: Scripted, asker: Asker) -> None:
    awaited(stage, asker)
    wish(stage.store, Wish.GO_ON)
    stage.clock.until = float("inf")
    driving: dict[str, object] = {"running": False, "waits": None, "notes": [], "end": "done"}
    eventually(lambda: asker.seen()["driving"] == driving, "it goes on waiting")
    assert record_of(stage).owner == "anna@laptop:1"


def test_who_takes_over_does_not_wait(stage: Scripted, asker: Asker) -> None:
    awaited(stage, asker)
    assert asker.do("resume", take_over=True).status_code == 200
    stage.clock.until = T0 + 60
    eventually(lambda: str(record_of(stage).phase) == "rolled-back", "it does not go back")
    assert stage.clock.now() < T0 + LEASE_S


def test_a_console_that_ends_while_it_waits_says_that_nobody_does_any_more(stage: Scripted) -> None:
    with serving(stage) as served:
        awaited(stage, Asker(served).enter())
    assert served.said.startswith("nobody waits here any more for anna@laptop:1 to go back: see `crossover status`")


def history(stage: Scripted) -> list[str]:
    return [event.what for event in stage.store.history(100)]


def test_a_prewarm_says_what_it_raises_then_how_far_it_is_and_is_released(stage: Scripted, asker: Asker) -> None:
    lane = stage.lanes.lanes["container"]
    lane.prewarms, stage.clock.until = False, T0 + 10
    told = asker.do("prewarm-plan", lane="container", units=5).json()
    assert (told["words"], told["most"]) == ("the container lane keeps 5 instances at least (2 before)", 10)
    assert asker.do("prewarm", lane="container", units=5, typed="prd").json()["error"].startswith("that is not 'prod'")
    too_many = asker.do("prewarm-plan", lane="container", units=11)
    said = "capacity: 11 instances are needed (given as --units), 10 are the most; raise container_lane.max_instances"
    assert too_many.json()["error"] == f"refused, nothing was raised: {said}"
    assert (lane.floor, history(stage)) == (2, [])
    assert asker.do("prewarm", lane="container", units=5, typed="prod").status_code == 200
    told = asker.seen()
    assert told["prewarm"] == {
        "lane": "container",
        "units": 5,
        "kind": "instances",
        "ready": 2,
        "until": T0 + 900,
        "running": True,
        "said": "",
        "well": False,
    }
    assert told["floors"]["container"] == 5
    lane.ready, stage.clock.until = 5, T0 + 30
    eventually(lambda: asker.seen()["prewarm"]["well"], "it is not seen to be ready")
    assert history(stage)[-1] == asker.seen()["prewarm"]["said"] == "5 ready on the container lane, 5 were asked for"
    assert asker.do("prewarm-plan", lane="container", release=True).json()["released"] == 2
    assert asker.do("prewarm", lane="container", release=True, typed="").status_code == 409
    assert "from 2 up" in asker.do("prewarm", lane="container", release=True, typed="prod").json()["said"]
    assert (lane.floor, asker.seen()["prewarm"]) == (2, None)


def test_a_prewarm_without_a_number_is_for_all_traffic_and_one_that_comes_late_is_told(stage: Scripted, asker: Asker) -> None:
    stage.lanes.lanes["container"].prewarms = False
    told = asker.do("prewarm-plan", lane="container").json()
    assert "requests/s of" in told["why"]
    assert "say how many" in asker.do("prewarm", lane="container", typed="prod").json()["error"]
    assert asker.do("prewarm", lane="container", units=told["units"], wait_s=20, typed="prod").status_code == 200
    eventually(lambda: not asker.seen()["prewarm"]["running"], "it waits on")
    assert asker.seen()["prewarm"]["said"].endswith("ready on the container lane after 20 s; the rest may come yet")
    assert asker.seen()["prewarm"]["well"] is False


def test_a_switch_sees_to_its_lanes_by_itself(stage: Scripted, asker: Asker) -> None:
    held(stage, asker)
    for name in ("prewarm-plan", "prewarm"):
        for release in (False, True):
            refused = asker.do(name, lane="container", units=5, release=release, typed="prod")
            assert refused.json()["error"].endswith("it sees to its lanes by itself")


def test_scheduled_switches_are_held_and_let_go_as_by_the_command(stage: Scripted, asker: Asker) -> None:
    assert "has no scheduled switches" in asker.do("schedule", on=False).json()["error"]
    stage.schedules = ScriptedSchedules(weekday("container", 7 * 60), weekday("lambda", 22 * 60))
    told = asker.do("schedule", on=False).json()
    assert told == {"said": "paused: mon-fri-0700-container; paused: mon-fri-2200-lambda"}
    assert {each.state for each in stage.schedules.all()} == {OFF}
    assert asker.do("schedule", on=False).json() == {"said": "all are paused already"}
    assert asker.do("schedule", on=True, names=["mon-fri-0700-container"]).status_code == 200
    assert [each.state for each in stage.schedules.all()] == [ON, OFF]


def test_without_a_switch_there_is_nothing_to_wish_for(asker: Asker) -> None:
    for name, order in {"pause": {}, "promote": {"step": 0, "typed": "prod"}, "abort": {}, "resume": {}}.items():
        assert asker.do(name, **order).json() == {"error": "there is no unfinished switch"}
    assert "there has been no switch of prod to go back from" in asker.do("plan", back=True).json()["error"]


def test_a_console_that_ends_lets_go_and_says_so_and_another_goes_on(stage: Scripted) -> None:
    with serving(stage) as served:
        held(stage, Asker(served).enter())
    assert served.said.startswith("stopped at verify, step 2 of 5 (95:5); traffic stays as it is. To go on: `crossover resume")
    record = record_of(stage)
    assert (record.ended, record.lease_until <= stage.clock.now()) == (False, True)
    stage.clock.until = float("inf")
    with serving(stage) as again:
        asker = Asker(again).enter()
        assert asker.do("resume").status_code == 200
        eventually(lambda: record_of(stage).ended, "it does not end")
    assert again.said == ""
    assert str(stage.traffic.in_rule) == "0:100"


def test_a_second_driver_is_not_begun_beside_the_first(stage: Scripted, asker: Asker, served: Served) -> None:
    held(stage, asker)
    told = asker.do("resume", take_over=True)
    assert told.json() == {"error": "this console is driving a switch: pause, promote or abort that"}


ELSEWHERE = {
    "stage", "region", "as_json", "help",  # the console's own options
    "profile",  # of `crossover console`, for a page names no files
    "dry_run", "yes",  # every switch on the page begins with its plan, and is confirmed
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "orders"),
    [
        ("switch", (PlanOrder, BeginOrder)),
        ("plan", (PlanOrder,)),
        ("rollback", (PlanOrder, BeginOrder)),
        ("pause", (WishOrder,)),
        ("resume", (WishOrder,)),
        ("promote", (PromoteOrder,)),
        ("abort", (WishOrder,)),
        ("prewarm", (PrewarmOrder,)),
    ],
)
def test_a_button_has_every_option_of_its_command(name: str, orders: tuple[type[msgspec.Struct], ...]) -> None:
    command = importlib.import_module(f"infra.commands.{name}").command
    asked = {parameter.name for parameter in command.params} - ELSEWHERE
    assert asked <= {field for order in orders for field in order.__struct_fields__}


def test_a_gate_of_the_settings_holds_the_page_s_switch_and_is_gone_over_by_saying_so(
    stage: Scripted, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = "https://freeze.example.com/ok"
    settings = Stage(name="prod", switch=Switch(gates=(gate,), gate_hold_s=3_600))
    monkeypatch.setattr("infra.operating.callouts.settings_of", lambda name: settings)
    stage.hooks.answers[gate] = Said(passes=False, words="frozen until Monday")
    stage.clock.until = T0 + 30
    begin(asker)
    eventually(lambda: record_of(stage).held != "", "no gate is asked")
    told = asker.seen()["switch"]
    assert told["waits"]["what"].endswith("which holds it: frozen until Monday")
    assert str(stage.traffic.in_rule) == "100:0"
    assert "goes over the gate" in asker.do("promote", step=0, typed="prod", over_gate=True).json()["said"]
    stage.clock.until = T0 + 60
    eventually(lambda: str(stage.traffic.in_rule) == "99:1", "the step is not taken")
    left = asker.do("plan", goal="lambda", gates=["none"]).json()
    assert left["plan"]["callouts"]["gates"] == []
    assert "left out" in left["warnings"][0]
    stage.hooks.answers.clear()
