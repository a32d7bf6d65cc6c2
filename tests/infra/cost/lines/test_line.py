"""Quantity × price, tier by tier."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cost.lines.line import SMALLEST, after_free, priced, quantity, total
from infra.cost.prices.book import FreeTier, Price
from infra.cost.prices.file import load_price_book
from infra.errors import InputError

BOOK = load_price_book("us-east-1")
TIERED = [price for price in BOOK.every_price() if len(price.tiers) > 1]
amounts = st.decimals(min_value=0, max_value=Decimal("1e13"), allow_nan=False, places=6)
tiered = st.sampled_from(TIERED)


def cost(price: Price, amount: Decimal) -> Decimal:
    return total(priced(price, amount, name="x", note=""))


@given(tiered, amounts)
def test_lines_cover_the_amount_exactly(price: Price, amount: Decimal) -> None:
    lines = priced(price, amount, name="x", note="")
    assert sum(line.quantity for line in lines) == amount
    assert all(line.usd == line.quantity * line.unit_price for line in lines if line.quantity < Decimal("1e12"))


@given(tiered, amounts, amounts)
def test_more_never_costs_less(price: Price, one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    assert cost(price, low) <= cost(price, high)


@pytest.mark.parametrize("price", TIERED, ids=lambda price: str(price.dimension))
def test_cost_is_continuous_where_a_tier_ends(price: Price) -> None:
    for tier, following in zip(price.tiers, price.tiers[1:], strict=False):
        assert tier.end is not None
        at, beyond = cost(price, tier.end), cost(price, tier.end + SMALLEST)
        assert beyond - at == SMALLEST * following.usd


def test_amount_at_the_end_of_a_tier_stays_in_it() -> None:
    out = BOOK.price("AWSDataTransfer", "out_internet")
    assert [line.name for line in priced(out, Decimal(10_240), name="Out", note="")] == ["Out"]
    assert [line.name for line in priced(out, Decimal(10_241), name="Out", note="")] == ["Out, tier 1", "Out, tier 2"]


def test_nothing_used_is_one_line_of_nothing() -> None:
    (line,) = priced(BOOK.price("AWSDataTransfer", "out_internet"), Decimal(0), name="Out", note="")
    assert line.quantity == line.usd == 0


@pytest.mark.parametrize("bad", [-1, float("nan"), float("inf"), Decimal("-0.1"), Decimal("NaN")])
def test_impossible_quantities_are_refused(bad: float | Decimal) -> None:
    with pytest.raises(InputError, match="0 or more"):
        quantity(bad)


def test_free_allowance_never_makes_a_bill_negative() -> None:
    free = FreeTier(service="s", dimension="d", unit="u", quantity=Decimal(100), source="x", as_of=None, confidence="high")
    assert after_free(Decimal(40), free) == 0
    assert after_free(Decimal(140), free) == 40
    assert after_free(Decimal(140), None) == 140
