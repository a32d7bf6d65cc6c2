"""A weighted split: each lane for its share, what they share once, and the parts make the whole."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config import Stage
from infra.cost.lane import CostOptions, LaneCost
from infra.cost.lines.line import total
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.split import price_split, read_split
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.errors import InputError

rates = st.lists(st.floats(min_value=0.01, max_value=3_000), min_size=1, max_size=24)
weights = st.integers(min_value=1, max_value=99)


def amount(lane: LaneCost, dimension: str) -> Decimal:
    return sum((line.quantity for line in lane.lines if line.dimension == dimension), Decimal(0))


@settings(max_examples=40, deadline=None)
@given(rates=rates, percent=weights)
def test_lanes_and_what_they_share_make_the_whole(
    profile: WorkloadProfile,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    rates: list[float],
    percent: int,
) -> None:
    traffic = TrafficProfile(step_s=3600, rates=tuple(rates), source="x")
    split = price_split(profile, traffic, book, stage, options, lambda_percent=percent)
    own = sum((total(lane.lines) for lane in split.own), Decimal(0))
    assert split.whole.usd_per_month == own + total(split.shared)
    assert split.whole.usd_per_month == sum(line.quantity * line.unit_price for line in split.whole.lines)
    assert abs(sum(lane.searches_per_month for lane in split.own) - split.whole.searches_per_month) < Decimal("0.01")
    alone = price_lambda(profile, traffic, book, stage, options), price_container(profile, traffic, book, stage, options)
    for dimension in ("alb_hour", "dashboard", "secret", "put_requests"):  # once, not twice
        assert amount(split.whole, dimension) == amount(alone[0], dimension) == amount(alone[1], dimension)
    for dimension in ("in_internet", "out_internet"):  # the same bytes, whichever lane they pass
        assert float(amount(split.whole, dimension)) == pytest.approx(float(amount(alone[0], dimension)), abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(rates=rates, percent=weights)
def test_what_is_linear_in_traffic_is_linear_in_the_weight(
    profile: WorkloadProfile,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    rates: list[float],
    percent: int,
) -> None:
    traffic = TrafficProfile(step_s=3600, rates=tuple(rates), source="x")
    split = price_split(profile, traffic, book, stage, options, lambda_percent=percent).whole
    alone = price_lambda(profile, traffic, book, stage, options)
    low, high = amount(alone, "alb_lcu") / Decimal("2.5"), amount(alone, "alb_lcu")
    assert float(low) - 1e-4 <= float(amount(split, "alb_lcu")) <= float(high) + 1e-4
    assert float(amount(split, "requests")) == pytest.approx(float(amount(alone, "requests")) * percent / 100, rel=1e-9)


def test_load_balancers_dimensions_add_up_before_the_largest_is_billed(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    """70/s to Lambda at 0.4 GB an LCU, 30/s to instances at 1 GB; 100/s of 20,500 bytes are 7.38 GB an hour."""
    split = price_split(profile, flat_rate(100), book, stage, options, lambda_percent=70).whole
    lcu = 7.38 * (0.7 / 0.4 + 0.3)
    assert float(amount(split, "alb_lcu")) == pytest.approx(lcu * 730)


def test_tiers_of_transfer_are_filled_by_both_lanes_together(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    split = price_split(profile, flat_rate(1000), book, stage, options, lambda_percent=50).whole
    gigabytes = 1000 * 3600 * 730 * Decimal(35_000) / 10**9
    tiers = [line.quantity for line in split.lines if line.dimension == "out_internet"]
    assert tiers == [Decimal(10240), Decimal(40960), gigabytes - 51200]


@pytest.mark.parametrize("text", ["70", "70/31", "0/100", "100/0", "70:30", "-10/110", "seventy/30", "33.5/66.5"])
def test_wrong_split_says_what_is_right(text: str) -> None:
    with pytest.raises(InputError, match="must be two whole percentages that make 100, Lambda's first, as 70/30"):
        read_split(text)


def test_only_lanes_behind_one_load_balancer_share_traffic(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    other = replace(stage, lanes=("lambda",), lambda_lane=replace(stage.lambda_lane, front="http_api"))
    with pytest.raises(InputError, match=r"split: lambda_lane\.front is http_api"):
        price_split(profile, flat_rate(1), book, other, options, lambda_percent=50)
    with pytest.raises(InputError, match="each lane must have at least 1%"):
        price_split(profile, flat_rate(1), book, stage, options, lambda_percent=100)
