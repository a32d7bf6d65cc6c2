"""A schedule that AWS would refuse in the middle of a deployment is refused before it."""

from __future__ import annotations

import pytest

from infra.settings.cron import is_cron


@pytest.mark.parametrize(
    "text",
    ["0 7 * * 1-5", "*/15 * * * *", "0 7,19 1 JAN-MAR *", "30 22 1-15/2 12 SUN", "0 0 * * mon-fri", "5/10 0 31 1 7"],
)
def test_what_auto_scaling_takes_is_taken(text: str) -> None:
    assert is_cron(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "0 7 * *", "0 7 * * 1-5 *", "0  7 * * *"),
        *("60 7 * * *", "0 24 * * *", "0 7 0 * *", "0 7 * 13 *", "0 7 * * 8", "-1 7 * * *"),
        *("0 7 * * 5-1", "0 7 * * 1-", "*/0 * * * *", "0 7 ? * *", "0 7 * * noon", "0 7 * MON *", "٠ 7 * * *"),
    ],
)
def test_what_it_would_refuse_is_refused(text: str) -> None:
    assert not is_cron(text)
