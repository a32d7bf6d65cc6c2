"""Metric math as the user guide has it: its tables are cases here."""

from __future__ import annotations

import pytest

from infra.components.watch import cost
from infra.components.watch.alarm import Share
from infra.components.watch.metrics import balancer
from infra.errors import InputError
from infra.lab.aws.cloudwatch.expression import parse
from infra.lab.aws.cloudwatch.metric_math import Scope, TimeSeries, evaluate

Points = list[float | None]


def series(points: Points) -> TimeSeries:
    return {60 * at: float(value) for at, value in enumerate(points) if value is not None}


def value(text: str, **metrics: Points) -> object:
    """The result by minute, None where there is none; a number where it is one."""
    length = max((len(points) for points in metrics.values()), default=0)
    known = {id: series(points) for id, points in metrics.items()}
    found = evaluate(parse(text), Scope(lambda id: known[id], lambda _: 60, known, range(0, 60 * length, 60)))
    if isinstance(found, float):
        return found
    assert not isinstance(found, list)
    return [found.get(60 * at) for at in range(length)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metric1 < metric2", [0, 0, 1, 0]),
        ("metric1 >= 30", [1, 0, 0, 0]),
        ("metric1 > 15 AND metric2 > 15", [1, 0, 0, 0]),
        ("metric1 > 15 || metric2 > 15", [1, 1, 1, 0]),
    ],
)
def test_comparisons_of_the_user_guide(text: str, expected: Points) -> None:
    assert value(text, metric1=[30, 20, 0, 0], metric2=[20, None, 20, None]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, None, None]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, None, None]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, None]),
        ("IF(metric1, metric2)", [30, 0, None, None, None]),
    ],
)
def test_conditions_of_the_user_guide(text: str, expected: Points) -> None:
    metric1: Points = [1, 1, 0, 0, None]
    assert value(text, metric1=metric1, metric2=[30, None, 0, 0, 30], metric3=[0, 0, 20, None, 20]) == expected


def test_missing_values_count_as_nothing_and_division_by_it_is_dropped() -> None:
    assert value("a + b", a=[1, None], b=[2, 3]) == [3, 3]
    assert value("a / b", a=[1, 2], b=[0, 4]) == [None, 0.5]


def test_an_operator_binds_as_in_arithmetic() -> None:
    assert value("2 + 3 * a - -1", a=[4]) == [15]
    assert value("(2 + 3) * a ^ 2", a=[4]) == [80]
    assert value("100 * a / PERIOD(a) >= 5 AND a < 9", a=[3, 2.9, 9]) == [1, 0, 0]


def test_functions_over_arrays_are_series_and_over_a_series_a_number() -> None:
    assert value("MAX([a, b])", a=[1, 5], b=[2, None]) == [2, 5]
    assert value("AVG([a, b])", a=[1, 5], b=[2, None]) == [1.5, 2.5]
    assert value("a - MIN(a)", a=[3, 5], b=[]) == [0, 2]
    assert value('SUM(METRICS("a"))', a1=[1], a2=[2], b=[4]) == [3]


def test_fill_and_rounding() -> None:
    assert value("FILL(a, 0)", a=[None, 2, None]) == [0, 2, 0]
    assert value("CEIL(a * 0.5) + FLOOR(a * 0.5)", a=[3]) == [3]


@pytest.mark.parametrize(
    ("errors", "requests", "percent"), [([1], [9], [0]), ([1], [10], [10]), ([None], [50], [0]), ([None], [None], [None])]
)
def test_a_share_of_our_alarms(errors: Points, requests: Points, percent: Points) -> None:
    share = Share(balancer("HTTPCode_ELB_502_Count"), balancer("RequestCount"))
    assert value(share.expression, part=errors, whole=requests) == percent


def test_the_dashboard_s_split_of_instances() -> None:
    from infra.config import DEFAULT_STAGE

    expression = cost.on_demand_instances(DEFAULT_STAGE, "m_count")
    base, spot = DEFAULT_STAGE.container_lane.on_demand_base, DEFAULT_STAGE.container_lane.spot_percent
    expected = base + -(-(10 - base) * (100 - spot) // 100)
    assert value(expression, m_count=[0, 10]) == [0, expected]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("RATE(a)", "the local CloudWatch knows no RATE"),
        ("a +", "it ends too soon"),
        ("(a", "')' is expected, not the end"),
        ("a $ b", "'$' is not understood"),
        ("a b", "'b' is not expected"),
        ("Sum", "neither a number nor an id"),
        ("IF(a)", "IF does not take 1 arguments"),
        ("[a] + [a]", "an operator between two arrays"),
    ],
)
def test_what_is_not_understood_is_said(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why.replace("(", r"\(").replace(")", r"\)").replace("$", r"\$").replace("[", r"\[")):
        value(text, a=[1.0])
