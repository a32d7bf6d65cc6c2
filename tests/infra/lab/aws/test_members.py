"""What holds an instance of a group, and for how long."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from infra.lab.aws.members import LAUNCHING, TERMINATING, Member, begin_waits


def hook(name: str, transition: str = LAUNCHING, *, timeout: int = 60, default: str = "ABANDON") -> Any:
    return SimpleNamespace(name=name, lifecycle_transition=transition, heartbeat_timeout=timeout, default_result=default)


def member(*hooks: Any, now: float = 0.0) -> Member:
    instance = SimpleNamespace(id="i-1", instance_type="c7g.large", placement=SimpleNamespace(zone="us-east-1a"))
    group = SimpleNamespace(name="g", new_instances_protected_from_scale_in=False, ec2_launch_template=None)
    return Member(instance, group, spot=False, version=None, now=now, waits=begin_waits(hooks, LAUNCHING, now))


def test_only_a_hook_of_the_launch_holds_an_instance_that_launches() -> None:
    assert member(hook("drain", TERMINATING)).lifecycle_state == "Pending"
    assert member(hook("boot"), hook("drain", TERMINATING)).lifecycle_state == "Pending:Wait"


@pytest.mark.parametrize("default", ["CONTINUE", "ABANDON"])
def test_a_hook_whose_time_is_up_has_its_default_result(default: str) -> None:
    one = member(hook("boot", default=default))
    assert (one.outcome(59.0), one.outcome(60.0)) == (None, default)


def test_a_hook_lasts_as_long_as_a_machine_needs_however_short_its_own_time() -> None:
    (long,) = begin_waits([hook("drain", TERMINATING)], TERMINATING, 0.0, 360.0)
    (longer,) = begin_waits([hook("drain", TERMINATING, timeout=400)], TERMINATING, 0.0, 360.0)
    assert (long.outcome(359.0), long.outcome(360.0), longer.outcome(360.0)) == (None, "ABANDON", None)


def test_a_heartbeat_starts_the_time_anew() -> None:
    one = member(hook("boot"))
    one.waits[0].extend(50.0)
    assert (one.outcome(109.0), one.outcome(110.0)) == (None, "ABANDON")


def test_all_hooks_must_continue_and_one_is_enough_to_abandon() -> None:
    one = member(hook("boot"), hook("warm"))
    first, second = one.waits
    first.result = "CONTINUE"
    assert one.outcome(1.0) is None
    second.result = "CONTINUE"
    assert one.outcome(1.0) == "CONTINUE"
    other = member(hook("boot"), hook("warm"))
    other.waits[0].result = "ABANDON"
    assert other.outcome(1.0) == "ABANDON"
