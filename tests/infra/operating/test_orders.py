"""When whoever asks must drive, and when a driver at work will see to it."""

from __future__ import annotations

import pytest

from infra.errors import KitError
from infra.operating.driving import Stopped, drive
from infra.operating.orders import Left, abort, leave, resume, where_back
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
    assert told[2].words == f"{told[0].words}; its driver is gone"


def test_a_paused_switch_goes_on_in_its_driver_and_another_is_taken_only_when_free_or_said_so() -> None:
    stage = Scripted()
    begun(stage)
    leave(stage.connect(), Wish.PAUSE)
    assert resume(stage.connect(), lambda left: None) is None
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


def test_there_is_a_way_back_from_what_is_done_alone() -> None:
    stage = Scripted()
    with pytest.raises(KitError, match="there has been no switch of prod"):
        where_back(stage.connect())
    driver, record = begun(stage)
    assert where_back(stage.connect()) is None
    done = driver.run(record)
    assert done.phase is Phase.DONE
    assert where_back(stage.connect()) == (Weights(100, 0), f"rollback of {record.id}")


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
