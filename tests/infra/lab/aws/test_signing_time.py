"""What was signed by a wrong clock is refused, in each protocol's words, and the switch tells its operator so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import botocore.auth
import pytest

from infra.errors import KitError
from infra.lab.aws.signing_time import FORM, refusal
from infra.switching.aws.calls import asked
from infra.switching.ports import Unreachable
from tests.infra.lab.aws.test_api_faults import CALLS
from tests.infra.lab.fast_lab import FastLab

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stamped(minutes: float) -> str:
    return (NOON + timedelta(minutes=minutes)).strftime(FORM)


@pytest.mark.parametrize("minutes", [0, 4.9, -4.9, 5, -5])
def test_five_minutes_either_way_are_taken(minutes: float) -> None:
    assert refusal(stamped(minutes), NOON.timestamp(), protocol="json", service="ssm") is None


def test_a_request_that_bears_no_time_is_not_judged() -> None:
    assert refusal("", NOON.timestamp(), protocol="query", service="elbv2") is None


def test_early_and_late_are_told_apart_with_the_limit_that_was_passed() -> None:
    late = refusal(stamped(-60), NOON.timestamp(), protocol="query", service="elbv2")
    early = refusal(stamped(60), NOON.timestamp(), protocol="query", service="elbv2")
    assert late is not None and early is not None
    assert (
        late.message == "Signature expired: 20260301T110000Z is now earlier than 20260301T115500Z (20260301T120000Z - 5 min.)"
    )
    assert early.message.startswith("Signature not yet current: 20260301T130000Z is still later than 20260301T120500Z")


@pytest.mark.slow
@pytest.mark.parametrize("service", CALLS)
def test_an_operator_whose_clock_is_an_hour_off_is_told_to_set_it(
    fast_lab: FastLab, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: right(remove_tzinfo) + timedelta(hours=1)
    )
    _, ask = CALLS[service]
    with pytest.raises(KitError, match="set the clock") as raised, asked(service):
        ask(fast_lab.client(service))
    assert not isinstance(raised.value, Unreachable)
