"""A schedule that AWS would refuse in the middle of a deployment is refused before it; and when one fires."""

from __future__ import annotations

from datetime import date

import pytest

from infra.settings.cron import is_cron, read_cron


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


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("30 7 * * *", (450,)),
        ("*/20 7 * * *", (420, 440, 460)),
        ("0,15 6-8/2 * * *", (360, 375, 480, 495)),
        ("50/5 23 * * *", (1430, 1435)),
    ],
)
def test_minutes_of_the_day(text: str, minutes: tuple[int, ...]) -> None:
    assert is_cron(text)
    assert read_cron(text).minutes == minutes


@pytest.mark.parametrize(
    ("text", "fires", "weekly"),
    [
        ("0 0 * * 1-5", [23, 24, 25, 26, 27, 30], True),
        ("0 0 * * MON,sun", [22, 23, 29, 30], True),
        ("0 0 * * 7", [22, 29], True),
        ("0 0 24 * *", [24], False),
        ("0 0 24 * 1", [23, 24, 30], False),  # either will do
        ("0 0 * DEC *", [], False),
        ("0 0 */10 11 *", [], False),
    ],
)
def test_days_of_a_november_from_its_22nd(text: str, fires: list[int], weekly: bool) -> None:
    """November 22, 2026 is a Sunday."""
    assert is_cron(text)
    cron = read_cron(text)
    assert [day for day in range(22, 31) if cron.fires_on(date(2026, 11, day))] == fires
    assert cron.weekly is weekly
