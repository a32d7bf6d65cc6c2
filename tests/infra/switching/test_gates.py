"""Gates hold a step and nothing else does; a switch with gates is killed before and after every single call."""

from __future__ import annotations

from typing import Any

import pytest

from infra.switching.driver import LEASE_S, Driver, wish
from infra.switching.plan import Callouts, Limits, Need, Plan, make_plan
from infra.switching.ports import NoHooks, Said
from infra.switching.record import Phase, Record, Wish
from infra.switching.weights import all_on
from tests.infra.switching.world import Killed, Stage, stage_at

LIMITS = Limits(bake_s=60, max_bake_s=300, min_samples=50)
FREEZE, SMOKE = "https://freeze.example.com/may-i", "command:./smoke --fast"
SLACK = "slack:env:SLACK_URL"
BOTH = Callouts(gates=(FREEZE, SMOKE), hooks=("command:./annotate",), notify=(SLACK,), hold_s=600)


def plan_with(callouts: Callouts = BOTH) -> Plan:
    plan = make_plan(
        stage="prod",
        start=all_on("lambda"),
        goal=all_on("container"),
        percents=(5, 50, 100),
        need=Need(units=6, why="100/s at 20/s an instance"),
        limits=LIMITS,
        standby=1,
        floor=2,
        callouts=callouts,
    )
    assert plan is not None
    return plan


def switch(stage: Stage, callouts: Callouts = BOTH) -> Record:
    driver = Driver(stage.world, owner="ops@laptop")
    return driver.run(driver.begin(plan_with(callouts), why="cheaper"))


def said(stage: Stage) -> str:
    return "\n".join(event.what for event in stage.store.events)


def events(stage: Stage, target: str = SLACK) -> list[str]:
    return [told["event"] for to, told in stage.hooks.sent if to == target]


def at_share(stage: Stage, share: float) -> bool:
    return stage.traffic.in_rule.share("container") == share


def test_each_gate_is_asked_before_each_step_and_told_all_that_is_known() -> None:
    stage = stage_at("100:0")
    shares: list[float] = []

    def gate(target: str, told: dict[str, Any]) -> Said:
        shares.append(stage.traffic.in_rule.share("container"))
        return Said(passes=True)

    stage.hooks.gate = gate
    assert switch(stage).phase is Phase.DONE
    assert [target for target, _ in stage.hooks.asked] == [FREEZE, SMOKE] * 3
    assert shares == [0, 0, 0.05, 0.05, 0.5, 0.5]
    first, second = stage.hooks.asked[0][1], stage.hooks.asked[2][1]
    assert {name: first[name] for name in ("event", "stage", "from", "to", "phase", "who", "why")} == {
        "event": "before-step",
        "stage": "prod",
        "from": "100:0",
        "to": "0:100",
        "phase": "gate",
        "who": "ops@laptop",
        "why": "cheaper",
    }
    assert first["step"] == {"number": 1, "of": 3, "weights": "95:5"}
    assert second["figures"]["container"]["requests"] >= LIMITS.min_samples
    assert len({told["id"] for _, told in stage.hooks.asked}) == 6


def test_a_gate_that_says_no_is_asked_again_until_it_says_yes() -> None:
    stage = stage_at("100:0")
    opens = stage.clock.at + 300
    stage.hooks.gate = lambda target, told: Said(stage.clock.at >= opens, "HTTP 423: change freeze until noon")
    assert switch(stage).phase is Phase.DONE
    assert stage.traffic.changes[0][0] >= opens
    ids = [told["id"] for target, told in stage.hooks.asked if target == FREEZE and told["step"]["number"] == 1]
    assert len(ids) > 10 and len(set(ids)) == 1
    held = [event.what for event in stage.store.events if "holds step" in event.what]
    assert held == ["https://freeze.example.com/… holds step 1 of 3: HTTP 423: change freeze until noon"]
    assert events(stage)[:2] == ["begun", "held"]


def test_a_gate_that_never_opens_refuses_the_first_step_and_no_traffic_moves() -> None:
    stage = stage_at("100:0")
    stage.hooks.gate = lambda target, told: Said(False, "exit code 1: too many errors")
    ended = switch(stage)
    assert ended.phase is Phase.REFUSED
    assert ended.reason.endswith("held step 1 of 3 for 600 s: exit code 1: too many errors; no traffic was moved")
    assert stage.traffic.changes == []
    assert stage.lanes.lanes["container"].floor == 2
    assert events(stage) == ["begun", "held", "refused"]


