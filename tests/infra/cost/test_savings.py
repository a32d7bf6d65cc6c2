"""A commitment by hand, against trying every one, and what a plan must never cover."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config import Stage
from infra.cost.lane import CostOptions, LaneCost, Usage
from infra.cost.lines.line import total
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.savings import STEP, _Hours, cheapest, with_savings_plan
from infra.cost.split import price_split
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.errors import InputError

EC2, FUNCTIONS = Decimal("0.32"), Decimal("0.12")
dollars = st.decimals(min_value=0, max_value=20, places=2)


def lane(*usage: Usage) -> LaneCost:
    return LaneCost(
        lane="x",
        title="x",
        lines=(),
        searches_per_month=Decimal(1),
        month_hours=Decimal(730),
        capacity={},
        misses=(),
        not_priced=(),
        committable=usage,
    )


def instances(*hourly: float) -> Usage:
    return Usage(
        service="AmazonEC2",
        what="c7g.large",
        hourly=tuple((Decimal(str(usd)), 1.0) for usd in hourly),
        usd=Decimal(730) * Decimal(str(sum(hourly))) / len(hourly),
        each_usd=Decimal("0.0725"),
    )


def test_steady_instances_are_committed_to_in_full(book: PriceBook) -> None:
    cost = with_savings_plan(lane(instances(1.0)), book, "compute-1y")
    assert cost.savings is not None
    assert cost.savings.commitment_usd_per_hour == Decimal("0.68")
    assert cost.usd_per_month == -730 * EC2
    assert (cost.savings.coverage, cost.savings.utilization) == (1.0, 1.0)


def test_what_an_hour_does_not_use_is_lost(book: PriceBook) -> None:
    """$10 in one hour of four, $1 in the others: beyond 0.68 a dollar saves 1/0.68 in a quarter of the hours only."""
    cost = with_savings_plan(lane(instances(10, 1, 1, 1)), book, "compute-1y")
    assert cost.savings is not None
    assert cost.savings.commitment_usd_per_hour == Decimal("0.68")
    # Used three hours in four it does: 1.103 a dollar.
    cost = with_savings_plan(lane(instances(10, 10, 10, 1)), book, "compute-1y")
    assert cost.savings is not None
    assert cost.savings.commitment_usd_per_hour == Decimal("6.8")
    assert cost.savings.unused_usd == Decimal("730") / 4 * (Decimal("6.8") - Decimal("0.68"))
    assert cost.savings.effective_usd == -cost.savings.discount_usd + cost.savings.unused_usd


def test_reserved_instances_are_whole_ones(book: PriceBook) -> None:
    cost = with_savings_plan(lane(instances(0.16)), book, "reserved-3y")  # 2.2 instances: a third, used a fifth, does not pay
    assert cost.savings is not None
    assert cost.savings.commitment_usd_per_hour == 2 * Decimal("0.0725") * Decimal("0.35")


def test_ec2_is_covered_before_lambda(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    plan = replace(options, savings_plan="compute-1y")
    split = price_split(profile, flat_rate(100), book, stage, plan, lambda_percent=50).whole
    first, second, lost = [line for line in split.lines if line.service == "SavingsPlans"]
    assert (first.dimension, second.dimension) == ("compute-1y c7g.large", "compute-1y duration_arm64")
    assert first.quantity == total(line for line in split.lines if line.name.startswith("EC2 on demand"))
    assert lost.usd < Decimal("0.73"), "less than the thousandth of a dollar an hour that commitments are made in"
    listed = total(line for line in split.lines if line.service != "SavingsPlans")
    assert split.usd_per_month == listed - first.quantity * EC2 - second.quantity * FUNCTIONS + lost.usd


def test_requests_spot_and_fees_are_not_covered(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    functions = price_lambda(profile, flat_rate(100), book, stage, options)
    assert functions.committable[0].usd == total(line for line in functions.lines if line.name.startswith("Lambda compute"))
    managed = replace(
        stage, lambda_lane=replace(stage.lambda_lane, runtime_client="asyncio", memory_mb=2048, managed_concurrency=16)
    )
    plan = replace(options, savings_plan="ec2-instance-1y")
    cost, before = (price_lambda(profile, flat_rate(1000), book, managed, each) for each in (plan, options))
    fee = [line for line in cost.lines if line.dimension == "managed_instances_fee"]
    assert fee == [line for line in before.lines if line.dimension == "managed_instances_fee"]
    assert cost.usd_per_month < before.usd_per_month
    spot = replace(stage, container_lane=replace(stage.container_lane, on_demand_base=0, spot_percent=100))
    assert price_container(profile, flat_rate(100), book, spot, plan).savings is None
    assert price_lambda(profile, flat_rate(100), book, stage, plan).savings is None, "an EC2 plan covers no function"


def test_unknown_rates_are_refused(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    with pytest.raises(InputError, match="has rates for: compute-1y, compute-3y"):
        price_lambda(profile, flat_rate(1), book, stage, replace(options, savings_plan="compute-7y"))
    older = replace(stage, container_lane=replace(stage.container_lane, instance_types=("c6g.large",)))
    with pytest.raises(InputError, match=r"no rate of savings plan compute-1y for AmazonEC2 c6g\.large in us-east-1"):
        price_container(profile, flat_rate(1), book, older, replace(options, savings_plan="compute-1y"))


def rates_of_lambda(book: PriceBook, **discounts: str) -> PriceBook:
    """The book with rates of `compute-1y` for Lambda dimension by dimension, as a refresh reads them."""
    (one,) = [rate for rate in book.savings_plans if (rate.plan, rate.service) == ("compute-1y", "AWSLambda")]
    own = [replace(one, families=(name,), discount=Decimal(share)) for name, share in discounts.items()]
    return replace(book, savings_plans=(*(rate for rate in book.savings_plans if rate is not one), *own))


def test_each_dimension_of_lambda_has_its_own_rate_and_the_higher_goes_first(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    warm = replace(stage, lambda_lane=replace(stage.lambda_lane, provisioned_concurrency=20))
    rates = {"duration_arm64": "0.12", "provisioned_duration_arm64": "0.10", "provisioned_concurrency_arm64": "0.17"}
    plan = replace(options, savings_plan="compute-1y")
    cost = price_lambda(profile, flat_rate(100), rates_of_lambda(book, **rates), warm, plan)
    found = [(line.dimension, line.unit_price) for line in cost.lines if "discount of savings plan" in line.name]
    assert found == [
        ("compute-1y provisioned_concurrency_arm64", -Decimal("0.17")),
        ("compute-1y duration_arm64", -Decimal("0.12")),
        ("compute-1y provisioned_duration_arm64", -Decimal("0.10")),
    ]
    least = price_lambda(profile, flat_rate(100), rates_of_lambda(book, **dict.fromkeys(rates, "0.10")), warm, plan)
    assert cost.usd_per_month < least.usd_per_month
    with pytest.raises(InputError, match="no rate of savings plan compute-1y for AWSLambda provisioned_concurrency_arm64"):
        price_lambda(profile, flat_rate(100), rates_of_lambda(book, duration_arm64="0.12"), warm, plan)


def test_provisioned_concurrency_is_committed_to_in_full_whatever_the_searches_do(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    warm = replace(stage, lambda_lane=replace(stage.lambda_lane, provisioned_concurrency=20))
    peaks = TrafficProfile(step_s=3600, rates=(0.001, 0.001, 0.001, 50.0), source="x")
    kept = [usage for usage in price_lambda(profile, peaks, book, warm, options).committable if "concurrency" in usage.what]
    assert [len({usd for usd, _ in usage.hourly}) for usage in kept] == [1]
    own = rates_of_lambda(book, duration_arm64="0.12", provisioned_duration_arm64="0.12", provisioned_concurrency_arm64="0.17")
    cost = price_lambda(profile, peaks, own, warm, replace(options, savings_plan="compute-1y"))
    covered = next(line for line in cost.lines if line.dimension == "compute-1y provisioned_concurrency_arm64")
    assert abs(covered.quantity - kept[0].usd) < Decimal("1.2"), "but for the step of a commitment"


@settings(max_examples=60, deadline=None)
@given(usage=st.lists(st.tuples(dollars, dollars, dollars), min_size=1, max_size=8), other=dollars)
def test_no_other_commitment_costs_less(usage: list[tuple[Decimal, Decimal, Decimal]], other: Decimal) -> None:
    discounts = (EC2, Decimal("0.17"), FUNCTIONS)
    hours = _Hours(weights=tuple(Decimal(730) / len(usage) for _ in usage), usage=tuple(usage), discounts=discounts)
    best = cheapest(hours, STEP)
    slack = Decimal("1e-20")
    for tried in (other, best + STEP, max(Decimal(0), best - STEP), Decimal(0), Decimal(40)):
        assert hours.month_usd(best) <= hours.month_usd(tried) + slack


@settings(max_examples=25, deadline=None)
@given(
    rates=st.lists(st.floats(min_value=0.0, max_value=3000), min_size=1, max_size=48).filter(lambda rates: max(rates) > 0.01)
)
def test_a_plan_never_costs_more_than_none_and_lines_add_up(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions, rates: list[float]
) -> None:
    traffic = TrafficProfile(step_s=3600, rates=tuple(rates), source="x")
    plan = replace(options, savings_plan="compute-1y")
    for price in (price_lambda, price_container):
        without, cost = price(profile, traffic, book, stage, options), price(profile, traffic, book, stage, plan)
        assert cost.usd_per_month <= without.usd_per_month + Decimal("0.0001")
        assert cost.usd_per_month == sum(line.quantity * line.unit_price for line in cost.lines)
