"""A switch driven to its end through everything that can go wrong, and killed before and after every single call."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace as changed
from typing import Any

import pytest
from msgspec.structs import replace as changed_record

from infra.errors import UnknownState
from infra.switching.driver import LEASE_S, Busy, Driver, wish
from infra.switching.plan import Callouts, Limits, Need, Plan, make_plan
from infra.switching.ports import Superseded, Unreachable
from infra.switching.record import Phase, Record, Wish
from infra.switching.verdict import Figures
from infra.switching.weights import Weights, all_on, parse_weights
from tests.infra.switching.world import Killed, Stage, stage_at

LIMITS = Limits(bake_s=60, max_bake_s=300, min_samples=50)


def to_container(stage: Stage, **more: Any) -> Plan:
    plan = make_plan(
        stage="prod",
        start=stage.traffic.in_rule,
        goal=all_on("container"),
        need=Need(units=6, why="100/s at 20/s an instance"),
        limits=LIMITS,
        standby=1,
        floor=2,
        **more,
    )
    assert plan is not None
    return plan


def switch(stage: Stage, plan: Plan | None = None) -> Record:
    driver = Driver(stage.world, owner="ops@laptop")
    return driver.run(driver.begin(plan or to_container(stage), why="cheaper"))


def said(stage: Stage) -> str:
    return "\n".join(event.what for event in stage.store.events)


def test_a_switch_goes_step_by_step_and_scales_the_old_lane_down() -> None:
    stage = stage_at("100:0")
    ended = switch(stage)
    assert ended.phase is Phase.DONE
    assert [str(weights) for _, weights in stage.traffic.changes] == ["99:1", "95:5", "75:25", "50:50", "0:100"]
    assert stage.traffic.in_parameter == all_on("container")
    assert stage.lanes.lanes["container"].ready == 6
    assert stage.lanes.lanes["lambda"].standing == 1
    assert stage.lanes.lanes["container"].floor == 2
    moments = [at for at, _ in stage.traffic.changes]
    assert all(later - earlier >= LIMITS.bake_s for earlier, later in itertools.pairwise(moments))


def test_few_samples_extend_the_bake_and_are_never_promoted() -> None:
    patient = stage_at("100:0", rps=50.0)  # 1% of it: 0.5/s, 50 samples after 100 s
    assert switch(patient).phase is Phase.DONE
    first, second = (at for at, _ in patient.traffic.changes[:2])
    assert second - first >= 100
    silent = stage_at("100:0", rps=1.0)
    ended = switch(silent)
    assert ended.phase is Phase.ROLLED_BACK
    assert "of 50 requests seen" in ended.reason
    assert "what is not known is not promoted" in ended.reason
    assert silent.traffic.in_rule == all_on("lambda")


@pytest.mark.parametrize(
    ("ailment", "reason"),
    [
        ({"error_share": 0.2}, "errors"),
        ({"p99_ms": 5_000.0}, "p99"),
        ({"lag_ms": 400.0}, "event-loop lag"),
        ({"told": False}, "not known"),
    ],
)
def test_a_sick_or_silent_lane_is_left_again_at_the_first_step(ailment: dict[str, Any], reason: str) -> None:
    stage = stage_at("100:0", rps=1_000.0)
    lane = stage.lanes.lanes["container"]
    stage.lanes.lanes["container"] = changed(lane, **ailment)
    ended = switch(stage)
    assert ended.phase is Phase.ROLLED_BACK
    assert reason in ended.reason
    assert stage.traffic.in_rule == stage.traffic.in_parameter == all_on("lambda")
    assert max(weights.share("container") for _, weights in stage.traffic.changes) == 0.01


def test_a_sick_lane_is_left_within_one_look_of_being_seen() -> None:
    stage = stage_at("100:0", rps=1_000.0)
    fell: list[float] = []

    def fall(now: float) -> None:
        if stage.traffic.in_rule.share("container") == 0.5 and not fell:
            fell.append(now)
            stage.lanes.lanes["container"].error_share = 0.5

    stage.clock.on_sleep.append(fall)
    assert switch(stage).phase is Phase.ROLLED_BACK
    assert stage.traffic.changes[-1][0] - fell[0] <= 10
    assert stage.traffic.in_rule == all_on("lambda")


def test_when_the_old_lane_dies_meanwhile_traffic_goes_to_the_new_one() -> None:
    stage = stage_at("100:0", rps=1_000.0)

    def fall(now: float) -> None:
        if stage.traffic.in_rule.share("container") == 0.5:
            stage.lanes.lanes["lambda"].error_share = 0.9
            stage.lanes.lanes["container"].error_share = 0.05

    stage.clock.on_sleep.append(fall)
    ended = switch(stage)
    assert ended.phase is Phase.ROLLED_BACK
    assert ended.reason.startswith("BOTH LANES ARE SICK, staying on the less sick one")
    assert stage.traffic.in_rule == all_on("container")


def test_a_lane_that_does_not_get_ready_is_refused_and_no_traffic_moves() -> None:
    stage = stage_at("100:0")
    stage.lanes.lanes["container"].prewarms = False
    ended = switch(stage)
    assert ended.phase is Phase.REFUSED
    assert "2 of 6 ready after 900 s; no traffic was moved" in ended.reason
    assert stage.traffic.changes == []
    assert stage.lanes.lanes["container"].floor == 2


@pytest.mark.parametrize("strange", [False, True])
def test_weights_that_somebody_changes_meanwhile_are_written_again(strange: bool) -> None:
    """Also where a rule leads somewhere else altogether, which its adapter tells as no weights."""
    stage = stage_at("100:0")
    done: list[float] = []

    def deploy(now: float) -> None:
        if stage.traffic.in_rule.share("container") == 0.25 and not done:
            done.append(now)
            stage.traffic.in_rule = all_on("lambda")
            if strange:
                read, write = stage.traffic.rule, stage.traffic.write
                stage.traffic.rule = lambda: None  # type: ignore[method-assign]

                def mend(weights: Weights) -> None:
                    stage.traffic.rule, stage.traffic.write = read, write  # type: ignore[method-assign]
                    write(weights)

                stage.traffic.write = mend  # type: ignore[method-assign]

    stage.clock.on_sleep.append(deploy)
    assert switch(stage).phase is Phase.DONE
    assert "somebody changed them" in said(stage)
    quarter = [at for at, weights in stage.traffic.changes if weights.share("container") == 0.25]
    assert quarter[-1] - done[0] <= 10


def test_a_lane_that_is_still_asked_is_never_scaled_down() -> None:
    stage = stage_at("100:0")
    plan = to_container(stage)
    tell = stage.lanes.figures

    def still_asked(lane: str, since: float) -> Figures:
        told = tell(lane, since)
        return told if lane == "container" else changed_record(told, requests=max(1, told.requests or 0))

    stage.lanes.figures = still_asked  # type: ignore[method-assign]
    ended = switch(stage, plan)
    assert ended.phase is Phase.DONE
    assert "still asked" in said(stage)
    assert stage.lanes.lanes["lambda"].standing == 4


def test_a_split_keeps_both_lanes() -> None:
    stage = stage_at("100:0")
    plan = make_plan(stage="prod", start=all_on("lambda"), goal=Weights(30, 70), limits=LIMITS, standby=1)
    assert plan is not None
    assert switch(stage, plan).phase is Phase.DONE
    assert str(stage.traffic.in_rule) == "30:70"
    assert stage.lanes.lanes["lambda"].standing == 4


# Two operators, pausing, promoting, aborting


def test_the_second_operator_is_told_who_and_where() -> None:
    stage = stage_at("100:0")
    Driver(stage.world, owner="anna@laptop").begin(to_container(stage), why="cheaper")
    stage.clock.at += 60
    other = Driver(stage.world, owner="ben@laptop")
    with pytest.raises(Busy, match=r"anna@laptop is switching since 1 min, at prewarm; its driver is at work"):
        other.begin(to_container(stage), why="me too")
    with pytest.raises(Busy, match="anna@laptop"):
        other.take_over()
    stage.clock.at += LEASE_S
    assert other.run(other.take_over()).phase is Phase.DONE


def test_a_driver_that_was_taken_over_stops_before_it_changes_anything() -> None:
    stage = stage_at("100:0")
    first = Driver(stage.world, owner="anna@laptop")
    record = first.begin(to_container(stage), why="cheaper")
    Driver(stage.world, owner="ben@laptop").take_over(force=True)
    with pytest.raises(Superseded, match=r"ben@laptop is switching .*; this driver stops"):
        first.run(record)
    assert stage.traffic.changes == []


def test_a_driver_that_slept_through_its_lease_looks_anew_before_it_changes_anything() -> None:
    stage = stage_at("100:0")
    driver = Driver(stage.world, owner="anna@laptop")
    record = driver.begin(to_container(stage), why="cheaper")
    save, slept = stage.store.save, False

    def sleepy(record: Record) -> Record:
        nonlocal slept
        written = save(record)
        if record.phase is Phase.SHIFT and not slept:
            slept = True
            stage.clock.at += LEASE_S + 1
            Driver(stage.world, owner="ben@laptop").take_over()
        return written

    stage.store.save = sleepy  # type: ignore[method-assign]
    with pytest.raises(Superseded, match="ben@laptop"):
        driver.run(record)
    assert stage.traffic.changes == []


def _at_share(stage: Stage, share: float, asked: Wish) -> list[float]:
    when: list[float] = []

    def ask(now: float) -> None:
        if stage.traffic.in_rule.share("container") == share and not when:
            when.append(now)
            wish(stage.store, asked)

    stage.clock.on_sleep.append(ask)
    return when


def _before_a_save(stage: Stage, so: Callable[[Record], bool], do: Callable[[], object]) -> list[float]:
    """`do` once, between a look and the write that follows from it."""
    save = stage.store.save
    when: list[float] = []

    def interrupted(record: Record) -> Record:
        if not when and so(record):
            when.append(stage.clock.now())
            do()
        return save(record)

    stage.store.save = interrupted  # type: ignore[method-assign]
    return when


def _go_on_later(stage: Stage, paused: list[float]) -> None:
    stage.clock.on_sleep.append(lambda now: wish(stage.store, Wish.GO_ON) if paused and now == paused[0] + 50 else None)


@pytest.mark.parametrize(("asked", "ends"), [(Wish.PAUSE, Phase.DONE), (Wish.ABORT, Phase.ROLLED_BACK)])
def test_where_a_wish_comes_between_a_look_and_its_write_nothing_is_done_that_is_not_written(asked: Wish, ends: Phase) -> None:
    stage = stage_at("100:0")
    write = stage.traffic.write

    def as_recorded(weights: Weights) -> None:
        record = stage.store.load()
        assert record is not None
        assert str(weights) == (record.plan.steps[record.step].weights if record.phase is Phase.SHIFT else record.rollback_to)
        write(weights)

    stage.traffic.write = as_recorded  # type: ignore[method-assign]
    _go_on_later(stage, _before_a_save(stage, lambda it: it.step == 2, lambda: wish(stage.store, asked)))
    assert switch(stage).phase is ends


def test_the_same_wish_left_twice_does_not_stop_the_driver() -> None:
    stage = stage_at("100:0")
    _at_share(stage, 0.25, Wish.PAUSE)
    twice = _before_a_save(stage, lambda it: it.wish is Wish.PAUSE and _held(stage), lambda: wish(stage.store, Wish.PAUSE))
    _go_on_later(stage, twice)
    assert switch(stage).phase is Phase.DONE
    assert twice


def _held(stage: Stage) -> bool:
    record = stage.store.load()
    return record is not None and record.wish is Wish.PAUSE


def test_a_lost_write_is_not_taken_for_written_because_somebody_left_a_wish() -> None:
    stage = stage_at("100:0")
    save = stage.store.save
    lost: list[Record] = []

    def lose(record: Record) -> Record:
        if record.step == 2 and not lost:
            lost.append(record)
            wish(stage.store, Wish.ABORT)
            raise Unreachable("no answer")
        return save(record)

    stage.store.save = lose  # type: ignore[method-assign]
    assert switch(stage).phase is Phase.ROLLED_BACK
    assert lost
    assert max(weights.share("container") for _, weights in stage.traffic.changes) == 0.05


def test_a_move_that_could_not_be_written_for_long_is_decided_anew() -> None:
    """A lane that falls sick while AWS cannot be asked gets no more traffic once it can."""
    stage = stage_at("100:0", rps=1_000.0)

    def fall_sick() -> None:
        stage.lanes.lanes["container"].error_share = 0.5

    away = _before_a_save(stage, lambda it: it.step == 2, fall_sick)
    stage.mishaps.always = lambda name: bool(away) and name in ("save", "load") and stage.clock.now() < away[0] + 120
    assert switch(stage).phase is Phase.ROLLED_BACK
    assert max(weights.share("container") for _, weights in stage.traffic.changes) == 0.05


def to_lambda(stage: Stage) -> Plan:
    """From a container lane that has grown to 6 instances and would shrink with its load."""
    stage.lanes.lanes["container"] = changed(stage.lanes.lanes["container"], floor=2, standing=6)
    plan = make_plan(
        stage="prod",
        start=stage.traffic.in_rule,
        goal=all_on("lambda"),
        limits=LIMITS,
        standby=2,
        keep=6,
        keep_floor=2,
    )
    assert plan is not None
    return plan


def _floors_while_split(stage: Stage) -> set[int]:
    found: set[int] = set()

    def look(now: float) -> None:
        if 0 < stage.traffic.in_rule.share("lambda") < 1:
            found.add(stage.lanes.lanes["container"].floor)

    stage.clock.on_sleep.append(look)
    return found


def test_the_old_lane_keeps_what_going_back_would_need_until_the_end() -> None:
    stage = stage_at("0:100")
    floors = _floors_while_split(stage)
    assert switch(stage, to_lambda(stage)).phase is Phase.DONE
    assert floors == {6}
    assert (stage.lanes.lanes["container"].floor, stage.lanes.lanes["container"].standing) == (2, 2)


def test_after_going_back_the_old_lane_follows_its_load_again() -> None:
    stage = stage_at("0:100", rps=1_000.0)
    stage.lanes.lanes["lambda"].error_share = 0.3
    floors = _floors_while_split(stage)
    assert switch(stage, to_lambda(stage)).phase is Phase.ROLLED_BACK
    assert floors == {6}
    assert stage.lanes.lanes["container"].floor == 2
    assert "container lane follows its load again, from 2 up" in said(stage)


@pytest.mark.parametrize("ends", [Phase.DONE, Phase.ROLLED_BACK])
def test_killed_at_any_call_the_old_lane_is_let_go_all_the_same(ends: Phase) -> None:
    def at_start() -> Stage:
        stage = stage_at("0:100", rps=1_000.0)
        stage.lanes.lanes["lambda"].error_share = 0.0 if ends is Phase.DONE else 0.3
        return stage

    probe = at_start()
    switch(probe, to_lambda(probe))
    for number in range(3, len(probe.mishaps.calls) + 1, 3):
        stage = at_start()
        plan = to_lambda(stage)
        stage.mishaps.at[number] = "kill-after"
        with pytest.raises(Killed):
            switch(stage, plan)
        stage.mishaps.at.clear()
        record = stage.store.load()
        assert record is not None
        if not record.ended:
            record = _finish(stage)
        assert record.phase is ends
        assert stage.lanes.lanes["container"].floor == 2


def test_a_paused_switch_holds_until_it_is_told_to_go_on() -> None:
    stage = stage_at("100:0")
    paused = _at_share(stage, 0.25, Wish.PAUSE)

    def go_on(now: float) -> None:
        if paused and now > paused[0] + 1_000:
            stage.clock.on_sleep.remove(go_on)
            wish(stage.store, Wish.GO_ON)

    stage.clock.on_sleep.append(go_on)
    assert switch(stage).phase is Phase.DONE
    quarter, half = (at for at, weights in stage.traffic.changes if weights.share("container") in (0.25, 0.5))
    assert half - quarter > 1_000


@pytest.mark.parametrize("phase", [Phase.PREWARM, Phase.VERIFY, Phase.COOL])
def test_a_pause_of_hours_counts_for_no_limit(phase: Phase) -> None:
    """What is not known at the moment at which it goes on must not end it at once, nor a pause itself."""
    stage = stage_at("100:0")
    container, on_lambda = stage.lanes.lanes["container"], stage.lanes.lanes["lambda"]
    paused: list[float] = []

    def hold(now: float) -> None:
        record = stage.store.load()
        if record is not None and record.phase is phase and not paused:
            paused.append(now)
            wish(stage.store, Wish.PAUSE)
            container.told = on_lambda.told = container.prewarms = False
        if paused and now == paused[0] + 20_000:
            wish(stage.store, Wish.GO_ON)
        if paused and now == paused[0] + 20_100:
            container.told = on_lambda.told = container.prewarms = True

    stage.clock.on_sleep.append(hold)
    ended = switch(stage)
    assert (ended.phase, ended.reason) == (Phase.DONE, "")
    assert stage.lanes.lanes["lambda"].standing == 1
    assert stage.clock.now() > paused[0] + 20_100


def test_a_wish_that_comes_while_a_step_is_decided_goes_before_the_step() -> None:
    """Between the look and the write: the step is not taken, for the record does not have it."""
    stage = stage_at("100:0")
    save, asked = stage.store.save, False

    def meanwhile(record: Record) -> Record:
        nonlocal asked
        if record.phase is Phase.SHIFT and record.step == 2 and not asked:
            asked = True
            wish(stage.store, Wish.ABORT)
        return save(record)

    stage.store.save = meanwhile  # type: ignore[method-assign]
    ended = switch(stage)
    assert (ended.phase, ended.reason) == (Phase.ROLLED_BACK, "aborted by an operator")
    assert [str(weights) for _, weights in stage.traffic.changes] == ["99:1", "95:5", "100:0"]
    assert "now lambda 75%" not in said(stage)


def test_a_paused_switch_still_leaves_a_sick_lane() -> None:
    stage = stage_at("100:0", rps=1_000.0)
    paused = _at_share(stage, 0.25, Wish.PAUSE)

    def fall(now: float) -> None:
        if paused and now > paused[0] + 100:
            stage.lanes.lanes["container"].error_share = 0.5

    stage.clock.on_sleep.append(fall)
    assert switch(stage).phase is Phase.ROLLED_BACK


def test_promoting_skips_the_rest_of_one_bake_only() -> None:
    stage = stage_at("100:0")
    _at_share(stage, 0.05, Wish.PROMOTE)
    assert switch(stage).phase is Phase.DONE
    moments = {weights.share("container"): at for at, weights in stage.traffic.changes}
    assert moments[0.25] - moments[0.05] < LIMITS.bake_s
    assert moments[0.5] - moments[0.25] >= LIMITS.bake_s
    assert "promoted by an operator" in said(stage)


def test_aborting_goes_back_to_where_it_started() -> None:
    stage = stage_at("80:20")
    _at_share(stage, 0.6, Wish.ABORT)
    ended = switch(stage)
    assert ended.phase is Phase.ROLLED_BACK
    assert ended.reason == "aborted by an operator"
    assert str(stage.traffic.in_rule) == "80:20"


# What dies


def _calls_of_a_whole_switch() -> list[str]:
    stage = stage_at("100:0")
    switch(stage)
    return stage.mishaps.calls


CALLS = _calls_of_a_whole_switch()


def _finish(stage: Stage, owner: str = "ben@laptop", after_s: float = LEASE_S + 1) -> Record:
    """What an operator does who finds a dead switch: resume it, or begin it where nothing was written yet."""
    stage.clock.at += after_s
    driver = Driver(stage.world, owner=owner)
    record = stage.store.load()
    return driver.run(driver.begin(to_container(stage), why="again") if record is None or record.ended else driver.take_over())


HOURS_LATER = 5 * 3_600.0


@pytest.mark.parametrize(
    ("how", "after_s"), [("kill-before", LEASE_S + 1), ("kill-after", LEASE_S + 1), ("kill-after", HOURS_LATER)]
)
def test_killed_at_any_call_it_is_resumed_and_ends_on_the_goal(how: str, after_s: float) -> None:
    """Hours later too, from each record that was written: no limit of a phase counts the time in which nobody drove it."""
    for number in range(1, len(CALLS) + 1):
        if after_s == HOURS_LATER and CALLS[number - 1] != "save":
            continue
        stage = stage_at("100:0")
        stage.mishaps.at[number] = how
        with pytest.raises(Killed):
            switch(stage)
        before = stage.traffic.in_rule
        record = stage.store.load()
        if stage.traffic.in_parameter != before or stage.traffic.changes:
            assert record is not None, "traffic was moved and nobody wrote it down"
        stage.mishaps.at.clear()
        if record is not None and record.phase is Phase.DONE:
            continue
        ended = _finish(stage, after_s=after_s)
        where = f"killed {how} call {number} ({CALLS[number - 1]})"
        assert ended.phase is Phase.DONE, where
        assert stage.traffic.in_rule == stage.traffic.in_parameter == all_on("container"), where
        shares = [weights.share("container") for _, weights in stage.traffic.changes]
        assert shares == sorted(shares), where


@pytest.mark.parametrize("how", ["lose-before", "lose-after"])
def test_a_call_that_gets_no_answer_is_asked_again(how: str) -> None:
    for number in range(2, len(CALLS) + 1):  # the first only asks whether there is a switch: it may simply be run again
        stage = stage_at("100:0")
        stage.mishaps.at[number] = how
        assert switch(stage).phase is Phase.DONE, f"{how} call {number} ({CALLS[number - 1]})"
        assert stage.traffic.in_rule == all_on("container")


def test_no_phase_is_left_out_of_those_in_which_a_driver_is_killed() -> None:
    """A phase that is added must be met by one of the walks: these switches, whose every call is killed here and in
    `test_gates`."""
    gated, back = stage_at("100:0"), stage_at("100:0", rps=1_000.0)
    back.lanes.lanes["container"].error_share = 0.3
    switch(gated, to_container(gated, callouts=Callouts(gates=("command:true",))))
    switch(back)
    met = {event.phase for stage in (gated, back) for event in stage.store.events}
    assert met | {Phase.REFUSED} == set(Phase)  # a refusal is killed at each call in `test_gates`


def test_a_laptop_that_sleeps_through_a_step_goes_on_and_does_not_go_back_for_the_time_it_slept() -> None:
    """It wakes up before its network does: the first looks know nothing."""
    stage = stage_at("100:0")
    slept: list[float] = []

    def sleep(now: float) -> None:
        if stage.traffic.in_rule.share("container") == 0.25 and not slept:
            stage.clock.at += 3_600.0
            slept.append(stage.clock.at)

    stage.clock.on_sleep.append(sleep)
    stage.mishaps.always = lambda name: bool(slept) and name != "append" and stage.clock.at < slept[0] + 20
    assert switch(stage).phase is Phase.DONE
    shares = [weights.share("container") for _, weights in stage.traffic.changes]
    assert shares == sorted(shares)


def test_the_time_in_which_nobody_drove_is_told_and_a_lane_that_nobody_watched_was_not_quiet() -> None:
    stage = stage_at("100:0")
    driver = Driver(stage.world, owner="anna@laptop")
    record = driver.begin(to_container(stage), why="cheaper")
    stage.store.save(changed_record(record, phase=Phase.COOL, quiet_since=stage.clock.at))
    stage.clock.at += LEASE_S + 1_000
    taken = Driver(stage.world, owner="ben@laptop").take_over()
    assert (taken.unattended_s, taken.quiet_since) == (1_000, None)
    assert said(stage).endswith("resumed by ben@laptop at cool; nobody drove it for 1000 s")


def test_going_back_to_a_lane_that_is_sick_says_so() -> None:
    """Too few requests condemn the rising lane; nothing is known of it that would make it the better one."""
    stage = stage_at("100:0", rps=10.0)
    stage.lanes.lanes["lambda"].error_share = 0.2
    ended = switch(stage)
    assert ended.phase is Phase.ROLLED_BACK
    assert "WHERE TRAFFIC GOES BACK TO IS SICK: lambda: 20.00% errors" in ended.reason
    assert stage.traffic.in_rule == all_on("lambda")


def test_killed_in_a_roll_back_it_is_rolled_back_by_the_next() -> None:
    probe = stage_at("100:0", rps=1_000.0)
    probe.lanes.lanes["container"].error_share = 0.3
    switch(probe)
    for number in range(3, len(probe.mishaps.calls) + 1):
        stage = stage_at("100:0", rps=1_000.0)
        stage.lanes.lanes["container"].error_share = 0.3
        stage.mishaps.at[number] = "kill-after"
        with pytest.raises(Killed):
            switch(stage)
        stage.mishaps.at.clear()
        record = stage.store.load()
        assert record is not None
        if not record.ended:
            record = _finish(stage)
        assert record.phase is Phase.ROLLED_BACK
        assert stage.traffic.in_rule == stage.traffic.in_parameter == all_on("lambda")
        assert stage.lanes.lanes["container"].floor == 2


def test_a_lane_that_cannot_be_released_does_not_hold_up_the_end() -> None:
    stage = stage_at("100:0")
    stage.mishaps.always = lambda name: name == "release"
    assert switch(stage).phase is Phase.DONE
    assert "could not be let down to 2 at least" in said(stage)


def test_a_lane_that_falls_sick_in_a_long_pause_is_not_excused_by_how_it_was_before() -> None:
    stage = stage_at("100:0", rps=1_000.0)
    asked: list[float] = []
    tell = stage.lanes.figures

    def figures(lane: str, since: float) -> Figures:
        asked.append(stage.clock.now() - since)
        return tell(lane, since)

    stage.lanes.figures = figures  # type: ignore[method-assign]
    paused = _at_share(stage, 0.25, Wish.PAUSE)

    def fall(now: float) -> None:
        if paused and now > paused[0] + 2_000:
            stage.lanes.lanes["container"].error_share = 0.5

    stage.clock.on_sleep.append(fall)
    assert switch(stage).phase is Phase.ROLLED_BACK
    assert max(asked) <= LIMITS.max_bake_s


def test_without_metrics_nothing_is_promoted_and_traffic_goes_home() -> None:
    stage = stage_at("100:0")
    stage.mishaps.always = lambda name: name == "figures"
    ended = switch(stage)
    assert ended.phase is Phase.ROLLED_BACK
    assert "not known" in ended.reason
    assert stage.traffic.in_rule == all_on("lambda")


def test_weights_that_cannot_be_written_are_given_up_and_gone_back_from() -> None:
    stage = stage_at("100:0")
    broken = True

    def mend(now: float) -> None:
        nonlocal broken
        record = stage.store._record
        if record is not None and b'"phase":"roll-back"' in record:
            broken = False

    stage.clock.on_sleep.append(mend)
    stage.mishaps.always = lambda name: broken and name == "write rule"
    ended = switch(stage)
    assert ended.phase is Phase.ROLLED_BACK
    assert "could not be written and read back within 120 s" in ended.reason


def test_a_record_that_cannot_be_written_stops_the_driver_with_the_state_it_knows() -> None:
    stage = stage_at("100:0")
    driver = Driver(stage.world, owner="ops")
    record = driver.begin(to_container(stage), why="cheaper")
    stage.mishaps.always = lambda name: name == "save"
    with pytest.raises(UnknownState, match=r"cannot be written .* it stands at prewarm"):
        driver.run(record)
    assert stage.traffic.changes == []


def test_the_history_holds_every_figure_a_decision_used() -> None:
    stage = stage_at("100:0")
    switch(stage)
    promoted = [event for event in stage.store.events if "is well after" in event.what]
    assert len(promoted) == 5
    begun = stage.store.events[0].begun
    assert isinstance(begun, dict)
    assert begun["plan"]["limits"]["min_samples"] == LIMITS.min_samples
    assert begun["plan"]["need"] == {"units": 6, "why": "100/s at 20/s an instance"}
    assert begun["digests"] == {"lambda": None, "container": None}
    quiet = next(event for event in stage.store.events if "has had no request" in event.what)
    assert quiet.figures["lambda"]["requests"] == 0
    for event in promoted:
        assert event.figures["container"]["lately"] > 0  # by which the split was judged
        assert event.figures["container"]["requests"] >= LIMITS.min_samples
        assert event.figures["container"]["p99_ms"] == 400.0
    assert all(event.who == "ops@laptop" for event in stage.store.events)


def test_every_weight_written_is_one_of_the_plan() -> None:
    stage = stage_at("100:0")
    plan = to_container(stage)
    switch(stage, plan)
    allowed = {parse_weights(step.weights) for step in plan.steps}
    assert {weights for _, weights in stage.traffic.changes} == allowed
