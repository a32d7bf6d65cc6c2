"""When whoever asks must drive, and when a driver at work will see to it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace as changed

from infra.errors import KitError, UnknownState
from infra.operating.driving import Stopped, drive
from infra.operating.orders import Left, abort, carried_before, leave, look_at_promotion, promote, resume, where_back
from infra.switching.driver import LEASE_S, Busy, Driver, wish
from infra.switching.plan import Need, make_plan
from infra.switching.record import Phase, Record, Wish
from infra.switching.weights import Weights, all_on
from tests.infra.console.scripted import T0, Scripted


def begun(stage: Scripted) -> tuple[Driver, Record]:
    plan = make_plan(
        stage=stage.name, start=Weights(100, 0), goal=all_on("container"), need=Need(units=2, why="so"), quiet_s=30
    )
    assert plan is not None
    driver = Driver(stage.connect().world, owner="anna@laptop:1")
    return driver, driver.begin(plan, why="cheaper")


def test_a_driver_at_work_is_left_a_wish_and_one_that_is_gone_is_stood_in_for() -> None:
    stage = Scripted()
    begun(stage)
    told: list[Left] = []
    waited: list[float] = []

    def obey(now: float) -> None:
        wish(stage.store, Wish.GO_ON)

    stage.clock.on_sleep.append(obey)
    assert abort(stage.connect(), told.append, waits=lambda record: waited.append(record.lease_until)) is None
    stage.clock.on_sleep.remove(obey)
    assert waited == [T0 + LEASE_S]
    assert abort(stage.connect(), told.append) is not None  # it died a moment ago
    assert stage.clock.now() >= T0 + LEASE_S
    assert abort(stage.connect(), told.append) is not None
    assert [left.driven for left in told] == [True, True, False]
    assert told[0].words == "anna@laptop:1's switch, at prewarm, goes back to where it started"
    assert told[2].words.endswith("; its driver is gone: this command drives it")
    paused = leave(stage.connect(), Wish.PAUSE)
    assert paused.words == (
        "anna@laptop:1's switch, at prewarm: pause is noted, but its driver is gone: nothing happens, nor is a sick lane left, "
        "until `crossover resume --stage prod`"
    )


@pytest.mark.parametrize(
    ("phase", "outcome", "in_vain"),
    [
        (Phase.PREWARM, Phase.DONE, {Wish.PROMOTE: "no step to promote"}),
        (Phase.GATE, Phase.DONE, {Wish.PROMOTE: "--over-gate --stage prod` goes over it"}),
        (Phase.SHIFT, Phase.DONE, {}),
        (Phase.VERIFY, Phase.DONE, {}),
        (Phase.COOL, Phase.DONE, {Wish.PROMOTE: "no step"}),
        (
            Phase.SCALE_DOWN,
            Phase.DONE,
            {Wish.PROMOTE: "no step", Wish.PAUSE: "it ends", Wish.ABORT: "then `crossover rollback"},
        ),
        (Phase.RELEASE, Phase.DONE, {Wish.PROMOTE: "no step", Wish.PAUSE: "it ends", Wish.ABORT: "then `crossover rollback"}),
        (Phase.RELEASE, Phase.ROLLED_BACK, {Wish.PROMOTE: "no step", Wish.PAUSE: "it goes back"}),
        (Phase.ROLL_BACK, Phase.DONE, {Wish.PROMOTE: "no step", Wish.PAUSE: "it goes back"}),
    ],
)
def test_a_wish_that_its_phase_would_pass_over_is_refused_with_what_helps(
    phase: Phase, outcome: Phase, in_vain: dict[Wish, str]
) -> None:
    for asked in (Wish.PROMOTE, Wish.PAUSE, Wish.ABORT):
        stage = Scripted()
        _, record = begun(stage)
        stage.store.save(changed(record, phase=phase, outcome=outcome))
        if asked in in_vain:
            with pytest.raises(KitError, match=in_vain[asked]):
                leave(stage.connect(), asked)
        else:
            assert leave(stage.connect(), asked).record.wish is asked


def test_a_promotion_says_what_it_moves_and_is_of_the_step_that_was_looked_at() -> None:
    stage = Scripted()
    _, record = begun(stage)
    at = changed(record, phase=Phase.VERIFY, step=1)
    stage.store.save(at)
    looked = look_at_promotion(stage.connect())
    assert looked == (1, "This moves live traffic to lambda 75%, container 25% now, without waiting for more requests.")
    with pytest.raises(KitError, match="no gate holds it"):
        look_at_promotion(stage.connect(), over_gate=True)
    stage.store.save(changed(at, step=4, version=2))
    assert look_at_promotion(stage.connect())[1].startswith("This takes the last step for well now")
    with pytest.raises(KitError, match="has gone on by itself meanwhile"):
        promote(stage.connect(), step=1)
    assert promote(stage.connect(), step=4).record.wish is Wish.PROMOTE
    stage.store.save(changed(at, phase=Phase.GATE, held="frozen", version=4))
    looked = look_at_promotion(stage.connect(), over_gate=True)
    assert looked == (
        1,
        "This moves live traffic to lambda 95%, container 5% now, over its gate (frozen).",
    )


def test_going_back_needs_what_carried_the_traffic_before_where_nothing_else_tells() -> None:
    stage = Scripted()
    assert carried_before(stage.connect()) is None
    for goal, keep, floor, units in (("lambda", 6, 2, 6), ("lambda", None, 2, 2), ("container", None, None, 1)):
        start = Weights(100, 0) if goal == "container" else Weights(0, 100)
        plan = make_plan(stage=stage.name, start=start, goal=all_on(goal), keep=keep, keep_floor=floor)
        assert plan is not None
        last = stage.store.load()
        done = Record(id="a1", plan=plan, phase=Phase.DONE, owner="anna", why="so", started=0.0, since=0.0)
        stage.store.save(changed(done, version=0 if last is None else last.version))
        need = carried_before(stage.connect())
        assert need is not None and need.units == units


def test_what_goes_wrong_in_the_middle_by_a_mistake_of_ours_is_an_unknown_state_and_lets_go() -> None:
    stage = Scripted()

    def take(driver: Driver) -> Record:
        _, record = begun(stage)
        stage.clock.on_sleep.append(lambda now: dict[str, None]()["no such key"])
        return record

    driver = Driver(stage.connect().world, owner="anna@laptop:1")
    with pytest.raises(UnknownState, match=r"a mistake of this tool, KeyError: .*test_orders.py.* stopped at verify, step 1"):
        drive(driver, take, stage="prod", stops=(KeyboardInterrupt,))
    record = stage.store.load()
    assert record is not None
    assert record.lease_until <= stage.clock.now()


def test_a_paused_switch_goes_on_in_its_driver_and_another_is_taken_only_when_free_or_said_so() -> None:
    stage = Scripted()
    begun(stage)
    leave(stage.connect(), Wish.PAUSE)

    def look(now: float) -> None:
        record = stage.store.load()
        assert record is not None
        stage.store.save(changed(record, lease_until=now + LEASE_S))

    stage.clock.on_sleep.append(look)
    assert resume(stage.connect(), lambda left: None) is None
    stage.clock.on_sleep.remove(look)
    assert stage.clock.now() < T0 + 10
    record = stage.store.load()
    assert record is not None
    assert record.wish is Wish.GO_ON
    ours = Driver(stage.connect().world, owner="ben@desk:1")
    polite, rude = (resume(stage.connect(), lambda left: None, take_over=over) for over in (False, True))
    assert polite is not None
    assert rude is not None
    with pytest.raises(Busy, match="anna@laptop:1 is switching"):
        polite(ours)
    assert rude(ours).owner == "ben@desk:1"


def test_a_paused_switch_whose_driver_died_a_moment_ago_is_driven_by_whoever_resumes_it() -> None:
    stage = Scripted()
    begun(stage)
    leave(stage.connect(), Wish.PAUSE)
    take = resume(stage.connect(), lambda left: None)
    assert take is not None
    assert stage.clock.now() >= T0 + LEASE_S
    assert take(Driver(stage.connect().world, owner="ben@desk:1")).owner == "ben@desk:1"


def test_there_is_a_way_back_from_what_is_done() -> None:
    stage = Scripted()
    with pytest.raises(KitError, match="there has been no switch of prod"):
        where_back(stage.connect())
    driver, record = begun(stage)
    assert where_back(stage.connect()) is None
    done = driver.run(record)
    assert done.phase is Phase.DONE
    assert where_back(stage.connect()) == (Weights(100, 0), f"rollback of {record.id}")


def test_there_is_a_way_back_from_the_less_sick_lane_and_none_from_where_traffic_was_before() -> None:
    stage = Scripted()
    plan = make_plan(stage=stage.name, start=all_on("lambda"), goal=all_on("container"))
    assert plan is not None
    record = Record(id="a1", plan=plan, phase=Phase.ROLLED_BACK, owner="anna", why="so", started=0.0, since=0.0)
    for version, stayed in enumerate(("100:0", "0:100")):
        stage.store.save(changed(record, rollback_to=stayed, version=version))
        if stayed == "0:100":
            assert where_back(stage.connect()) == (Weights(100, 0), "rollback of a1")
        else:
            with pytest.raises(KitError, match="ended rolled-back: traffic is where it was before it"):
                where_back(stage.connect())


def test_who_is_told_to_stop_lets_go_and_says_where() -> None:
    stage = Scripted()

    def interrupt(now: float) -> None:
        raise KeyboardInterrupt

    def take(driver: Driver) -> Record:
        _, record = begun(stage)
        stage.clock.on_sleep.append(interrupt)
        return record

    driver = Driver(stage.connect().world, owner="anna@laptop:1")
    with pytest.raises(Stopped, match=r"stopped at verify, step 1 of 5 \(99:1\); traffic stays as it is.*crossover resume"):
        drive(driver, take, stage="prod", stops=(KeyboardInterrupt,))
    record = stage.store.load()
    assert record is not None
    assert record.lease_until <= stage.clock.now()
