"""How much of each lane is needed: checked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.config import Stage
from infra.cost import capacity
from infra.cost.prices.book import PriceBook
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.errors import InputError
from tests.infra.cost.conftest import lane


def test_less_memory_stretches_cpu_and_not_waiting() -> None:
    measured = lane(cpu_ms_per_search=8.0, wait_ms=400.0)
    assert capacity.lambda_seconds(measured, 1_769, 1.0) == pytest.approx(0.4085)
    assert capacity.lambda_seconds(measured, 1_769 // 4, 1.0) == pytest.approx(0.4005 + 0.008 * 1_769 / 442)


def test_more_than_a_vcpu_does_not_speed_up_one_thread() -> None:
    measured = lane()
    assert capacity.lambda_seconds(measured, 10_240, 1.0) == capacity.lambda_seconds(measured, 1_769, 1.0)


def test_rises_in_concurrency_are_cold_starts_also_where_the_profile_repeats() -> None:
    measured = lane(cpu_ms_per_search=100.0, wait_ms=899.5)
    traffic = TrafficProfile(step_s=60, rates=(10.0, 30.0, 20.0, 5.0), source="x")
    need = capacity.lambda_need(measured, traffic, 1_769, cpu_scale=1.0, limit=25)
    assert need.peak_environments == pytest.approx(30)
    assert need.cold_starts == pytest.approx(20 + 5)
    assert need.steps_over_limit == 1


def test_memory_below_the_measured_is_refused() -> None:
    with pytest.raises(InputError, match=r"lambda_lane\.memory_mb: 128 MB is less than the 300 MiB measured"):
        capacity.lambda_need(lane(memory_mb=300.0), flat_rate(1), 128, cpu_scale=1.0, limit=1)


def test_instances_follow_the_rate_between_minimum_and_maximum(stage: Stage, book: PriceBook) -> None:
    measured = lane(cpu_ms_per_search=12.0)
    fleet = replace(stage.container_lane, min_instances=2, max_instances=5, on_demand_base=2, spot_percent=50)
    traffic = TrafficProfile(step_s=3600, rates=(1.0, 250.0, 500.0, 501.0), source="x")
    need = capacity.container_need(measured, traffic, fleet, book.instance("c7g.large"), cpu_scale=1.0)
    assert need.rps_per_instance == pytest.approx(2 * 0.6 / 0.012)
    assert need.peak_instances == 5
    assert need.on_demand_hours == 2 + (2 + 1) + (2 + 2) + (2 + 2)
    assert need.spot_hours == 0 + 0 + 1 + 1
    assert need.steps_over_capacity == 1
    assert need.searches_beyond_capacity == 0


def test_searches_beyond_all_cpu_are_counted(stage: Stage, book: PriceBook) -> None:
    fleet = replace(stage.container_lane, max_instances=2)
    traffic = TrafficProfile(step_s=60, rates=(1000.0,), source="x")
    measured = lane(cpu_ms_per_search=10.0)
    need = capacity.container_need(measured, traffic, fleet, book.instance("c7g.large"), cpu_scale=1.0)
    assert need.searches_beyond_capacity == pytest.approx((1000 - 2 * 2 / 0.010) * 60)


def test_fewer_workers_than_vcpus_use_fewer_vcpus_and_more_workers_no_more(stage: Stage, book: PriceBook) -> None:
    measured, instance = lane(), book.instance("c7g.large")
    fleet = stage.container_lane
    one = capacity.rps_per_instance(measured, fleet, instance, cpu_scale=1.0)
    two = capacity.rps_per_instance(measured, replace(fleet, workers_per_vcpu=2), instance, cpu_scale=1.0)
    assert one == two


def test_slower_target_cpu_needs_more(stage: Stage, book: PriceBook) -> None:
    instance = book.instance("c7g.large")
    same = capacity.rps_per_instance(lane(), stage.container_lane, instance, cpu_scale=1.0)
    assert capacity.rps_per_instance(lane(), stage.container_lane, instance, cpu_scale=2.0) == pytest.approx(same / 2)


def test_workers_that_do_not_fit_the_instance_are_refused(stage: Stage, book: PriceBook) -> None:
    instance = book.instance("c7g.large")
    capacity.check_memory(lane(memory_mb=1_792.0), stage.container_lane, instance)
    with pytest.raises(InputError, match=r"2 workers of 1793 MiB .* do not fit the 4 GiB of c7g\.large"):
        capacity.check_memory(lane(memory_mb=1_793.0), stage.container_lane, instance)
