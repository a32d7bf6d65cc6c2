"""Each check of the preflight by itself: what was seen, what would be right, and whether force goes over it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace as changed

from infra.switching.plan import Limits, Need, make_plan
from infra.switching.preflight import Facts, Quota, Smoke, left_at, refusals
from infra.switching.record import Phase, Record
from infra.switching.weights import Weights, all_on

PLAN = make_plan(stage="prod", start=all_on("lambda"), goal=Weights(30, 70))
assert PLAN is not None
DONE = Record(id="a1", plan=PLAN, phase=Phase.DONE, owner="anna", why="cheaper", started=0.0, since=0.0)


def facts(**more: Any) -> Facts:
    well = {
        "now": 0.0,
        "rising": "container",
        "parameter": all_on("lambda"),
        "rule": all_on("lambda"),
        "last": None,
        "digests": {"lambda": "ab" * 32, "container": "ab" * 32},
        "need": Need(units=6, why="100/s"),
        "most": 10,
        "quotas": (Quota(kind="on demand", allowed=64, used=64, more=0), Quota(kind="on spot", allowed=64, used=56, more=8)),
        "alarm": "OK",
        "smoke": Smoke(answered=3, of=3),
    }
    return Facts(**{**well, **more})


def test_a_stage_that_is_well_is_not_refused() -> None:
    assert refusals(facts()) == []
    assert refusals(facts(alarm=None, quotas=())) == []  # a stage without alarms, quotas that may not be read


@pytest.mark.parametrize(
    ("wrong", "check", "said"),
    [
        ({"parameter": all_on("container")}, "weights", "the parameter holds 0:100, the rule 100:0"),
        ({"parameter": None}, "weights", "the parameter holds no weights, the rule 100:0"),
        ({"last": DONE}, "weights", "100:0 is in force and the last switch left 30:70"),
        ({"changing": ("crossover-prod-lambda (UPDATE_IN_PROGRESS)",)}, "deployment", "crossover-prod-lambda"),
        (
            {"digests": {"lambda": "ab" * 32, "container": "cd" * 32}},
            "versions",
            "runs bundle cdcdcdcdcdcd, the lambda lane abab",
        ),
        ({"digests": {"lambda": None, "container": "cd" * 32}}, "versions", "the lambda lane runs is not known"),
        ({"alarm": "ALARM"}, "alarms", "the container lane's alarm fires"),
        ({"smoke": Smoke(answered=2, of=3, wrong="HTTP 502")}, "smoke", "2 of 3 requests .* were answered: HTTP 502"),
        ({"smoke": Smoke(answered=0, of=0, wrong="no rule")}, "smoke", "no rule"),
        ({"need": "the rate is not known"}, "capacity", "the rate is not known; give --profile"),
        ({"need": Need(units=11, why="x")}, "capacity", "11 instances are needed .x., 10 are the most"),
        (
            {"quotas": (Quota(kind="on spot", allowed=1_064, used=1_057, more=8),)},
            "quotas",
            "6 instances need 8 more vCPUs on spot, the account has 7 left .1,057 of 1,064 in use.; ask AWS for more",
        ),
        ({"quotas": (Quota(kind="on demand", allowed=8, used=16, more=2),)}, "quotas", "has 0 left .16 of 8 in use."),
    ],
)
def test_each_check_refuses_with_what_would_be_right_and_can_be_forced(wrong: dict[str, Any], check: str, said: str) -> None:
    (refusal,) = refusals(facts(**wrong))
    assert refusal.check == check
    assert refusal.forcible
    assert refusal.right
    import re

    assert re.search(said, str(refusal))


def test_without_any_weights_there_is_nothing_to_force() -> None:
    (refusal,) = refusals(facts(parameter=None, rule=None))
    assert not refusal.forcible
    assert "--force does not help" in str(refusal)


def test_a_switch_to_containers_needs_loop_lag_or_says_that_there_is_none() -> None:
    (refusal,) = refusals(facts(loop_lag_told=False))
    assert not refusal.forcible
    assert "--limit loop_lag_ms=none" in str(refusal)
    assert refusals(facts(loop_lag_told=False, limits=Limits(loop_lag_ms=None))) == []
    assert refusals(facts(loop_lag_told=False, rising="lambda", parameter=all_on("container"), rule=all_on("container"))) == []


def test_versions_may_differ_where_the_operator_says_so() -> None:
    assert refusals(facts(digests={"lambda": None, "container": "cd"}), allow_version_skew=True) == []


def test_where_a_switch_left_traffic() -> None:
    assert left_at(DONE) == Weights(30, 70)
    assert left_at(changed(DONE, phase=Phase.REFUSED)) == all_on("lambda")
    assert left_at(changed(DONE, phase=Phase.ROLLED_BACK, rollback_to="0:100")) == all_on("container")
