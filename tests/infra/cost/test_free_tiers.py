"""What is free each month: by hand, once an account, and the same in a lane, a split, the workbook's names and FOCUS rows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config import Stage
from infra.cost.compare import Beside, compare
from infra.cost.free_tiers import OWN, take_free
from infra.cost.lane import CostOptions, LaneCost
from infra.cost.lines import watching
from infra.cost.lines.line import LineItem, total
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.reports.focus import focus_rows
from infra.cost.reports.report import report_document
from infra.cost.split import price_split
from infra.cost.traffic.profile import flat_rate


@pytest.fixture(scope="module")
def free(options: CostOptions) -> CostOptions:
    return replace(options, free_tier=True)


def of(lines: tuple[LineItem, ...], dimension: str) -> Decimal:
    return sum((line.free for line in lines if line.dimension == dimension), Decimal(0))


def usd(lane: LaneCost, name: str) -> Decimal:
    return total(line for line in lane.lines if line.name.startswith(name))


def test_a_container_month_by_hand(profile: WorkloadProfile, book: PriceBook, stage: Stage, free: CostOptions) -> None:
    """Two instances: 4 metrics of the group's and 14 of EC2's, of which 10 are free; 87,600 requests of a million; one
    dashboard of three; no alarms of a first ten left over where the lane has more."""
    lane = price_container(profile, flat_rate(1), book, stage, free)
    assert usd(lane, "CloudWatch metrics, container lane") == 0
    assert usd(lane, "CloudWatch detailed monitoring") == (14 - 6) * Decimal("0.3")
    assert usd(lane, "CloudWatch metric requests") == 0
    assert usd(lane, "CloudWatch dashboard") == 0
    assert of(lane.lines, "custom_metric") == 10
    assert of(lane.lines, "put_metric_data") == 87_600
    assert of(lane.lines, "standard_alarm") == 10
    (line,) = [line for line in lane.lines if line.name == "CloudWatch detailed monitoring"]
    assert line.note.endswith("6 of 14 free of charge")
    assert line.used == 14


def test_five_gigabytes_of_logs_are_free_to_take_in_and_five_to_keep(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, free: CostOptions
) -> None:
    """10/s × 300 bytes are 7.884 GB a month; kept for 14 days, 3.6792 GB-months."""
    lane = price_lambda(profile, flat_rate(10), book, stage, free)
    assert usd(lane, "CloudWatch Logs ingestion") == Decimal("2.884") * Decimal("0.5")
    assert usd(lane, "CloudWatch Logs storage") == 0
    assert of(lane.lines, "logs_storage") == Decimal("3.6792")


def test_without_the_option_nothing_is_free(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    for price in (price_lambda, price_container):
        assert not any(line.free for line in price(profile, flat_rate(1), book, stage, options).lines)


def test_allowances_are_one_accounts_in_a_split(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, free: CostOptions
) -> None:
    split = price_split(profile, flat_rate(100), book, stage, free, lambda_percent=50)
    for (service, dimension), allowance in book.free_tiers.items():
        taken = sum(
            (line.free for line in split.whole.lines if (line.service, line.dimension) == (service, dimension)), Decimal(0)
        )
        assert taken <= allowance.quantity
    assert of(split.whole.lines, "standard_alarm") == 10
    assert split.whole.lines == (*split.own[0].lines, *split.own[1].lines, *split.shared)


def test_what_templates_have_beside_shares_the_allowance(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, free: CostOptions
) -> None:
    three = tuple(line for _ in range(3) for line in watching.dashboard(book, note="another stack's"))
    comparison = compare(profile, flat_rate(1), book, stage, options=free, beside=Beside(on_lambda=three))
    lane = comparison.lambda_lane
    assert of(lane.lines, "dashboard") == 3
    assert total(line for line in lane.lines if line.dimension == "dashboard") == 3
    assert total(line for line in comparison.container_lane.lines if line.dimension == "dashboard") == 0


def test_rows_tell_what_is_free_and_add_up(profile: WorkloadProfile, book: PriceBook, stage: Stage, free: CostOptions) -> None:
    comparison = compare(profile, flat_rate(10), book, stage, options=free, lambda_percent=50)
    rows = list(focus_rows(comparison))
    lines = [line for lane in comparison.bills for line in lane.lines]
    for row, line in zip(rows, lines, strict=True):
        assert (row["PricingQuantity"], row["ConsumedQuantity"]) == (line.quantity, line.quantity + line.free)
        assert row["BilledCost"] == line.quantity * line.unit_price
    told = report_document(comparison)["lanes"]["container"]["lines"]
    assert sum(Decimal(each["free"]) for each in told if each["dimension"] == "custom_metric") == 10


def test_tiers_count_what_is_left(book: PriceBook) -> None:
    """As `priced` has it: the last units of a line are the free ones."""
    lines = watching.metrics(book, 10_005, of="many", note="made for a test")
    first, second = take_free(lines, book)
    assert first.quantity == 9_995
    assert second.quantity == 0
    assert total((first, second)) == 9_995 * Decimal("0.3")


@settings(max_examples=40, deadline=None)
@given(counts=st.lists(st.integers(min_value=0, max_value=30), min_size=1, max_size=6))
def test_nothing_is_free_twice_and_nothing_costs_more(book: PriceBook, counts: list[int]) -> None:
    lines = [line for count in counts for line in watching.metrics(book, count, of=str(count), note="made for a test")]
    after = take_free(lines, book)
    assert sum(line.free for line in after) == min(10, sum(counts))
    assert sum(line.used for line in after) == sum(counts)
    assert all(one.usd <= other.usd for one, other in zip(after, lines, strict=True))


def test_every_allowance_is_of_a_price_in_the_book_and_has_a_source(book: PriceBook) -> None:
    for (service, dimension), allowance in book.free_tiers.items():
        assert allowance.source
        if dimension != "duration":  # of both architectures together
            assert allowance.unit == book.price(service, dimension).unit
    assert {service for service, _ in book.free_tiers} >= OWN
