"""When a target is healthy, after which results."""

from __future__ import annotations

import pytest

from infra.lab.live.front.health import HEALTHY, INITIAL, REGISTERED, UNHEALTHY, Result, Status, after
from tests.infra.lab.live.front.targets import CHECK

WELL, ILL, SILENT, CLOSED = Result(200), Result(503), Result(timed_out=True), Result()


def followed(status: Status, *results: Result) -> list[str]:
    states = []
    for moment, result in enumerate(results):
        status = after(status, result, CHECK, float(moment))
        states.append(status.state)
    return states


def test_a_new_target_is_healthy_after_one_check() -> None:
    assert followed(REGISTERED, WELL) == [HEALTHY]
    assert followed(REGISTERED, ILL, WELL) == [INITIAL, HEALTHY]


def test_a_new_target_that_never_passes_is_unhealthy_after_as_many_failures_as_another() -> None:
    assert followed(REGISTERED, ILL, CLOSED, SILENT) == [INITIAL, INITIAL, UNHEALTHY]


def test_a_healthy_target_may_fail_now_and_then_but_not_three_times_in_a_row() -> None:
    assert followed(REGISTERED, WELL, ILL, ILL, WELL, ILL, ILL) == [HEALTHY] * 6
    assert followed(REGISTERED, WELL, ILL, ILL, ILL)[-1] == UNHEALTHY


def test_an_unhealthy_target_must_pass_as_often_in_a_row_as_its_group_says() -> None:
    ill = Status(UNHEALTHY)
    assert followed(ill, WELL, WELL) == [UNHEALTHY, HEALTHY]
    assert followed(ill, WELL, ILL, WELL) == [UNHEALTHY] * 3


@pytest.mark.parametrize(
    ("result", "reason", "description"),
    [
        (ILL, "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"),
        (SILENT, "Target.Timeout", "Request timed out"),
        (CLOSED, "Target.FailedHealthChecks", "Health checks failed"),
    ],
)
def test_an_unhealthy_target_says_why(result: Result, reason: str, description: str) -> None:
    status = after(Status(HEALTHY, failed=2), result, CHECK, 7.0)
    assert status.told() == {"State": UNHEALTHY, "Reason": reason, "Description": description}
    assert status.since == 7.0


def test_a_healthy_target_has_no_reason() -> None:
    assert after(REGISTERED, WELL, CHECK, 0.0).told() == {"State": "healthy"}
