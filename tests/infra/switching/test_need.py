"""How many instances or environments a lane needs, by a profile or by what the lanes do now."""

from __future__ import annotations

import re

import pytest

from infra.switching.need import Load, Machines, Measured, few_samples, need_of
from infra.switching.plan import Need, make_plan
from infra.switching.weights import all_on

LOAD = Load(rps=200.0, requests={"lambda": 0, "container": 360_000}, cpu_share=0.3, instances=4, seconds=None)
INSTANCES = Machines(vcpu=2, target_cpu=0.6, memory_mb=None)
FUNCTION = Machines(vcpu=None, target_cpu=0.0, memory_mb=1_769)
ONE = Measured(cpu_ms=10.0, wait_ms=489.5)


def units(found: Need | str) -> int:
    assert isinstance(found, Need), found
    return found.units


def test_by_a_profile() -> None:
    assert units(need_of("container", 1.0, LOAD, INSTANCES, ONE)) == 2  # 200/s at 120/s each
    assert units(need_of("container", 0.5, LOAD, INSTANCES, ONE)) == 1
    found = need_of("lambda", 1.0, LOAD, FUNCTION, ONE)
    assert units(found) == 100
    assert isinstance(found, Need)
    assert found.why == "200.0 requests/s of 0.50 s each (by the profile)"


def test_by_the_cpu_that_the_container_lane_takes_now() -> None:
    found = need_of("container", 1.0, LOAD, INSTANCES, None)
    assert units(found) == 4  # 24 ms a request: 50/s an instance at 60%
    assert isinstance(found, Need)
    assert found.why == "200.0 requests/s of 24.0 ms CPU each (as in the last hour) on 2 vCPUs at 60%"


def test_by_the_duration_that_requests_have_on_lambda_now() -> None:
    load = Load(rps=50.0, requests={"lambda": 180_000, "container": 0}, seconds=0.41)
    assert units(need_of("lambda", 1.0, load, FUNCTION, None)) == 21


@pytest.mark.parametrize(
    ("lane", "load", "machines", "said"),
    [
        ("container", Load(rps=None, requests={}), INSTANCES, "CloudWatch has nothing of the last hour"),
        ("container", LOAD, FUNCTION, "instance types are not known"),
        ("container", Load(rps=1.0, requests={"container": 999}, cpu_share=0.3, instances=2), INSTANCES, "fewer than 1,000"),
        ("container", Load(rps=1.0, requests={"container": 9_999}, cpu_share=None, instances=2), INSTANCES, "CPU of a request"),
        ("lambda", LOAD, FUNCTION, "the duration of a request is not known"),
    ],
)
def test_what_is_not_known_is_said_and_not_guessed(lane: str, load: Load, machines: Machines, said: str) -> None:
    found = need_of(lane, 1.0, load, machines, None)
    assert isinstance(found, str)
    assert said in found


def test_an_idle_stage_needs_one() -> None:
    assert units(need_of("container", 1.0, Load(rps=0.0, requests={}), INSTANCES, ONE)) == 1


@pytest.mark.parametrize(
    ("rps", "said"),
    [
        (None, None),
        (100.0, None),
        (5.0, "at 5.0 requests/s step 1 sees some 24 requests of the 200 it is judged by.*: --steps 9,100, --limit"),
        (0.42, "step 1 sees some 2 requests .*: --steps 100, --limit min_samples=N, or `crossover promote`"),
        (
            0.02,
            "step 1 sees some 0 requests .* 600 s: --steps 100, with --limit min_samples=9 at most or `crossover promote` by",
        ),
        (0.0, "at 0.0 requests/s .* goes back after 600 s: --steps 100, with `crossover promote` by your own judgement"),
    ],
)
def test_steps_that_will_see_too_few_requests_are_foretold_with_what_would_be_enough(
    rps: float | None, said: str | None
) -> None:
    plan = make_plan(stage="prod", start=all_on("lambda"), goal=all_on("container"))
    assert plan is not None
    told = list(few_samples(plan, rps))
    assert len(told) == (said is not None)
    assert said is None or re.search(said, told[0])
