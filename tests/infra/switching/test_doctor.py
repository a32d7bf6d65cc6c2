"""What differs between the places that hold the weights, and how each is mended."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace as changed

from infra.switching.doctor import Places, diagnose
from infra.switching.plan import make_plan
from infra.switching.record import Phase, Record
from infra.switching.weights import Weights, all_on

PLAN = make_plan(stage="prod", start=all_on("lambda"), goal=all_on("container"))
assert PLAN is not None
DONE = Record(id="a1", plan=PLAN, phase=Phase.DONE, owner="anna", why="cheaper", started=0.0, since=0.0)


def places(**more: Any) -> Places:
    well = {
        "stage": "prod",
        "parameter": "0:100",
        "parameter_weights": all_on("container"),
        "rule": all_on("container"),
        "record": DONE,
        "now": 1_000.0,
        "floor": 2,
        "template_floor": 2,
    }
    return Places(**{**well, **more})


def test_nothing_is_found_where_all_agree() -> None:
    assert diagnose(places()) == []
    assert diagnose(places(record=None)) == []
    assert diagnose(places(template_floor=None, floor=9)) == []  # not known is not a difference
    assert diagnose(places(template_weights=None, asked_weights="30:70")) == []
    assert diagnose(places(template_weights="100:0", asked_weights="100:0")) == []  # as it was deployed, whatever is in force


@pytest.mark.parametrize(
    ("wrong", "what", "mend"),
    [
        ({"parameter_weights": Weights(20, 80)}, "the rule holds 0:100 and the parameter 20:80", "--value 0:100"),
        ({"parameter": None, "parameter_weights": None}, "the parameter is not there", "--value 0:100"),
        ({"parameter": "1000:0", "parameter_weights": None}, "holds '1000:0', which is no weights", "--value 0:100"),
        (
            {"rule": None, "rule_arn": "arn:rule", "target_groups": {"lambda": "arn:l", "container": "arn:c"}},
            "the rule does not split between the two lanes",
            """modify-rule --rule-arn arn:rule --actions '[{"Type":"forward","ForwardConfig":{"TargetGroups":"""
            """[{"TargetGroupArn":"arn:l","Weight":0},{"TargetGroupArn":"arn:c","Weight":100}]""",
        ),
        (
            {"rule": all_on("lambda"), "parameter_weights": all_on("lambda")},
            "the rule holds 100:0, the last switch (anna) left 0:100",
            "--force",
        ),
        (
            {"template_weights": "0:100", "asked_weights": "30:70"},
            "stages.toml asks for 30:70 and was deployed with 0:100: the next deployment writes 30:70 into the parameter",
            "set traffic.lambda_weight = 0 and traffic.container_weight = 100 there",
        ),
        ({"floor": 6}, "the group keeps 6 instances at least, its template says 2", "prewarm container --release"),
        ({"floor": 1}, "the group keeps 1 instances at least, its template says 2", "prewarm container --units 2 --stage prod"),
        ({"changing": ("crossover-prod-lambda (UPDATE_IN_PROGRESS)",)}, "being deployed", "wait"),
    ],
)
def test_each_difference_has_its_cure(wrong: dict[str, Any], what: str, mend: str) -> None:
    (finding,) = diagnose(places(**wrong))
    assert what in finding.what
    assert mend in finding.mend


def test_a_switch_that_is_driven_is_left_alone_and_one_that_is_not_is_found() -> None:
    running = changed(DONE, phase=Phase.SHIFT, lease_until=2_000.0)
    on_its_way = {"rule": Weights(50, 50), "floor": 6}
    assert diagnose(places(record=running, **on_its_way)) == []
    (finding,) = diagnose(places(record=changed(running, lease_until=999.0), **on_its_way))
    assert "anna's switch to 0:100 stands at shift, step 1 of 5 (99:1) and nobody drives it" in finding.what
    assert "crossover resume --stage prod" in finding.mend
