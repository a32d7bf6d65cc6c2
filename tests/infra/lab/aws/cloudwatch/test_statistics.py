"""Statistics of what was published in a period."""

from __future__ import annotations

import pytest

from infra.lab.aws.cloudwatch.statistics import Samples, is_statistic, merged


def samples(*pairs: tuple[float, float]) -> Samples:
    made = Samples()
    for value, count in pairs:
        made.add(value, count)
    return made


def test_values_count_as_often_as_they_occurred() -> None:
    made = samples((10.0, 98), (200.0, 1), (400.0, 1))
    told = {name: made.statistic(name) for name in ("SampleCount", "Sum", "Average", "Minimum", "Maximum")}
    assert told == {"SampleCount": 100, "Sum": 1580, "Average": 15.8, "Minimum": 10, "Maximum": 400}


@pytest.mark.parametrize(
    ("percentile", "value"),
    [("p0", 1), ("p50", 500), ("p99", 990), ("p99.9", 999), ("p99.99", 1000), ("p100", 1000)],
)
def test_a_percentile_is_the_least_value_that_so_many_samples_do_not_exceed(percentile: str, value: float) -> None:
    made = samples(*((float(number), 1.0) for number in range(1, 1001)))
    assert made.statistic(percentile) == value


def test_nothing_published_has_no_statistic() -> None:
    assert Samples().statistic("Sum") is None
    assert merged([]) is None


def test_statistic_sets_add_up_and_have_no_percentile() -> None:
    made = samples((5.0, 1))
    made.add_set(count=3, total=30, minimum=2, maximum=20)
    assert (made.statistic("Sum"), made.statistic("SampleCount"), made.statistic("Minimum")) == (35, 4, 2)
    assert made.statistic("p99") is None


def test_of_a_set_whose_least_and_greatest_are_one_the_percentile_is_known() -> None:
    made = Samples()
    made.add_set(count=7, total=21, minimum=3, maximum=3)
    assert made.statistic("p99") == 3


def test_no_percentile_is_told_over_negative_values() -> None:
    assert samples((-1.0, 1), (2.0, 1)).statistic("p50") is None


def test_merging_leaves_the_parts_as_they_were() -> None:
    first, second = samples((1.0, 1)), samples((1.0, 2), (3.0, 1))
    whole = merged([first, second])
    assert whole is not None
    assert (whole.statistic("SampleCount"), first.statistic("SampleCount")) == (4, 1)


@pytest.mark.parametrize("name", ["p99", "p99.9", "p0", "p100", "Sum", "SampleCount"])
def test_statistics_that_are_known(name: str) -> None:
    assert is_statistic(name)


@pytest.mark.parametrize("name", ["p101", "p", "tm99", "IQM", "sum", "p99%"])
def test_statistics_that_are_not(name: str) -> None:
    assert not is_statistic(name)
