"""The dashboard's dollars an hour are those of the cost report for the same usage."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from infra.components.watch.cost import (
    BalancerPrices,
    FunctionPrices,
    InstancePrices,
    balancer_cost,
    container_cost,
    lambda_cost,
)
from infra.config import Stage
from infra.cost.lines import lambda_, load_balancer
from infra.cost.lines.line import total
from infra.cost.prices.file import load_price_book
from infra.overrides import override
from infra.stacks.watch_prices import unit_prices
from tests.infra.components.watch.metric_math import PERIOD_S, evaluate

BOOK = load_price_book("us-east-1")
PERIODS_AN_HOUR = 3600 // PERIOD_S


def function(stage: Stage) -> FunctionPrices:
    found = unit_prices(stage).function
    assert isinstance(found, FunctionPrices)
    return found


def instances(stage: Stage) -> InstancePrices:
    found = unit_prices(stage).instances
    assert isinstance(found, InstancePrices)
    return found


def balancer(stage: Stage) -> BalancerPrices:
    found = unit_prices(stage).balancer
    assert isinstance(found, BalancerPrices)
    return found


def test_lambda_costs_its_requests_and_gb_seconds() -> None:
    stage = Stage()
    calls, ms = 60_000, 72_000_000.0  # in five minutes: 200/s of 1.2 s
    found = evaluate(lambda_cost(stage, function(stage)), {"m_calls": calls, "m_ms": ms})["e_lambda"]
    hour = Decimal(calls) * PERIODS_AN_HOUR
    gb_s = lambda_.gb_seconds(hour, Decimal("1.2"), stage.lambda_lane.memory_mb)
    expected = total(
        [
            *lambda_.requests(BOOK, hour, free_tier=False, note=""),
            *lambda_.duration(BOOK, gb_s, "arm64", free_tier=False, note=""),
        ]
    )
    assert found == pytest.approx(float(expected), rel=1e-6)
    assert found == pytest.approx(5.90, abs=0.01)


def test_lambda_without_traffic_costs_nothing() -> None:
    stage = Stage()
    assert evaluate(lambda_cost(stage, function(stage)), {"m_calls": None, "m_ms": None})["e_lambda"] == 0


def test_provisioned_concurrency_costs_while_idle_and_makes_what_runs_on_it_cheaper() -> None:
    stage = override({"lambda_lane.provisioned_concurrency": "10", "lambda_lane.memory_mb": "1024"})
    lines = lambda_cost(stage, function(stage))
    idle = evaluate(lines, {"m_calls": None, "m_ms": None, "m_onkept": None})["e_lambda"]
    assert idle == pytest.approx(10 * 3600 * 0.0000033334)
    busy = {"m_calls": 3000, "m_ms": 600_000.0, "m_onkept": 3000}
    on_it = evaluate(lines, busy)["e_lambda"]
    beside = evaluate(lines, {**busy, "m_onkept": 0})["e_lambda"]
    assert beside - on_it == pytest.approx(12 * 600 * (0.0000133334 - 0.0000077778))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40])
def test_instances_cost_as_the_groups_policy_splits_them(count: int) -> None:
    stage = Stage()
    found = evaluate(container_cost(stage, instances(stage)), {"m_count": count})
    on_demand = min(count, 2) + math.ceil(max(0, count - 2) * 0.2)  # base 2, a fifth of the rest, rounded up
    assert found["e_ondemand"] == on_demand
    each = 0.005 + 8 * 0.08 / 730
    assert found["e_instances"] == pytest.approx(
        on_demand * 0.0725 + (count - on_demand) * float(instances(stage).spot_hour) + count * each, rel=1e-5
    )


def test_instances_without_addresses_of_their_own_pay_for_none() -> None:
    nat = override({"network.egress": "nat_gateway"})
    assert instances(Stage()).beside_hour - instances(nat).beside_hour == Decimal("0.005")


def test_load_balancer_costs_its_hours_and_the_largest_dimension() -> None:
    stage = Stage()
    usage = {"m_bytes": 2e9, "m_lambdabytes": 1e9, "m_fresh": 3000, "m_open": 500}
    found = evaluate(balancer_cost(stage, balancer(stage)), usage)
    of_instances = load_balancer.lcu(
        requests_per_s=0, new_connections_per_s=10, connection_seconds=0, bytes_per_s=1e9 / PERIOD_S, rules=0, target="instance"
    )
    of_functions = load_balancer.lcu(
        requests_per_s=0, new_connections_per_s=0, connection_seconds=0, bytes_per_s=1e9 / PERIOD_S, rules=0, target="lambda"
    )
    assert found["e_lcubytes"] == pytest.approx(of_instances.processed_bytes + of_functions.processed_bytes)
    assert found["e_lcufresh"] == pytest.approx(of_instances.new_connections)
    assert found["e_balancer"] == pytest.approx(0.0225 + 2 * 0.005 + 0.008 * found["e_lcubytes"])


def test_a_region_without_a_price_book_is_unknown_not_free() -> None:
    found = unit_prices(override({"region": "eu-west-1"}))
    for unknown in (found.function, found.instances, found.balancer):
        assert isinstance(unknown, str) and "no price book for region 'eu-west-1'" in unknown
    assert found.said == ()


def test_an_instance_type_without_a_price_leaves_the_other_lanes_known() -> None:
    found = unit_prices(override({"container_lane.instance_types": "r6gd.metal"}))
    assert isinstance(found.instances, str) and "r6gd.metal" in found.instances
    assert isinstance(found.function, FunctionPrices) and isinstance(found.balancer, BalancerPrices)


def test_an_http_api_adds_its_price_to_each_request() -> None:
    behind = override({"lanes": "lambda", "lambda_lane.front": "http_api"})
    assert function(behind).request - function(Stage()).request == Decimal("0.000001")
    assert "HTTP API request $0.000001" in "; ".join(unit_prices(behind).said)


def test_prices_say_their_source_and_date() -> None:
    said = "; ".join(unit_prices(Stage()).said)
    assert "Lambda GB-second $0.0000133334 (2026-09-19: AWS Price List Bulk API" in said
    assert "load balancer hour $0.0225 (2026-09-29: " in said
