"""Schedule expressions: when each is due, in its own time zone, and which are none."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from infra.errors import InputError
from infra.lab.aws.scheduler.expressions import read_expression, stamp

BERLIN, UTC = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def moments(expression: str, first: str, count: int, zone: ZoneInfo = UTC) -> list[str]:
    """The next so many after `first`, both local."""
    since = moment = datetime.fromisoformat(first).replace(tzinfo=zone).timestamp()
    found = []
    for _ in range(count):
        due = read_expression(expression).after(moment, since, zone)
        assert due is not None
        moment = due
        found.append(datetime.fromtimestamp(due, zone).strftime("%a %d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("cron(0 7 ? * MON-FRI *)", ["Fri 01 07:00", "Mon 04 07:00"]),
        ("cron(0/20 22 ? * SAT,SUN *)", ["Sat 02 22:00", "Sat 02 22:20", "Sat 02 22:40", "Sun 03 22:00"]),
        ("cron(30 6 1,15 * ? 2027)", ["Fri 01 06:30", "Fri 15 06:30"]),
        ("cron(0 0 ? JAN-FEB 6-1 *)", ["Sat 02 00:00", "Sun 03 00:00", "Fri 08 00:00"]),
        ("rate(1 minute)", ["Fri 01 00:01", "Fri 01 00:02"]),
        ("rate(2 days)", ["Sun 03 00:00", "Tue 05 00:00"]),
        ("at(2027-01-02T03:04:00)", ["Sat 02 03:04"]),
    ],
)
def test_when_it_is_due(expression: str, due: list[str]) -> None:
    assert moments(expression, "2027-01-01T00:00:00", len(due)) == due


def test_a_time_the_clock_leaps_over_is_skipped_and_one_that_comes_twice_is_taken_once() -> None:
    spring = moments("cron(30 2 ? * * *)", "2027-03-27T12:00:00", 2, BERLIN)
    assert spring == ["Mon 29 02:30", "Tue 30 02:30"]
    autumn = moments("cron(30 2 ? * * *)", "2027-10-30T12:00:00", 2, BERLIN)
    assert autumn == ["Sun 31 02:30", "Mon 01 02:30"]


def test_what_is_over_is_never_due_again() -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC).timestamp()
    for expression in ("at(2026-12-31T23:59:59)", "cron(0 0 ? * * 2026)", "cron(0 0 30 2 ? *)"):
        assert read_expression(expression).after(now, now, UTC) is None


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("every day", "is none of cron"),
        ("cron(0 7 * * MON-FRI *)", "one of day-of-month and day-of-week must be ?"),
        ("cron(0 7 ? * ? *)", "one of day-of-month and day-of-week must be ?"),
        ("cron(0 7 ? * MON-FRI)", "has 5 fields"),
        ("cron(60 7 ? * MON *)", "'60' is not 0 to 59"),
        ("cron(0 7 ? * DAY *)", "'DAY' is not 1 to 7 or MON"),
        ("cron(0 9-7 ? * MON *)", "9 is above 7"),
        ("cron(0/0 7 ? * MON *)", "a step must be"),
        ("cron(0 7 L * ? *)", "L, W and # are not done"),
        ("rate(1 minutes)", "must be as 1 minute"),
        ("rate(10 seconds)", "must be as 1 minute"),
        ("at(2027-13-01T00:00:00)", "must be as 2027"),
    ],
)
def test_what_is_none_is_refused(expression: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_expression(expression)
    assert said in str(refused.value)


def test_a_moment_is_put_into_the_input_in_utc() -> None:
    assert stamp(datetime(2027, 1, 1, 8, tzinfo=BERLIN).timestamp()) == "2027-01-01T07:00:00Z"
