"""A scheduled switch as Lambda runs it, on moto with a clock that jumps: begun, continued by ticks, refused, made once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import msgspec
import pytest
from msgspec.structs import replace as changed

from infra.switching.aws import switcher
from infra.switching.aws.calls import Aws
from infra.switching.aws.schedules import Entry, Tick
from infra.switching.aws.store import DynamoStore
from infra.switching.aws.switcher import OWNER, RESERVE_S, Failed, OutOfTime, handler, run
from infra.switching.driver import LEASE_S, Driver
from infra.switching.plan import Limits
from infra.switching.ports import Unreachable
from infra.switching.record import Phase
from tests.infra.switching.aws.live_stage import T0, LiveStage, name_lanes
from tests.infra.switching.aws.moto_stage import REGION, MotoStage, refusal

FOREVER = 1e9


@pytest.fixture(scope="module")
def named(cloud: MotoStage) -> Iterator[MotoStage]:
    """With rules that let a request choose its lane, as long as these tests run."""
    balancing = boto3.client("elbv2", REGION)
    before = {rule["RuleArn"] for rule in balancing.describe_rules(ListenerArn=cloud.resources.listener)["Rules"]}
    name_lanes(cloud)
    yield cloud
    for rule in balancing.describe_rules(ListenerArn=cloud.resources.listener)["Rules"]:
        if rule["RuleArn"] not in before:
            balancing.delete_rule(RuleArn=rule["RuleArn"])


@pytest.fixture
def live(named: MotoStage) -> LiveStage:
    return LiveStage(named.restore())


def entry(live: LiveStage, to: str = "container", moment: float | None = None) -> Entry:
    at = datetime.fromtimestamp(live.clock.at if moment is None else moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Entry(name="mon-fri-0700-container", to=to, days=(0, 1, 2, 3, 4), minute=420, steps=(50, 100), units=4, moment=at)


def invoke(live: LiveStage, told: Entry | Tick, number: int = 1, seconds: float = FOREVER) -> dict[str, Any]:
    """With so many seconds of the function's time, on the stage's clock."""
    began = live.clock.at
    return run(live.control, told, who=f"{OWNER}{number}", left_s=lambda: seconds - (live.clock.at - began))


def test_a_scheduled_switch_is_the_one_an_operator_would_make(live: LiveStage) -> None:
    assert invoke(live, entry(live))["result"] == "done"
    assert [split["container"] for split in live.splits] == [0, 50, 100]
    record = live.control.store.load()
    assert record is not None
    assert record.why == "scheduled: mon-fri-0700-container of 2027-01-15T08:00:00Z"
    assert live.moto.group()["MinSize"] == 2


def test_what_takes_longer_than_a_function_may_is_continued_by_ticks(live: LiveStage) -> None:
    told = [invoke(live, entry(live), seconds=100 + RESERVE_S)]
    assert told[0]["result"] == "continues"
    assert re.match(r"(shift|verify), step 1 of 2", told[0]["at"])
    while told[-1]["result"] == "continues":
        live.clock.sleep(60)
        told.append(invoke(live, Tick(), number=len(told) + 1, seconds=100 + RESERVE_S))
    assert told[-1]["result"] == "done"
    assert len(told) >= 3
    assert [split["container"] for split in live.splits] == [0, 50, 100]


def test_a_tick_waits_for_a_lease_and_then_goes_on_from_a_function_that_died(live: LiveStage) -> None:
    def die(now: float) -> None:
        if live.splits[-1]["container"] == 50:
            live.clock.on_sleep.remove(die)
            raise OSError("Lambda ended the environment")

    live.clock.on_sleep.append(die)
    with pytest.raises(OSError, match="ended"):
        invoke(live, entry(live))
    assert invoke(live, Tick(), number=2)["result"] == "is driven"
    live.clock.sleep(LEASE_S)
    assert invoke(live, Tick(), number=3)["result"] == "done"


def test_a_tick_leaves_alone_what_is_an_operators(live: LiveStage) -> None:
    assert invoke(live, Tick()) == {"result": "nothing to do"}
    invoke(live, entry(live), seconds=100 + RESERVE_S)
    store = live.control.store
    left = store.load()
    assert left is not None
    store.save(changed(left, owner="anna@laptop:1"))
    live.clock.sleep(LEASE_S * 2)
    assert invoke(live, Tick(), number=2) == {"result": "nothing to do"}
    with pytest.raises(Failed, match=r"was refused: anna@laptop:1 is switching, at"):
        invoke(live, entry(live, to="lambda"), number=3)


def test_an_entry_that_is_started_twice_is_made_once(live: LiveStage) -> None:
    live.errors["container"] = 0.2
    told = entry(live)
    with pytest.raises(Failed, match=r"rolled-back: container: 20.00% errors"):
        invoke(live, told)
    splits = list(live.splits)
    assert invoke(live, told, number=2)["result"] == "was begun before"
    assert live.splits == splits


def test_what_the_preflight_finds_is_refused_never_forced_and_stands_in_the_history(live: LiveStage) -> None:
    live.moto.metrics.alarms["crossover-prod-container"] = "ALARM"
    with pytest.raises(Failed, match="the container lane's alarm fires"):
        invoke(live, entry(live))
    assert live.control.store.load() is None
    event = live.control.store.history(1)[0]
    assert event.what.startswith("scheduled switch mon-fri-0700-container to container was refused: alarms: ")
    assert len(live.splits) == 1


def test_a_start_that_comes_late_moves_nothing(live: LiveStage) -> None:
    with pytest.raises(Failed, match="it was started 20 min late: traffic is left as it is"):
        invoke(live, entry(live, moment=live.clock.at - 1_200))
    assert len(live.splits) == 1


def test_traffic_that_is_split_so_already_is_left_alone(live: LiveStage) -> None:
    assert invoke(live, entry(live, to="lambda"))["result"] == "traffic is split so already"
    assert live.control.store.load() is None


def test_aws_that_is_away_for_a_moment_is_waited_for(live: LiveStage) -> None:
    live.moto.metrics.failing = refusal("InternalServiceFault", 500)

    def mend(now: float) -> None:
        if now > T0 + 60:
            live.moto.metrics.failing = None

    live.clock.on_sleep.append(mend)
    assert invoke(live, entry(live))["result"] == "done"


def test_a_tick_that_gets_no_answer_is_no_failure(live: LiveStage, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: DynamoStore) -> None:
        raise Unreachable("table: no answer")

    monkeypatch.setattr(DynamoStore, "load", away)
    assert invoke(live, Tick()) == {"result": "not known: table: no answer"}


def test_limits_of_an_entry_are_the_switchs(live: LiveStage) -> None:
    invoke(live, changed(entry(live), limits=Limits(loop_lag_ms=None, min_samples=50)))
    record = live.control.store.load()
    assert record is not None
    assert (record.plan.limits.loop_lag_ms, record.plan.limits.min_samples) == (None, 50)


def test_a_measured_profile_says_what_the_lane_needs(live: LiveStage) -> None:
    told = changed(entry(live), units=None, measured={"container": (6.0, 40.0), "lambda": (6.0, 40.0)})
    assert invoke(live, told)["result"] == "done"
    record = live.control.store.load()
    assert record is not None and record.plan.need is not None
    assert "by the profile" in record.plan.need.why


def test_the_handler_reads_its_stage_from_the_environment_and_its_time_from_lambda(
    live: LiveStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Context:
        aws_request_id = "c6af9ac6"

        def get_remaining_time_in_millis(self) -> int:
            return 900_000

    monkeypatch.setenv("CROSSOVER_STAGE", "prod")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert handler({"kind": "tick"}, Context()) == {"result": "nothing to do"}
    late = msgspec.to_builtins(entry(live, moment=0.0))
    with pytest.raises(Failed, match=r"to container was refused: it was started [\d]+ min late"):
        handler(late, Context())
    for wrong in ({"kind": "other"}, {}, {"kind": "switch"}):
        with pytest.raises(msgspec.ValidationError):
            handler(wrong, Context())


def test_an_environment_makes_its_clients_once(live: LiveStage, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str | None] = []

    class Counted(Aws):
        def __init__(self, region: str | None) -> None:
            made.append(region)
            super().__init__(region)

    class Context:
        aws_request_id = "c6af9ac6"

        def get_remaining_time_in_millis(self) -> int:
            return 900_000

    monkeypatch.setenv("CROSSOVER_STAGE", "prod")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr("infra.switching.aws.switcher.Aws", Counted)
    switcher._clients.cache_clear()
    for _ in range(3):
        handler({"kind": "tick"}, Context())
    switcher._clients.cache_clear()
    assert made == ["us-east-1"]


def test_the_end_of_the_functions_time_is_no_failure_that_the_driver_might_catch() -> None:
    assert not issubclass(OutOfTime, Exception)


def test_what_an_entry_says_is_what_scheduler_hands_over(live: LiveStage) -> None:
    told = entry(live)
    kinds: Callable[[bytes], Entry | Tick] = lambda data: msgspec.json.decode(data, type=Entry | Tick)  # noqa: E731
    assert kinds(msgspec.json.encode(told)) == told
    assert kinds(b'{"kind": "tick"}') == Tick()


def test_a_driver_that_an_operator_takes_over_stops_the_function_without_a_failure(live: LiveStage) -> None:
    taken: list[float] = []

    def take(now: float) -> None:
        if live.splits[-1]["container"] == 50 and not taken:
            taken.append(now)
            Driver(live.control.world, owner="anna@laptop:1").take_over(force=True)

    live.clock.on_sleep.append(take)
    told = invoke(live, entry(live))
    assert told["result"] == "left to another"
    record = live.control.store.load()
    assert record is not None and (record.owner, record.phase) == ("anna@laptop:1", Phase.VERIFY)