def test_a_gate_that_closes_later_brings_traffic_back_to_where_it_started() -> None:
    stage = stage_at("100:0")
    stage.hooks.gate = lambda target, told: Said(not at_share(stage, 0.5), "HTTP 503")
    ended = switch(stage)
    assert ended.phase is Phase.ROLLED_BACK
    assert "held step 3 of 3 for 600 s: HTTP 503" in ended.reason
    assert stage.traffic.in_rule == stage.traffic.in_parameter == all_on("lambda")
    assert events(stage) == ["begun", "step-done", "step-done", "held", "rolling-back", "rolled-back"]


def test_a_lane_that_falls_sick_while_a_gate_holds_is_left_at_once() -> None:
    stage = stage_at("100:0", rps=1_000.0)
    fell: list[float] = []

    def gate(target: str, told: dict[str, Any]) -> Said:
        if not at_share(stage, 0.5):
            return Said(True)
        if not fell:
            fell.append(stage.clock.at)
            stage.lanes.lanes["container"].error_share = 0.5
        return Said(False, "wait")

    stage.hooks.gate = gate
    ended = switch(stage)
    assert ended.phase is Phase.ROLLED_BACK
    assert "errors" in ended.reason
    assert stage.traffic.changes[-1][0] - fell[0] <= 15
    assert stage.hooks.sent[-1][1]["runbook"] == "docs/runbooks/container-5xx.md"


def test_weights_changed_while_a_gate_holds_are_those_of_the_step_before_again() -> None:
    stage = stage_at("100:0")
    done: list[float] = []

    def gate(target: str, told: dict[str, Any]) -> Said:
        if at_share(stage, 0.5) and not done:
            done.append(stage.clock.at)
            stage.traffic.in_rule = all_on("lambda")
            return Said(False, "wait")
        return Said(True)

    stage.hooks.gate = gate
    assert switch(stage).phase is Phase.DONE
    assert "somebody changed them; 50:50 is written again" in said(stage)


def test_a_pause_is_not_held_against_a_gate_and_asks_it_nothing() -> None:
    stage = stage_at("100:0")
    asked_in_pause: list[float] = []
    state = {"paused": 0.0, "open": False}

    def gate(target: str, told: dict[str, Any]) -> Said:
        if at_share(stage, 0.5) and not state["open"]:
            if state["paused"]:
                asked_in_pause.append(stage.clock.at)
            else:
                state["paused"] = stage.clock.at
                wish(stage.store, Wish.PAUSE)
            return Said(False, "wait")
        return Said(True)

    def go_on(now: float) -> None:
        if state["paused"] and now > state["paused"] + 2_000 and not state["open"]:
            state["open"] = True
            wish(stage.store, Wish.GO_ON)

    stage.hooks.gate = gate
    stage.clock.on_sleep.append(go_on)
    assert switch(stage).phase is Phase.DONE
    assert asked_in_pause == []


@pytest.mark.parametrize(
    ("asked", "ends"), [(Wish.OVERRULE, Phase.DONE), (Wish.PROMOTE, Phase.REFUSED), (Wish.ABORT, Phase.ROLLED_BACK)]
)
def test_only_an_operator_who_says_so_goes_over_a_gate(asked: Wish, ends: Phase) -> None:
    stage = stage_at("100:0")
    since = stage.clock.at

    def ask(now: float) -> None:
        record = stage.store.load()
        if now > since + 60 and record is not None and record.phase is Phase.GATE and record.wish is not asked:
            wish(stage.store, asked)

    stage.hooks.gate = lambda target, told: Said(False, "HTTP 500: broken")
    stage.clock.on_sleep.append(ask)
    assert switch(stage).phase is ends
    assert ("by an operator's word (HTTP 500: broken)" in said(stage)) is (asked is Wish.OVERRULE)


def test_a_driver_that_can_call_no_gates_is_held_by_them() -> None:
    stage = stage_at("100:0")
    stage.hooks = NoHooks()  # type: ignore[assignment]
    ended = switch(stage)
    assert ended.phase is Phase.REFUSED
    assert "this driver calls no gates" in ended.reason


