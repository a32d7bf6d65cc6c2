"""The ways in which instances reach out, priced against each other for the same traffic."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from infra.config import DEFAULT_STAGE, Stage
from infra.cost.compare import compare
from infra.cost.egress import Egress, egress_choices
from infra.cost.lane import CostOptions
from infra.cost.lines.line import total
from infra.cost.model import price_container
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.traffic.profile import flat_rate
from infra.errors import InputError
from infra.settings.edge import EGRESSES
from tests.conftest import ROOT
from tests.infra.cost.conftest import lane, profile_with

# 100/s is 5 instances at most; each search brings 150 KB from suppliers and takes 15 KB to them.
RPS = 100
GB = Decimal(RPS * 3600 * 730 * 165_000) / 10**9


def choices(book: PriceBook, stage: Stage, options: CostOptions) -> dict[str, Egress]:
    return {each.name: each for each in egress_choices(lane(), flat_rate(RPS), book, stage, options)}


def with_egress(stage: Stage, egress: str) -> Stage:
    return replace(stage, network=replace(stage.network, egress=egress))


def test_every_way_that_a_stage_can_choose_is_priced_and_the_chosen_one_marked(
    book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    for egress in EGRESSES:
        found = choices(book, with_egress(stage, egress), options)
        assert tuple(found) == EGRESSES
        assert [name for name, each in found.items() if each.chosen] == [egress]


def test_a_terabyte_a_day_through_nat_gateways_costs_45_dollars_a_day_in_data(
    book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    """The article's suppliers send 1 TB a day."""
    rps = 1e12 / (24 * 3600) / 165_000
    found = {each.name: each for each in egress_choices(lane(), flat_rate(rps), book, stage, options)}
    (data,) = [line for line in found["nat_gateway"].lines if line.name == "NAT gateway data"]
    assert float(data.usd * 24 / 730) == pytest.approx(45, abs=0.001)


def test_each_way_by_hand(book: PriceBook, stage: Stage, options: CostOptions) -> None:
    found = choices(book, stage, options)
    zones = 2
    assert found["public"].usd_per_month == 2 * 730 * Decimal("0.005")
    hours = zones * 730
    assert found["nat_gateway"].usd_per_month == hours * Decimal("0.045") + GB * Decimal("0.045") + hours * Decimal("0.005")
    nat = hours * Decimal("0.0168") + zones * 8 * Decimal("0.08") + hours * Decimal("0.005")
    assert found["nat_instance"].usd_per_month == nat
    assert found["ipv6"].usd_per_month == 0
    assert found["ipv6"].lines == ()
    a_day = found["nat_instance"].usd_per_day
    assert a_day is not None and abs(a_day - nat * 24 / 730) < Decimal("1e-20")


def test_nat_instances_are_told_what_they_must_pass_on_at_the_peak(book: PriceBook, stage: Stage, options: CostOptions) -> None:
    assert "66 Mbit/s each at the peak" in choices(book, stage, options)["nat_instance"].remark  # 100/s × 165 KB × 8 / 2


@pytest.mark.parametrize("egress", EGRESSES)
def test_the_lanes_lines_hold_the_chosen_way(
    egress: str, profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    chosen = with_egress(stage, egress)
    comparison = compare(profile, flat_rate(RPS), book, chosen, options=options)
    (way,) = [each for each in comparison.egress if each.chosen]
    lines = price_container(profile, flat_rate(RPS), book, chosen, options).lines
    assert [line for line in lines if line in way.lines] == list(way.lines)
    none = with_egress(stage, "ipv6")
    without = price_container(profile, flat_rate(RPS), book, none, options).usd_per_month
    assert total(lines) == without + (way.usd_per_month or 0)


def test_unmeasured_upstream_bytes_leave_nat_gateways_without_a_total(
    book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    own = profile_with(lane(upstream_bytes_in=None, upstream_bytes_out=None), lane(upstream_bytes_in=None))
    comparison = compare(own, flat_rate(RPS), book, with_egress(stage, "nat_gateway"), options=options)
    found = {each.name: each for each in comparison.egress}
    assert found["nat_gateway"].usd_per_month is None
    assert found["nat_gateway"].usd_per_day is None
    assert found["public"].usd_per_month is not None
    assert any("GB that NAT gateways pass on" in gap for gap in comparison.container_lane.not_priced)


@pytest.mark.parametrize("dimension", ["nat_gateway_hour", "nat_gateway_data", "public_ipv4"])
def test_each_missing_price_is_named(book: PriceBook, stage: Stage, options: CostOptions, dimension: str) -> None:
    with pytest.raises(InputError, match=f"no price for AmazonVPC {dimension} in us-east-1"):
        choices(book.without("AmazonVPC", dimension), stage, options)


def test_an_unknown_type_of_nat_instance_is_named(book: PriceBook, stage: Stage, options: CostOptions) -> None:
    odd = replace(stage, network=replace(stage.network, nat_instance_type="t9z.small"))
    with pytest.raises(InputError, match=r"instance type t9z\.small"):
        choices(book, odd, options)


def test_the_networks_page_quotes_what_the_model_says(book: PriceBook, stage: Stage, options: CostOptions) -> None:
    """1 TB a day with suppliers, which two instances serve."""
    page = (ROOT / "docs" / "network.md").read_text()
    rps = 1e12 / (24 * 3600) / 165_000
    for each in egress_choices(lane(), flat_rate(rps), book, stage, options):
        label = f"`{each.name}` (default)" if each.name == DEFAULT_STAGE.network.egress else f"`{each.name}`"
        assert f"| {label} | ${each.usd_per_month:,.2f} | ${each.usd_per_day:,.2f} |" in page
