"""Who may be given requests: lag, leakage, draining, fail-open, slow start."""

from __future__ import annotations

from infra.lab.live.front.followed import Snapshot
from infra.lab.live.front.groups import Target
from infra.lab.live.front.health import NOT_CHECKED, REGISTERED, Result
from infra.lab.live.front.roster import Roster
from tests.infra.lab.live.front.targets import CHECK, FUNCTION, ONE, snapshot

A, B, C = Target("a", 80), Target("b", 80), Target("c", 80)
WELL, ILL = Result(200), Result(503)


def of(*ids: str, slow_start_s: float = 0.0) -> Snapshot:
    return snapshot({ONE: 1}, {ONE: ids}, check=CHECK, slow_start_s=slow_start_s)


def asked(roster: Roster, now: float, lag_s: float = 0.0, slow_start_s: float = 0.0) -> set[str]:
    group = of("a", slow_start_s=slow_start_s).groups[ONE]
    return {target.id for target in roster.candidates(group, now, lag_s)}


def check(roster: Roster, target: Target, *results: Result, now: float = 0.0) -> None:
    for result in results:
        roster.result(ONE, target, result, now)


def test_only_healthy_targets_are_asked() -> None:
    roster = Roster(of("a", "b"))
    check(roster, A, WELL)
    assert asked(roster, 0.0) == {"a"}
    check(roster, B, WELL)
    check(roster, A, ILL, ILL, ILL)
    assert asked(roster, 0.0) == {"b"}
    assert roster.hosts() == {ONE: (1, 1)}


def test_with_no_healthy_target_all_are_asked() -> None:
    roster = Roster(of("a", "b"))
    for target in (A, B):
        check(roster, target, ILL, ILL, ILL)
    assert asked(roster, 0.0) == {"a", "b"}
    assert roster.hosts() == {ONE: (0, 2)}


def test_with_no_registered_target_nobody_is_asked() -> None:
    assert asked(Roster(of()), 0.0) == set()


def test_each_node_learns_of_a_new_target_after_its_own_lag() -> None:
    roster = Roster(of("a"))
    check(roster, A, WELL)
    roster.learn(of("a", "b"), 100.0)
    check(roster, B, WELL, now=100.5)
    assert asked(roster, 101.0, lag_s=2.0) == {"a"}
    assert asked(roster, 103.0, lag_s=2.0) == {"a", "b"}
    assert asked(roster, 103.0, lag_s=5.0) == {"a"}


def test_a_target_that_left_is_asked_for_17_s_more_and_cut_off_after_its_delay() -> None:
    roster = Roster(of("a", "b"))
    check(roster, A, WELL)
    check(roster, B, WELL)
    roster.learn(of("a"), 100.0)
    assert asked(roster, 116.9) == {"a", "b"}
    assert asked(roster, 117.1) == {"a"}
    assert roster.told()[ONE]["b"] is None, "AWS itself knows that it drains"
    assert roster.hosts() == {ONE: (1, 0)}, "it is no registered host any more"
    assert roster.over(159.0) == []
    assert roster.over(160.0) == [(ONE, B, 60.0)]
    assert "b" not in roster.told()[ONE]


def test_a_function_that_left_is_asked_until_the_last_node_knows() -> None:
    before = snapshot({FUNCTION: 1}, {FUNCTION: ["arn"]}, delay_s=0.0)
    roster = Roster(before)
    roster.learn(snapshot({}, {}), 100.0)
    assert [target.id for target in roster.candidates(before.groups[FUNCTION], 105.0, 5.0)] == ["arn"]
    assert roster.over(117.0) == [(FUNCTION, Target("arn"), 17.0)]


def test_a_target_that_is_registered_again_begins_anew() -> None:
    roster = Roster(of("a"))
    check(roster, A, WELL)
    roster.learn(of(), 100.0)
    roster.learn(of("a"), 110.0)
    assert roster.told()[ONE]["a"] == REGISTERED.told()
    assert roster.over(170.0) == []


def test_a_check_that_ends_after_its_target_left_changes_nothing() -> None:
    roster = Roster(of("a"))
    roster.learn(of(), 100.0)
    assert roster.result(ONE, A, WELL, 101.0) is False
    assert roster.result(ONE, C, WELL, 101.0) is False


def test_a_result_tells_whether_anything_has_changed() -> None:
    roster = Roster(of("a"))
    assert [roster.result(ONE, A, result, 0.0) for result in (WELL, WELL, ILL, ILL, ILL)] == [True, False, False, False, True]


def test_slow_start_is_for_a_target_that_joins_others() -> None:
    roster = Roster(of("a", slow_start_s=30.0))
    check(roster, A, WELL)
    group = of("a", slow_start_s=30.0).groups[ONE]
    assert roster.share(group, A, 0.0) == 1.0, "the first has nobody to lean on"
    roster.learn(of("a", "b", slow_start_s=30.0), 100.0)
    check(roster, B, WELL, now=110.0)
    assert [roster.share(group, B, now) for now in (110.0, 125.0, 140.0, 200.0)] == [0.0, 0.5, 1.0, 1.0]


def test_functions_are_not_checked_and_always_asked() -> None:
    told = snapshot({FUNCTION: 1}, {FUNCTION: ["arn"]})
    roster = Roster(told)
    assert [target.id for target in roster.candidates(told.groups[FUNCTION], 0.0, 0.0)] == ["arn"]
    assert roster.told()[FUNCTION]["arn"] == NOT_CHECKED.told()
    assert roster.hosts() == {}
    assert list(roster.checked()) == []


def test_nothing_is_told_of_a_group_that_no_rule_names_any_more() -> None:
    roster = Roster(of("a"))
    roster.learn(snapshot({}, {}), 100.0)
    assert roster.told() == {}
    assert roster.over(160.0) == [(ONE, A, 60.0)], "what it has under way may end all the same"