# What is only told


def test_hooks_are_called_after_steps_and_at_the_end_and_people_are_told_all() -> None:
    stage = stage_at("100:0")
    assert switch(stage).phase is Phase.DONE
    assert events(stage) == ["begun", "step-done", "step-done", "step-done", "done"]
    assert events(stage, "command:./annotate") == ["step-done", "step-done", "step-done", "done"]
    steps = [told["step"]["number"] for to, told in stage.hooks.sent if to == SLACK and told["event"] == "step-done"]
    assert steps == [1, 2, 3]
    assert all(told["figures"]["container"]["p99_ms"] == 400.0 for _, told in stage.hooks.sent if told["event"] == "step-done")


def test_what_cannot_be_told_changes_nothing_but_the_history() -> None:
    well, down = stage_at("100:0"), stage_at("100:0")
    down.hooks.down = {SLACK, "command:./annotate"}
    assert switch(well).phase is switch(down).phase is Phase.DONE
    assert [weights for _, weights in down.traffic.changes] == [weights for _, weights in well.traffic.changes]
    assert down.traffic.changes[-1][0] == well.traffic.changes[-1][0]
    failed = [event.what for event in down.store.events if "could not be told" in event.what]
    assert len(failed) == 9


def test_who_takes_over_is_told_and_a_driver_that_goes_on_by_itself_is_not() -> None:
    stage = stage_at("100:0")
    anna = Driver(stage.world, owner="anna@laptop")
    anna.begin(plan_with(), why="cheaper")
    anna.take_over()
    assert events(stage) == ["begun"]
    stage.clock.at += LEASE_S + 1
    Driver(stage.world, owner="ben@laptop").take_over()
    assert events(stage) == ["begun", "taken-over"]


# What dies


def _calls() -> list[str]:
    stage = stage_at("100:0")
    switch(stage)
    return stage.mishaps.calls


CALLS = _calls()


@pytest.mark.parametrize("how", ["kill-before", "kill-after"])
def test_killed_at_any_call_no_step_is_taken_that_its_gates_have_not_let_pass(how: str) -> None:
    assert CALLS.count("ask gate") == 6
    for number in range(1, len(CALLS) + 1):
        stage = stage_at("100:0")
        stage.mishaps.at[number] = how
        with pytest.raises(Killed):
            switch(stage)
        stage.mishaps.at.clear()
        record = stage.store.load()
        if record is not None and record.ended:
            continue
        where = f"killed {how} call {number} ({CALLS[number - 1]})"
        stage.clock.at += LEASE_S + 1
        driver = Driver(stage.world, owner="ben@laptop")
        ended = driver.run(driver.begin(plan_with(), why="again") if record is None else driver.take_over())
        assert ended.phase is Phase.DONE, where
        assert stage.traffic.in_rule == stage.traffic.in_parameter == all_on("container"), where
        by_gate = [[told["id"] for to, told in stage.hooks.asked if to == gate] for gate in (FREEZE, SMOKE)]
        for ids in by_gate:
            # Each step's gate was asked; at most the one under way was asked once more, with the same id.
            assert len(set(ids)) == 3, where
        assert sum(map(len, by_gate)) <= 7, where


def test_killed_at_any_call_while_a_gate_holds_nothing_is_moved_and_it_is_refused_all_the_same() -> None:
    number, killed = 0, True
    while killed:
        number, killed = number + 1, False
        stage = stage_at("100:0")
        stage.hooks.gate = lambda target, told: Said(target == FREEZE, "exit code 1")
        stage.mishaps.at[number] = "kill-after"
        brief = Callouts(gates=(FREEZE, SMOKE), hold_s=12)
        try:
            record = switch(stage, brief)
        except Killed:
            killed = True
            stage.mishaps.at.clear()
            found = stage.store.load()
            stage.clock.at += LEASE_S + 1
            driver = Driver(stage.world, owner="ben@laptop")
            if found is not None and found.ended:
                record = found
            else:
                record = driver.run(driver.begin(plan_with(brief), why="again") if found is None else driver.take_over())
        assert record.phase is Phase.REFUSED
        assert stage.traffic.changes == []
        assert len([target for target, _ in stage.hooks.asked if target == FREEZE]) <= 2
    assert number > 30
