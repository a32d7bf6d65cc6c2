"""One lane's month: hand-checked lines and properties that hold for any traffic."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config import Stage
from infra.cost.free_tiers import OWN
from infra.cost.lane import CostOptions, LaneCost
from infra.cost.lines.line import total
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.errors import InputError
from tests.infra.cost.conftest import lane, profile_with

rates = st.lists(st.floats(min_value=0.01, max_value=5_000), min_size=1, max_size=30)


def usd(cost: LaneCost, name: str) -> Decimal:
    return total(line for line in cost.lines if line.name.startswith(name))


def both(
    profile: WorkloadProfile, traffic: TrafficProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> tuple[LaneCost, LaneCost]:
    return (
        price_lambda(profile, traffic, book, stage, options),
        price_container(profile, traffic, book, stage, options),
    )


def test_lambda_month_by_hand(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    cost = price_lambda(profile, flat_rate(10), book, stage, options)
    searches = Decimal(10 * 3600 * 730)
    gb_s = searches * Decimal("0.4075") * 1_769 / 1024
    init = Decimal("4.075") * Decimal("0.4") * 1_769 / 1024
    assert cost.searches_per_month == searches
    assert usd(cost, "Lambda requests") == searches * Decimal("0.0000002")
    assert float(usd(cost, "Lambda compute")) == pytest.approx(float((gb_s + init) * Decimal("0.0000133334")))
    assert usd(cost, "Load balancer hours") == Decimal("16.425")
    lcu = 10 * (500 + 20_000) * 3600 / 1e9 / 0.4
    assert float(usd(cost, "Load balancer LCUs")) == pytest.approx(lcu * 730 * 0.008)
    assert usd(cost, "Public IPv4") == 2 * 730 * Decimal("0.005")
    out = searches * (20_000 + 15_000) / Decimal(10**9)
    assert usd(cost, "Data transfer out") == out * Decimal("0.09")
    assert usd(cost, "Data transfer in") == 0
    assert usd(cost, "CloudWatch Logs ingestion") == searches * 300 / Decimal(10**9) * Decimal("0.5")
    assert cost.misses == ()


def with_lambda(stage: Stage, **changes: Any) -> Stage:
    return replace(stage, lambda_lane=replace(stage.lambda_lane, **changes))


def test_provisioned_concurrency_by_hand(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    """10/s × 0.4075 s need 4.075 environments: 3 of them are kept."""
    cost = price_lambda(profile, flat_rate(10), book, with_lambda(stage, provisioned_concurrency=3), options)
    gb = Decimal(1_769) / 1024
    running = 10 * 3600 * 730 * Decimal("0.4075") * gb
    share = Decimal(3) / Decimal("4.075")
    init = Decimal("1.075") * Decimal("0.4") * gb
    assert float(usd(cost, "Lambda provisioned concurrency")) == pytest.approx(
        float(3 * 730 * 3600 * gb * Decimal("0.0000033334"))
    )
    assert float(usd(cost, "Lambda compute on provisioned")) == pytest.approx(float(running * share * Decimal("0.0000077778")))
    on_demand = usd(cost, "Lambda compute") - usd(cost, "Lambda compute on provisioned")
    assert float(on_demand) == pytest.approx(float((running * (1 - share) + init) * Decimal("0.0000133334")))
    assert cost.capacity["cold_starts_per_month"] == pytest.approx(1.075)


def test_enough_provisioned_concurrency_leaves_no_cold_start_and_no_free_tier(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    kept = with_lambda(stage, provisioned_concurrency=10)
    cost = price_lambda(profile, flat_rate(10), book, kept, options)
    assert cost.capacity["cold_starts_per_month"] == 0
    assert cost.capacity["init_gb_seconds"] == 0
    free = price_lambda(profile, flat_rate(10), book, kept, replace(options, free_tier=True))
    assert usd(free, "Lambda") == usd(cost, "Lambda")


def test_a_disk_beyond_what_is_included_by_hand(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    cost = price_lambda(profile, flat_rate(10), book, with_lambda(stage, ephemeral_mb=2048), options)
    gb_s = Decimal(10 * 3600 * 730) * Decimal("0.4075") * Decimal("1.5")
    assert usd(cost, "Lambda ephemeral storage") == gb_s * Decimal("0.0000000309")
    plain = price_lambda(profile, flat_rate(10), book, stage, options)
    assert not any(line.name == "Lambda ephemeral storage" for line in plain.lines)


def test_snap_start_by_hand(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    cost = price_lambda(profile, flat_rate(10), book, with_lambda(stage, snap_start=True), options)
    gb = Decimal(1_769) / 1024
    assert float(usd(cost, "Lambda SnapStart cache")) == pytest.approx(float(gb * 730 * 3600 * Decimal("0.0000015046")))
    assert float(usd(cost, "Lambda SnapStart restores")) == pytest.approx(
        float(Decimal("4.075") * gb * Decimal("0.0001397998"))
    )
    assert cost.capacity["init_gb_seconds"] == 0


@pytest.mark.parametrize(("front", "a_million"), [("function_url", Decimal(0)), ("http_api", Decimal(1))])
def test_another_front_takes_the_load_balancers_place(
    profile: WorkloadProfile,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    front: str,
    a_million: Decimal,
) -> None:
    alone = replace(stage, lanes=("lambda",), lambda_lane=replace(stage.lambda_lane, front=front))
    cost = price_lambda(profile, flat_rate(10), book, alone, options)
    names = [line.name for line in cost.lines]
    assert not any(name.startswith(("Load balancer", "Public IPv4", "S3", "WAF", "Secret")) for name in names)
    assert total(line for line in cost.lines if line.name == "HTTP API requests") == a_million * cost.searches_per_month / 10**6


def test_managed_instances_by_hand(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    """1,000/s at 7 ms of CPU are 7 vCPU at full load: 6 instances of 2 vCPU at 60%."""
    managed = with_lambda(stage, runtime_client="asyncio", memory_mb=2048, managed_concurrency=16)
    cost = price_lambda(profile, flat_rate(1000), book, managed, options)
    fleet = 6 * 730 * Decimal("0.0725")
    assert usd(cost, "EC2 on demand, c7g.large") == fleet
    assert usd(cost, "Lambda management of instances") == fleet * Decimal("0.15")
    assert usd(cost, "Lambda requests") == cost.searches_per_month * Decimal("0.0000002")
    assert not any(line.name.startswith("Lambda compute") for line in cost.lines)
    assert cost.capacity["peak_environments"] == pytest.approx(1000 * 0.407 / 16)
    assert cost.misses == ()
    assert any("managed instances" in gap for gap in cost.not_priced)


def test_managed_instances_are_three_at_least_and_miss_what_exceeds_their_limit(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    managed = with_lambda(stage, runtime_client="asyncio", memory_mb=2048, managed_concurrency=16, managed_max_environments=20)
    idle = price_lambda(profile, flat_rate(0.1), book, managed, options)
    assert usd(idle, "EC2 on demand") == 3 * 730 * Decimal("0.0725")
    busy = price_lambda(profile, flat_rate(1000), book, managed, options)
    assert busy.misses == ("1 of 1 steps need more than the 20 environments allowed",)


def test_container_month_by_hand(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    cost = price_container(profile, flat_rate(1000), book, stage, options)
    assert cost.capacity["rps_per_instance"] == pytest.approx(200)
    assert cost.capacity["peak_instances"] == 5
    assert usd(cost, "EC2 on demand, c7g.large") == 3 * 730 * Decimal("0.0725")
    assert usd(cost, "EC2 spot") == 2 * 730 * Decimal("0.0324275").quantize(Decimal("0.000001"))
    assert usd(cost, "EBS") == 5 * 8 * Decimal("0.08")
    assert usd(cost, "Public IPv4, instances") == 5 * 730 * Decimal("0.005")


def test_fortnight_is_stretched_to_a_month_by_hours(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    short = TrafficProfile(step_s=3600, rates=(5.0,) * 10, source="x")
    for one, other in zip(
        both(profile, short, book, stage, options), both(profile, flat_rate(5), book, stage, options), strict=True
    ):
        assert one.usd_per_month == other.usd_per_month
        assert abs(one.usd_per_day - other.usd_per_month * 24 / 730) < Decimal("1e-15")


def test_month_length_is_an_input(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    cost = price_lambda(profile, flat_rate(5), book, stage, replace(options, month_hours=Decimal(720)))
    assert cost.searches_per_month == 5 * 3600 * 720


def test_million_searches_cost_what_a_month_does_by_its_searches(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    for cost in both(profile, flat_rate(7), book, stage, options):
        again = cost.usd_per_million_searches * cost.searches_per_month / 1_000_000
        assert abs(again - cost.usd_per_month) < Decimal("1e-15")


def test_free_tier_of_lambda_and_transfer_takes_its_worth_off(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    plain = price_lambda(profile, flat_rate(10), book, stage, options)
    free = price_lambda(profile, flat_rate(10), book, stage, replace(options, free_tier=True))
    worth = 1_000_000 * Decimal("0.0000002") + 400_000 * Decimal("0.0000133334") + 100 * Decimal("0.09")
    saved = sum(
        (one.usd - other.usd for one, other in zip(plain.lines, free.lines, strict=True) if one.service in OWN), Decimal(0)
    )
    assert saved == worth


def test_lane_that_cannot_serve_says_so(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    on_lambda, on_containers = both(profile, flat_rate(100_000), book, stage, options)
    assert "1 of 1 steps need more than the 1000 concurrent environments" in on_lambda.misses[0]
    assert "1 of 1 steps need more than the 20 instances" in on_containers.misses[0]
    assert "searches a month are beyond all its CPU" in on_containers.misses[0]


def test_unmeasured_logs_are_listed_and_not_priced_at_zero(book: PriceBook, stage: Stage, options: CostOptions) -> None:
    silent = profile_with(lane(log_bytes_per_search=None), lane(log_bytes_per_search=None))
    cost = price_lambda(silent, flat_rate(1), book, stage, options)
    assert not any("Logs" in line.name for line in cost.lines)
    assert any("log bytes a search were not measured" in gap for gap in cost.not_priced)


@pytest.mark.parametrize(
    ("service", "dimension"),
    [
        ("AWSLambda", "requests"),
        ("AWSLambda", "duration_arm64"),
        ("AWSELB", "alb_hour"),
        ("AWSELB", "alb_lcu"),
        ("AmazonVPC", "public_ipv4"),
        ("AWSDataTransfer", "out_internet"),
        ("AWSDataTransfer", "in_internet"),
        ("AmazonCloudWatch", "logs_ingest_standard"),
        ("AmazonCloudWatch", "logs_storage"),
    ],
)
def test_each_missing_price_stops_the_comparison(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions, service: str, dimension: str
) -> None:
    with pytest.raises(InputError, match=f"no price for {service} {dimension} in us-east-1"):
        price_lambda(profile, flat_rate(1), book.without(service, dimension), stage, options)


@pytest.mark.parametrize(
    ("types", "message"),
    [
        (("c7g.large", "c7g.xlarge"), r"c7g\.xlarge has 4 vCPU"),
        (("c7i.large",), "x86_64; all must have .* arm64 as the stage"),
        (("c7g.large", "q9z.large"), r"instance type q9z\.large"),
    ],
)
def test_fleet_of_unlike_or_unknown_types_is_refused(
    profile: WorkloadProfile,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    types: tuple[str, ...],
    message: str,
) -> None:
    fleet = replace(stage.container_lane, instance_types=("c7g.large",))
    object.__setattr__(fleet, "instance_types", types)  # past the stage's own checks: the model must not rely on them
    broken = replace(stage)
    object.__setattr__(broken, "container_lane", fleet)
    with pytest.raises(InputError, match=message):
        price_container(profile, flat_rate(1), book, broken, options)


@pytest.mark.parametrize(("field", "value"), [("cpu_ms_per_search", 0.0), ("wait_ms", -1.0), ("response_bytes", float("nan"))])
def test_figures_no_measurement_gives_are_refused(
    book: PriceBook, stage: Stage, options: CostOptions, field: str, value: float
) -> None:
    with pytest.raises(InputError, match=rf"lambda_lane\.{field}: "):
        price_lambda(profile_with(lane(**{field: value})), flat_rate(1), book, stage, options)


@pytest.mark.parametrize(
    "change",
    [
        {"month_hours": Decimal(0)},
        {"month_hours": Decimal("NaN")},
        {"cpu_scale": 0.0},
        {"cpu_scale": float("nan")},
        {"requests_per_connection": 0.5},
    ],
)
def test_impossible_options_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="must be"):
        CostOptions(report_date=date(2026, 11, 24), **change)


@settings(max_examples=60, deadline=None)
@given(rates=rates, factor=st.floats(min_value=1.0, max_value=20.0))
def test_more_traffic_never_costs_less(
    profile: WorkloadProfile,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    rates: list[float],
    factor: float,
) -> None:
    less = TrafficProfile(step_s=300, rates=tuple(rates), source="x")
    more = TrafficProfile(step_s=300, rates=tuple(rate * factor for rate in rates), source="x")
    for low, high in zip(both(profile, less, book, stage, options), both(profile, more, book, stage, options), strict=True):
        assert low.usd_per_month <= high.usd_per_month


@settings(max_examples=60, deadline=None)
@given(rates=rates)
def test_total_is_exactly_the_sum_of_its_lines(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions, rates: list[float]
) -> None:
    traffic = TrafficProfile(step_s=300, rates=tuple(rates), source="x")
    for cost in both(profile, traffic, book, stage, options):
        assert cost.usd_per_month == sum(line.quantity * line.unit_price for line in cost.lines)
