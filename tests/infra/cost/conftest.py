"""A small workload profile made up for tests, a stage spelled out, and the shipped price book."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from infra.config import ContainerLane, LambdaLane, Network, Stage, Traffic, Watch
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.prices.file import load_price_book
from infra.cost.profile import Conditions, LaneProfile, MeasuredBundle, WorkloadProfile


def lane(**changes: float | None) -> LaneProfile:
    figures: dict[str, Any] = {
        "searches": 5_000,
        "errors": 0,
        "cpu_ms_per_search": 7.0,
        "wait_ms": 400.0,
        "duration_p50_ms": 390.0,
        "duration_p99_ms": 1_300.0,
        "memory_mb": 120.0,
        "cold_start_ms": 400.0,
        "cold_start_samples": 5,
        "request_bytes": 500.0,
        "response_bytes": 20_000.0,
        "upstream_bytes_in": 150_000.0,
        "upstream_bytes_out": 15_000.0,
        "log_bytes_per_search": 300.0,
    }
    return LaneProfile(**{**figures, **changes})


def profile_with(lambda_lane: LaneProfile | None = None, container_lane: LaneProfile | None = None) -> WorkloadProfile:
    return WorkloadProfile(
        measured_at="2026-11-20T10:00:00Z",
        machine="a machine made up for tests, 2 cores",
        bundle=MeasuredBundle(
            sha256="ab" * 32, architecture="arm64", python="3.13", zip_bytes=9_000_000, unzipped_bytes=30_000_000
        ),
        conditions=Conditions(
            searches_per_second=40.0,
            suppliers=45,
            supplier_latency="lognormal",
            duration_s=30.0,
            container_workers=2,
            lambda_environments=20,
        ),
        lambda_lane=lambda_lane or lane(),
        container_lane=container_lane or lane(cpu_ms_per_search=6.0),
    )


@pytest.fixture(scope="session")
def profile() -> WorkloadProfile:
    return profile_with()


@pytest.fixture(scope="session")
def stage() -> Stage:
    """Spelled out where it decides a price, so that the kit's defaults can change without these tests."""
    return Stage(
        name="test",
        region="us-east-1",
        architecture="arm64",
        lambda_lane=LambdaLane(memory_mb=1_769, log_retention_days=14),
        container_lane=ContainerLane(
            instance_types=("c7g.large", "c6g.large"),
            min_instances=2,
            max_instances=20,
            on_demand_base=2,
            spot_percent=80,
            target_utilization=0.6,
            workers_per_vcpu=1,
            volume_gb=8,
        ),
        network=Network(availability_zones=("a", "b"), egress="public", nat_instance_type="t4g.small"),
        traffic=Traffic(idle_timeout_s=60, lane_header="x-crossover-lane", access_log_days=30, waf=False),
        watch=Watch(dashboard=True),
    )


@pytest.fixture(scope="session")
def book() -> PriceBook:
    return load_price_book("us-east-1")


@pytest.fixture(scope="session")
def options() -> CostOptions:
    return CostOptions(report_date=date(2026, 11, 24))
