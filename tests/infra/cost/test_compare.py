"""Crossover: the model's two lanes must cross where it says they do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.config import Stage
from infra.cost.compare import Comparison, compare
from infra.cost.lane import CostOptions
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.traffic.profile import flat_rate
from infra.errors import InputError
from tests.infra.cost.conftest import lane, profile_with


def at(comparison: Comparison, rps: float) -> bool:
    """Whether Lambda is the cheaper lane at a rate."""
    c = comparison
    on_lambda = price_lambda(c.profile, flat_rate(rps), c.prices, c.stage, c.options)
    on_containers = price_container(c.profile, flat_rate(rps), c.prices, c.stage, c.options)
    return on_lambda.usd_per_month < on_containers.usd_per_month


def test_lambda_is_cheaper_below_the_crossover_and_containers_above(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    comparison = compare(profile, flat_rate(100), book, stage, options=options)
    rps = comparison.crossover.rps
    assert rps is not None
    assert at(comparison, rps * 0.9999)
    assert not at(comparison, rps * 1.0001)
    assert comparison.crossover.cheaper_below == "lambda"
    assert comparison.cheaper.lane == "container"


def test_more_waiting_moves_the_crossover_down(book: PriceBook, stage: Stage, options: CostOptions) -> None:
    found = []
    for wait_ms in (50.0, 400.0, 2_000.0):
        profile = profile_with(lane(wait_ms=wait_ms))
        rps = compare(profile, flat_rate(1), book, stage, options=options).crossover.rps
        assert rps is not None
        found.append(rps)
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == 3


def test_no_crossover_has_a_reason(book: PriceBook, stage: Stage, options: CostOptions) -> None:
    thirsty = profile_with(lane(cpu_ms_per_search=1.0, wait_ms=0.0, memory_mb=100.0), lane(cpu_ms_per_search=500.0))
    small = replace(stage, lambda_lane=replace(stage.lambda_lane, memory_mb=128))
    crossover = compare(thirsty, flat_rate(1), book, small, options=options).crossover
    assert crossover.rps is None
    assert crossover.rates == ()
    assert "Lambda lane is the cheaper one at every steady rate up to 48/s" in (crossover.reason or "")


def test_several_crossings_are_all_given_lowest_first(book: PriceBook, stage: Stage, options: CostOptions) -> None:
    """Each added instance is a step in cost; with lanes of nearly equal price the steps cross the straight line."""
    fleet = replace(stage.container_lane, spot_percent=0, on_demand_base=20)
    near = replace(stage, container_lane=fleet)
    profile = profile_with(
        lane(cpu_ms_per_search=17.0, wait_ms=0.0, response_bytes=0.0, request_bytes=0.0, log_bytes_per_search=0.0),
        lane(cpu_ms_per_search=30.0, wait_ms=0.0, response_bytes=0.0, request_bytes=0.0, log_bytes_per_search=0.0),
    )
    crossover = compare(profile, flat_rate(1), book, near, options=options).crossover
    assert crossover.rps == pytest.approx(76.4, abs=0.1)
    assert crossover.rates[1] == pytest.approx(80.0), "where a third instance is added, Lambda is cheaper again"
    assert list(crossover.rates) == sorted(crossover.rates)
    assert f"changes {len(crossover.rates)} times" in (crossover.reason or "")


def test_curve_holds_the_crossover_and_reaches_beyond_the_traffic(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    comparison = compare(profile, flat_rate(50), book, stage, options=options)
    assert comparison.crossover.rps in [point.rps for point in comparison.curve]
    assert comparison.curve[-1].rps >= 100
    assert [p.rps for p in comparison.curve] == sorted(p.rps for p in comparison.curve)


def test_stage_and_price_book_must_be_of_one_region(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    with pytest.raises(InputError, match="region: the stage is in eu-west-1, the price book is for us-east-1"):
        compare(profile, flat_rate(1), book, replace(stage, region="eu-west-1"), options=options)
