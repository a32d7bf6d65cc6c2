"""The surface agrees with the exact model on the same bursty traffic, anywhere between its knots."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config import Stage
from infra.cost.compare import compare
from infra.cost.lane import CostOptions
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.simulation.arrivals import Burst
from infra.cost.surface import Surface
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.cost.world import World
from infra.errors import InputError


@pytest.fixture(scope="module")
def world(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> World:
    return World(profile=profile, traffic=flat_rate(1), book=book, stage=stage, options=options)


@pytest.fixture(scope="module")
def surface(world: World) -> Surface:
    return Surface(world)


def bursty(rps: float, burst: Burst) -> TrafficProfile:
    """An hour of ten steps, one of them the burst."""
    phases = dict(zip(("burst", "rest"), (factor for factor, _ in burst.phases), strict=False))
    return TrafficProfile(step_s=360, rates=(rps * phases["burst"], *[rps * phases.get("rest", 1.0)] * 9), source="bursty")


def exact(world: World, rps: float, burst: Burst, wait: float) -> tuple[float, float]:
    lanes = [
        msgspec.structs.replace(lane, wait_ms=lane.wait_ms * wait)
        for lane in (world.profile.lambda_lane, world.profile.container_lane)
    ]
    profile = msgspec.structs.replace(world.profile, lambda_lane=lanes[0], container_lane=lanes[1])
    given = profile, bursty(rps, burst), world.book, world.stage, world.options
    return float(price_lambda(*given).usd_per_month), float(price_container(*given).usd_per_month)


def test_surface_is_the_exact_model(world: World, surface: Surface) -> None:
    @settings(max_examples=60, deadline=None)
    @given(
        rps=st.floats(min_value=0.002, max_value=3_900),
        factor=st.floats(min_value=1.0, max_value=9.5),
        wait=st.floats(min_value=0.0, max_value=5.0),
    )
    def anywhere(rps: float, factor: float, wait: float) -> None:
        burst = Burst(factor=factor)
        on_lambda, on_containers = exact(world, rps, burst, wait)
        assert float(surface.lambda_usd(np.array([rps]), burst, wait)[0]) == pytest.approx(on_lambda, rel=1e-5, abs=0.001)
        found = float(surface.container_usd(np.array([rps]), burst, wait)[0])
        assert found == pytest.approx(on_containers, rel=1e-5, abs=0.001)

    anywhere()


@pytest.mark.parametrize("egress", ["public", "nat_gateway", "nat_instance", "ipv6"])
def test_other_stages_agree_too(world: World, egress: str) -> None:
    stage = replace(world.stage, network=replace(world.stage.network, egress=egress), secret="keys")
    other = replace(world, stage=stage, options=replace(world.options, free_tier=True))
    surface = Surface(other)
    for rps in (0.05, 3.0, 700.0):
        on_lambda, on_containers = exact(other, rps, Burst(factor=3.0), 1.0)
        assert float(surface.lambda_usd(np.array([rps]), Burst(factor=3.0))[0]) == pytest.approx(on_lambda, rel=1e-5, abs=0.001)
        assert float(surface.container_usd(np.array([rps]), Burst(factor=3.0))[0]) == pytest.approx(
            on_containers, rel=1e-5, abs=0.001
        )


def test_crossover_of_steady_rates_is_the_reports(world: World, surface: Surface) -> None:
    report = compare(world.profile, world.traffic, world.book, world.stage, options=world.options)
    assert surface.crossover(Burst()) == pytest.approx(report.crossover.rps, rel=1e-6)


def test_less_waiting_moves_the_crossover_up_and_none_is_none(world: World, surface: Surface) -> None:
    rates = [surface.crossover(Burst(), wait) for wait in (2.0, 1.0, 0.5)]
    assert rates == sorted(rate for rate in rates if rate is not None)
    idle = replace(world, stage=replace(world.stage, lambda_lane=replace(world.stage.lambda_lane, memory_mb=128)))
    quick = {"cpu_ms_per_search": 0.5, "memory_mb": 100.0, "request_bytes": 0.0, "response_bytes": 0.0}
    small = msgspec.structs.replace(world.profile, lambda_lane=msgspec.structs.replace(world.profile.lambda_lane, **quick))
    assert Surface(replace(idle, profile=small)).crossover(Burst(), 0.0) is None


def test_lanes_that_it_does_not_know_are_refused(world: World) -> None:
    kept = replace(world.stage, lambda_lane=replace(world.stage.lambda_lane, provisioned_concurrency=5))
    with pytest.raises(InputError, match="without Managed Instances, provisioned concurrency"):
        Surface(replace(world, stage=kept))
