"""A week of changes: what a file may say, what each is as an entry, clock changes, and what it saves."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from infra.errors import InputError
from infra.switching.schedule import next_at, read_schedule, schedule_of
from infra.switching.schedule_saving import read_hours, savings

TODAY = date(2026, 11, 26)  # a Thursday
NOW = datetime(2026, 11, 26, 12, tzinfo=ZoneInfo("UTC")).timestamp()
WEEKDAYS: dict[str, Any] = {"days": "MON-FRI", "at": "07:00", "to": "container", "units": 6}
NIGHTS: dict[str, Any] = {"days": "mon-fri", "at": "22:00", "to": "lambda", "steps": [10, 100]}


def week(*changes: dict[str, Any], timezone: str = "Europe/Berlin", **more: Any) -> dict[str, Any]:
    return {"timezone": timezone, "change": list(changes), **more}


def test_container_on_weekdays_and_lambda_at_night() -> None:
    day, night = schedule_of(week(WEEKDAYS, NIGHTS), TODAY).changes
    assert (day.name, day.expression, day.when) == ("mon-fri-0700-container", "cron(0 7 ? * MON-FRI *)", "MON-FRI 07:00")
    assert (night.name, night.expression) == ("mon-fri-2200-lambda", "cron(0 22 ? * MON-FRI *)")
    assert (day.units, day.steps, night.units, night.steps) == (6, (1, 5, 25, 50, 100), None, (10, 100))


@pytest.mark.parametrize(
    ("days", "text"),
    [
        ("MON-FRI", "MON-FRI"),
        ("sat,SUN", "SAT,SUN"),
        ("MON-WED,FRI", "MON-WED,FRI"),
        ("FRI-MON", "MON,FRI-SUN"),
        ("TUE", "TUE"),
    ],
)
def test_days_are_spans_or_lists_as_scheduler_takes_them(days: str, text: str) -> None:
    change = {"days": days, "at": "07:00", "to": "container"}
    assert f" {text} *)" in schedule_of(week(change, {**NIGHTS, "days": days}), TODAY).changes[0].expression


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([WEEKDAYS], "nothing leads elsewhere between MON 07:00 and TUE 07:00, both to container: leave one out"),
        ([{**WEEKDAYS, "days": "MON"}], "a schedule has two changes at least, there and back"),
        ([], "a schedule has two changes at least"),
        ([WEEKDAYS, {**NIGHTS, "to": "ec2"}], "change 2: to 'ec2': must be lambda, container, or split LAMBDA/CONTAINER"),
        ([WEEKDAYS, {**NIGHTS, "to": "split 70/20"}], "together 100"),
        ([WEEKDAYS, {**NIGHTS, "at": "24:00"}], "change 2: at '24:00': must be a time of the day, as 07:00"),
        ([WEEKDAYS, {**NIGHTS, "at": "7:00"}], "change 2: at '7:00'"),
        ([WEEKDAYS, {**NIGHTS, "days": "weekdays"}], "change 2: days 'weekdays': must be days or spans of them"),
        ([WEEKDAYS, {**NIGHTS, "days": "MON,MON-TUE"}], "name a day twice"),
        ([WEEKDAYS, {**NIGHTS, "steps": [100, 10]}], "change 2: steps: must rise from 1 or more to 100"),
        ([{**WEEKDAYS, "units": 0}, NIGHTS], "change 1: units 0: must be 1 or more"),
        ([WEEKDAYS, {**NIGHTS, "at": "07:00"}], "two changes at MON 07:00: to container and to lambda"),
        (
            [WEEKDAYS, {**NIGHTS, "at": "08:00"}],
            "the change at MON 08:00 begins 60 min after the one at MON 07:00, which may take 85 min with 5 steps",
        ),
        ([{**WEEKDAYS, "lane": "x"}, NIGHTS], "unknown field `lane`"),
        ([{"days": "MON", "at": "07:00"}], "missing required field `to`"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be_right(changes: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        schedule_of(week(*changes), TODAY)


def test_limits_and_the_rest_are_those_of_a_switch() -> None:
    own = week(WEEKDAYS, NIGHTS, limits={"loop_lag_ms": "none", "min_samples": 50, "max_bake_s": 300}, smoke_path="/quote")
    schedule = schedule_of({**own, "allow_version_skew": True}, TODAY)
    limits = schedule.changes[0].limits
    assert (limits.loop_lag_ms, limits.min_samples, limits.max_bake_s) == (None, 50, 300)
    assert (schedule.smoke_path, schedule.allow_version_skew) == ("/quote", True)
    assert schedule.changes[0].longest_min == 60  # with shorter bakes they may be nearer to each other
    for wrong, said in (
        ({"speed": 1}, r"limits\.speed: is not known; must be one of error_percent"),
        ({"p99_ms": "none"}, r"limits\.p99_ms: 'none' is no number"),
        ({"p99_ms": 0}, r"limits\.p99_ms: must be more than 0"),
    ):
        with pytest.raises(InputError, match=said):
            schedule_of(week(WEEKDAYS, NIGHTS, limits=wrong), TODAY)


def test_changes_around_midnight_and_the_end_of_the_week_are_held_apart_too() -> None:
    late = {"days": "SUN", "at": "23:30", "to": "container"}
    early = {"days": "MON", "at": "00:15", "to": "lambda"}
    with pytest.raises(InputError, match="the change at MON 00:15 begins 45 min after the one at SUN 23:30"):
        schedule_of(week(late, early), TODAY)


def test_a_time_that_the_clock_leaps_over_is_refused_and_one_that_comes_twice_is_not() -> None:
    leaps = {"days": "SUN", "at": "02:30", "to": "container"}
    back = {"days": "SUN", "at": "12:00", "to": "lambda"}
    with pytest.raises(InputError, match=r"SUN 02:30 does not exist in Europe/Berlin on 2027-03-28.*would be skipped"):
        schedule_of(week(leaps, back), TODAY)
    assert schedule_of(week({**leaps, "days": "MON"}, {**back, "days": "MON"}), TODAY).changes
    assert schedule_of(week(leaps, back, timezone="UTC"), TODAY).changes
    assert schedule_of(week({**leaps, "at": "01:30"}, back, timezone="America/New_York"), TODAY).changes  # twice in autumn


def test_an_entry_is_due_at_local_time_on_both_sides_of_a_clock_change() -> None:
    saturday = datetime(2027, 3, 27, 12, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    assert next_at((0, 1, 2, 3, 4), 7 * 60, "Europe/Berlin", saturday).isoformat() == "2027-03-29T07:00:00+02:00"
    assert next_at((3,), 13 * 60, "Europe/Berlin", NOW).isoformat() == "2026-12-03T13:00:00+01:00"  # it is 13:00 now
    assert next_at((3,), 13 * 60 + 1, "Europe/Berlin", NOW).isoformat() == "2026-11-26T13:01:00+01:00"


def test_a_zone_that_is_none_and_a_file_that_is_not_there_are_said(tmp_path: Path) -> None:
    for zone in ("Berlin", "../etc/passwd", ""):
        with pytest.raises(InputError, match="must be a name of the IANA database"):
            schedule_of(week(WEEKDAYS, NIGHTS, timezone=zone), TODAY)
    with pytest.raises(InputError, match=r"week\.toml: cannot be read \(No such file"):
        read_schedule(tmp_path / "week.toml", TODAY)
    (tmp_path / "week.toml").write_text("timezone = ")
    with pytest.raises(InputError, match=r"week\.toml: is no TOML"):
        read_schedule(tmp_path / "week.toml", TODAY)


def cost_document(hours: int, cheaper: set[int]) -> dict[str, Any]:
    """Containers cost $1 an hour; Lambda $3 in the hours where containers are cheaper, else $0.25. Hours are UTC."""
    listed = [
        {"hour": hour, "lambda_usd": 3.0 if hour % 24 in cheaper else 0.25, "container_usd": 1.0, "best": "x"}
        for hour in range(hours)
    ]
    return {"schema": 1, "traffic": "year.csv", "choices": {}, "hours": listed}


@pytest.mark.parametrize("hours", [24, 168])
def test_each_change_saves_what_its_hours_cost_less_than_on_the_other_lane(tmp_path: Path, hours: int) -> None:
    path = tmp_path / "saving.json"
    path.write_text(json.dumps(cost_document(hours, set(range(6, 21)))))  # 7 to 22 in Berlin's winter
    every = [{**WEEKDAYS, "days": "MON-SUN"}, {**NIGHTS, "days": "MON-SUN"}]
    saved = savings(schedule_of(week(*every), TODAY), read_hours(path), NOW)
    month = Decimal(730) / Decimal(168) * 7
    assert saved == {
        "mon-sun-0700-container": (15 * 2 * month).quantize(Decimal("0.01")),
        "mon-sun-2200-lambda": (9 * Decimal("0.75") * month).quantize(Decimal("0.01")),
    }
    half = [{**every[0], "at": "06:30"}, every[1]]
    earlier = savings(schedule_of(week(*half), TODAY), read_hours(path), NOW)
    assert earlier["mon-sun-0630-container"] == ((15 * 2 - Decimal("0.375")) * month).quantize(Decimal("0.01"))


def test_what_is_not_known_is_not_zero(tmp_path: Path) -> None:
    path = tmp_path / "saving.json"
    path.write_text(json.dumps(cost_document(24, {9})))
    schedule = schedule_of(week(WEEKDAYS, {**NIGHTS, "to": "split 70/30"}), TODAY)
    assert savings(schedule, read_hours(path), NOW)["mon-fri-2200-split-70-30"] is None
    assert set(savings(schedule, None, NOW).values()) == {None}
    for text in ("[]", "{", json.dumps(cost_document(23, set())), json.dumps({**cost_document(24, set()), "schema": 2})):
        path.write_text(text)
        with pytest.raises(InputError, match="cost schedule --json"):
            read_hours(path)
