"""Weights as they are written, asked for, and gone between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import InputError
from infra.switching.plan import make_plan
from infra.switching.weights import Weights, all_on, between, parse_goal, parse_weights

weights = st.builds(Weights, st.integers(0, 999), st.integers(1, 999))


@pytest.mark.parametrize(
    ("words", "said"),
    [(("container",), "0:100"), (("lambda",), "100:0"), (("split", "70/30"), "70:30"), (("split", "0/100"), "0:100")],
)
def test_what_an_operator_asks_for(words: tuple[str, ...], said: str) -> None:
    assert str(parse_goal(words)) == said


@pytest.mark.parametrize("words", [("moon",), ("split", "70/40"), ("split",), ("split", "a/b"), ()])
def test_other_goals_say_what_would_be_right(words: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="must be lambda, container, or split LAMBDA/CONTAINER, together 100"):
        parse_goal(words)


@pytest.mark.parametrize("text", ["1000:0", "0:0", "-1:5", "5", "a:b", "5:5:5"])
def test_weights_that_elbv2_refuses_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="weights"):
        parse_weights(text)


def test_a_split_in_words() -> None:
    assert all_on("container").words == "container 100%"
    assert Weights(30, 70).words == "lambda 30%, container 70%"


@given(start=weights, goal=weights, percent=st.integers(1, 99))
def test_each_step_lies_between_and_moves_towards_the_goal(start: Weights, goal: Weights, percent: int) -> None:
    step = between(start, goal, percent)
    low, high = sorted((start.share("lambda"), goal.share("lambda")))
    assert low - 0.01 <= step.share("lambda") <= high + 0.01


@given(start=weights, goal=weights)
def test_a_plan_ends_at_its_goal_and_never_turns_back(start: Weights, goal: Weights) -> None:
    plan = make_plan(stage="prod", start=start, goal=goal)
    if plan is None:
        assert start.same_split(goal)
        return
    assert plan.steps[-1].weights == str(goal)
    shares = [parse_weights(step.weights).share(plan.rising) for step in plan.steps]
    assert shares[:-1] == sorted(shares[:-1])


def test_the_default_steps_from_lane_to_lane() -> None:
    plan = make_plan(stage="prod", start=all_on("lambda"), goal=all_on("container"), standby=2)
    assert plan is not None
    assert [step.weights for step in plan.steps] == ["99:1", "95:5", "75:25", "50:50", "0:100"]
    assert (plan.rising, plan.falling, plan.standby) == ("container", "lambda", 2)


def test_a_lane_that_keeps_a_share_is_not_scaled_down() -> None:
    plan = make_plan(stage="prod", start=all_on("lambda"), goal=Weights(30, 70), standby=2)
    assert plan is not None
    assert plan.standby is None


@pytest.mark.parametrize("percents", [(), (5,), (50, 25, 100), (0, 100), (1, 1, 100)])
def test_steps_that_do_not_rise_to_100_are_refused(percents: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="must rise from 1 or more to 100"):
        make_plan(stage="prod", start=all_on("lambda"), goal=all_on("container"), percents=percents)
