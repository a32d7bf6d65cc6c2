"""Rules of composite alarms, ours among them."""

from __future__ import annotations

import pytest

from infra.components.watch.catalogue import lane_alarms
from infra.config import DEFAULT_STAGE
from infra.errors import InputError
from infra.lab.aws.cloudwatch.rule import holds, named, parse_rule


def says(text: str, *in_alarm: str) -> bool:
    return holds(parse_rule(text), lambda name: "ALARM" if name in in_alarm else "OK")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALARM(a)", True),
        ("ALARM('b')", False),
        ('OK("b") AND NOT OK("a")', True),
        ("ALARM(b) OR ALARM(a) AND ALARM(c)", False),
        ("(ALARM(b) OR ALARM(a)) AND NOT (ALARM(c) OR FALSE)", True),
        ("TRUE", True),
        ("INSUFFICIENT_DATA(a)", False),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:a)", True),
    ],
)
def test_a_rule_is_answered_by_its_alarms_states(text: str, expected: bool) -> None:
    assert says(text, "a") is expected


def test_our_lanes_rules_are_understood() -> None:
    lambda_lane, container = lane_alarms(DEFAULT_STAGE)
    for lane in (lambda_lane, container):
        text = lane.rule("crossover-dev")
        every = set(named(parse_rule(text)))
        assert every == {f"crossover-dev-{key}" for key in (*lane.members, *(name for pair in lane.unless for name in pair))}
        assert not says(text)
        assert says(text, f"crossover-dev-{lane.members[0]}")
    ((key, other),) = container.unless
    assert says(container.rule("s"), f"s-{key}")
    assert not says(container.rule("s"), f"s-{key}", f"s-{other}")


@pytest.mark.parametrize(
    ("text", "at"),
    [("ALARM(a) AND", "the end"), ("AT_LEAST(1, ALARM, (a, b))", "AT_LEAST"), ("(ALARM(a)", "the end"), ("ALARM(a) b", "b")],
)
def test_what_is_not_understood_is_named(text: str, at: str) -> None:
    with pytest.raises(InputError, match=f"is expected at '{at}"):
        parse_rule(text)
