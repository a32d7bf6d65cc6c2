"""What holds for any price and any workload: tiers join without a step, and more of an input never costs less."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config import Stage
from infra.cost.lane import CostOptions
from infra.cost.lines.line import priced, total
from infra.cost.model import price_container, price_lambda
from infra.cost.prices import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.traffic import flat_rate

GROWING = (
    "cpu_ms_per_search",
    "wait_ms",
    "cold_start_ms",
    "request_bytes",
    "response_bytes",
    "upstream_bytes_in",
    "upstream_bytes_out",
    "log_bytes_per_search",
)


def test_tiers_are_continuous(book: PriceBook) -> None:
    """Just below and just above each boundary a bill differs by the millionth of a unit that is between them."""
    step, tiered = Decimal("0.000001"), 0
    for price in book.every_price():
        for tier in price.tiers[:-1]:
            assert tier.end is not None
            below, at, above = (total(priced(price, tier.end + each, name="x", note="")) for each in (-step, Decimal(0), step))
            assert Decimal(0) <= at - below <= step * tier.usd
            assert Decimal(0) <= above - at <= step * tier.usd
            tiered += 1
    assert tiered > 5


@settings(max_examples=200, deadline=None)
@given(data=st.data(), low=st.decimals(0, 10**11, places=3), more=st.decimals(0, 10**11, places=3))
def test_more_of_anything_never_costs_less(book: PriceBook, data: st.DataObject, low: Decimal, more: Decimal) -> None:
    price = data.draw(st.sampled_from(sorted(book.prices.values(), key=lambda each: (each.service, each.dimension))))
    assert total(priced(price, low, name="x", note="")) <= total(priced(price, low + more, name="x", note=""))


@pytest.mark.parametrize("field", GROWING)
@settings(max_examples=15, deadline=None)
@given(factor=st.floats(min_value=1.0, max_value=10.0), rps=st.floats(min_value=0.01, max_value=2_000))
def test_a_workload_that_needs_more_never_costs_less(
    profile: WorkloadProfile,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    field: str,
    factor: float,
    rps: float,
) -> None:
    traffic = flat_rate(rps)
    before = profile.lambda_lane, profile.container_lane
    after = [msgspec.structs.replace(lane, **{field: getattr(lane, field) * factor}) for lane in before]
    more = msgspec.structs.replace(profile, lambda_lane=after[0], container_lane=after[1])
    for price in (price_lambda, price_container):
        low = price(profile, traffic, book, stage, options).usd_per_month
        assert low <= price(more, traffic, book, stage, options).usd_per_month
