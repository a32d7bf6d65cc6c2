"""What holds for any price and any workload: tiers join without a step, and more of an input never costs less."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config import Stage
from infra.cost.lane import CostOptions, LaneCost
from infra.cost.lines.line import priced, total
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.traffic.profile import flat_rate
from infra.overrides import override

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
        low, high = (amounts(price(each, traffic, book, stage, options)) for each in (profile, more))
        assert all(low[dimension] <= high.get(dimension, Decimal(0)) for dimension in low)


# What must grow when an input doubles: (a lane's, dimension) each, so that an input that is overlooked is found.
MOVES = {
    "cpu_ms_per_search": (("lambda", "duration_arm64"), ("container", "c7g.large on demand")),
    "wait_ms": (("lambda", "duration_arm64"),),
    "cold_start_ms": (("lambda", "duration_arm64"),),
    "request_bytes": (("lambda", "alb_lcu"), ("container", "alb_lcu"), ("container", "in_internet")),
    "response_bytes": (("lambda", "alb_lcu"), ("container", "alb_lcu"), ("container", "out_internet")),
    "upstream_bytes_in": (("lambda", "in_internet"), ("container", "in_internet")),
    "upstream_bytes_out": (("lambda", "out_internet"), ("container", "out_internet")),
    "log_bytes_per_search": (("lambda", "logs_ingest_standard"), ("lambda", "logs_storage")),
}
SETTINGS = {
    "lambda_lane.memory_mb": (1_769, 3_538, (("lambda", "duration_arm64"),)),
    "lambda_lane.ephemeral_mb": (1_024, 4_096, (("lambda", "ephemeral_storage_over_512_mb"),)),
    "lambda_lane.provisioned_concurrency": (5, 10, (("lambda", "provisioned_concurrency_arm64"),)),
    "lambda_lane.log_retention_days": (14, 30, (("lambda", "logs_storage"),)),
    "container_lane.volume_gb": (8, 16, (("container", "gp3_storage"),)),
    "container_lane.min_instances": (8, 12, (("container", "gp3_storage"), ("container", "put_metric_data"))),
    "container_lane.on_demand_base": (2, 6, (("container", "c7g.large on demand"),)),
    "traffic.access_log_days": (30, 60, (("lambda", "standard_storage"), ("container", "standard_storage"))),
}
OPTIONS: dict[str, tuple[Any, Any, tuple[tuple[str, str], ...]]] = {
    "cpu_scale": (1.0, 2.0, MOVES["cpu_ms_per_search"]),
    "month_hours": (Decimal(600), Decimal(730), (("lambda", "requests"), ("container", "alb_hour"), ("lambda", "public_ipv4"))),
    "listener_rules": (10, 100, (("container", "alb_lcu"),)),
}


def amounts(cost: LaneCost) -> dict[str, Decimal]:
    """Quantities by the dimension of their price."""
    found: dict[str, Decimal] = {}
    for line in cost.lines:
        found[line.dimension] = found.get(line.dimension, Decimal(0)) + line.quantity
    return found


def month(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> dict[str, dict[str, Decimal]]:
    traffic = flat_rate(800)
    return {
        "lambda": amounts(price_lambda(profile, traffic, book, stage, options)),
        "container": amounts(price_container(profile, traffic, book, stage, options)),
    }


@pytest.mark.parametrize("field", GROWING)
def test_each_measured_figure_moves_its_own_lines(
    field: str, profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    measured = profile.lambda_lane, profile.container_lane
    lanes = [msgspec.structs.replace(lane, **{field: getattr(lane, field) * 2}) for lane in measured]
    doubled = msgspec.structs.replace(profile, lambda_lane=lanes[0], container_lane=lanes[1])
    before, after = (month(each, book, stage, options) for each in (profile, doubled))
    for lane, dimension in MOVES[field]:
        assert after[lane][dimension] > before[lane][dimension], dimension


@pytest.mark.parametrize("key", SETTINGS)
def test_each_setting_with_a_price_moves_its_own_lines(
    key: str, profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    low, high, moved = SETTINGS[key]
    before, after = (month(profile, book, override({key: value}, stage), options) for value in (low, high))
    for lane, dimension in moved:
        assert after[lane][dimension] > before[lane][dimension], dimension


@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_moves_its_own_lines_and_never_lowers_a_bill(
    name: str, profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    low, high, moved = OPTIONS[name]
    before, after = (month(profile, book, stage, replace(options, **{name: value})) for value in (low, high))
    for lane, dimension in moved:
        assert after[lane][dimension] > before[lane][dimension], dimension
    for lane, quantities in before.items():
        assert all(quantities[each] <= after[lane].get(each, Decimal(0)) for each in quantities), lane
