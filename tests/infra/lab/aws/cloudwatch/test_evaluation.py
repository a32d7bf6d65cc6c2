"""The state of an alarm: the tables of the user guide, and our own alarms."""

from __future__ import annotations

import pytest

from infra.lab.aws.cloudwatch.evaluation import Criterion, Point, evaluate, fewest_samples

VALUES = {"0": 1.0, "X": 9.0, "-": None}


def points(drawn: str) -> list[Point]:
    """As the guide draws them, the newest on the right."""
    return [Point(60 * number, VALUES[mark]) for number, mark in enumerate(reversed(drawn.split()))]


def criterion(enough: int, of: int, missing: str) -> Criterion:
    return Criterion(comparison="GreaterThanThreshold", threshold=5, enough=enough, of=of, missing=missing)


ALARM, OK, NONE, KEPT = "ALARM", "OK", "INSUFFICIENT_DATA", None


@pytest.mark.parametrize(
    ("enough", "drawn", "missing", "ignore", "breaching", "not_breaching"),
    [
        (3, "0 - X - X", OK, OK, OK, OK),
        (3, "0 - - - -", OK, OK, OK, OK),
        (3, "- - - - -", NONE, KEPT, ALARM, OK),
        (3, "0 X X - X", ALARM, ALARM, ALARM, ALARM),
        (3, "- - X - -", ALARM, KEPT, ALARM, OK),
        (2, "0 - X - X", ALARM, ALARM, ALARM, ALARM),
        (2, "0 0 X 0 X", ALARM, ALARM, ALARM, ALARM),
        (2, "0 - X - -", OK, OK, ALARM, OK),
        (2, "- - - - 0", OK, OK, ALARM, OK),
        (2, "- - - X -", ALARM, KEPT, ALARM, OK),
    ],
)
def test_missing_data_as_the_user_guide_s_tables_have_them(
    enough: int, drawn: str, missing: str, ignore: str | None, breaching: str, not_breaching: str
) -> None:
    kinds = ("missing", "ignore", "breaching", "notBreaching")
    found = [evaluate(criterion(enough, 3, kind), points(drawn)).state for kind in kinds]
    assert found == [missing, ignore, breaching, not_breaching]


@pytest.mark.parametrize("drawn", ["- - - - X", "- - - X -"])
def test_one_breaching_point_that_is_still_new_is_no_alarm_yet(drawn: str) -> None:
    assert evaluate(criterion(3, 3, "missing"), points(drawn)).state == "OK"


@pytest.mark.parametrize(
    ("comparison", "value", "breaches"),
    [
        ("GreaterThanOrEqualToThreshold", 5, True),
        ("GreaterThanThreshold", 5, False),
        ("LessThanThreshold", 5, False),
        ("LessThanOrEqualToThreshold", 5, True),
    ],
)
def test_the_threshold_itself(comparison: str, value: float, breaches: bool) -> None:
    assert Criterion(comparison=comparison, threshold=5, enough=1, of=1).breaches(value) is breaches


def test_the_reason_names_the_points_and_what_was_filled_in() -> None:
    alarm = evaluate(criterion(2, 3, "breaching"), points("X - - X -"))
    assert alarm.reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [9.0 (01/01/70 00:01:00), 9.0 (01/01/70 00:04:00)] were greater "
        "than the threshold (5) and 1 missing datapoint was treated as [Breaching] (minimum 2 datapoints for OK -> ALARM "
        "transition)."
    )
    fine = evaluate(criterion(3, 3, "missing"), points("X X 0"))
    assert fine.reason == (
        "Threshold Crossed: 1 out of the last 3 datapoints [1.0 (01/01/70 00:00:00)] was not greater than the threshold (5) "
        "(minimum 1 datapoint for ALARM -> OK transition)."
    )
    assert evaluate(criterion(1, 1, "missing"), points("- - -")).reason == "Insufficient Data: 1 datapoint was unknown."
    assert "no datapoints were received for 3 periods and 3 missing datapoints were treated as [NonBreaching]" in (
        evaluate(criterion(3, 3, "notBreaching"), points("- - - - -")).reason
    )


@pytest.mark.parametrize(("percentile", "fewest"), [("p99", 1000), ("p50", 20), ("p99.9", 10_000), ("p10", 100)])
def test_how_many_samples_a_percentile_needs(percentile: str, fewest: float) -> None:
    assert fewest_samples(percentile) == pytest.approx(fewest)
