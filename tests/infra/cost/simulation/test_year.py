"""All lanes on one year of traffic: what they cost against each other, and what uncertainty does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from infra.config import Stage
from infra.cost.capacity import container_need
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.simulation.answer import best_of_each_lane
from infra.cost.simulation.arrivals import Arrivals, Burst
from infra.cost.simulation.draws import Draws, Uncertainty, draw
from infra.cost.simulation.fleet import Fleet, FleetRule
from infra.cost.simulation.losses import Losses, missed_by_losses
from infra.cost.simulation.year import LANES, Outcome, Setup, simulate
from infra.cost.traffic.profile import TrafficProfile
from infra.cost.traffic.shape import generate_bursty_fortnight, load_shape
from infra.errors import InputError
from tests.infra.cost.conftest import profile_with

CERTAIN = Uncertainty(cpu=0, wait=0, spot_price=0, losses_per_pool_month=0)


@pytest.fixture(scope="module")
def traffic() -> TrafficProfile:
    return generate_bursty_fortnight(load_shape("fortnight"), peak_rps=1_000)


@pytest.fixture
def setup(stage: Stage) -> Setup:
    return Setup(stage=stage, objective_s=2.5, account_concurrency=3_000)


def by_lane(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {each.lane: each for each in outcomes}


def run(traffic: TrafficProfile, book: PriceBook, setup: Setup, draws: Draws, burst: Burst | None = None) -> dict[str, Outcome]:
    return by_lane(simulate(Arrivals(traffic, burst), draws, book, ["c7g.large"], setup))


def test_each_lane_is_there_and_the_hybrid_serves_what_the_fleet_alone_misses(
    traffic: TrafficProfile, book: PriceBook, setup: Setup, profile: WorkloadProfile
) -> None:
    lanes = run(traffic, book, setup, draw(profile, 30), Burst(factor=2.0))
    assert tuple(lanes) == LANES
    assert lanes["mixed"].usd[0] < lanes["on_demand"].usd[0] < lanes["managed"].usd[0]
    assert lanes["mixed"].missed_s[0] > 0
    assert lanes["hybrid"].missed_s[0] == 0
    assert lanes["hybrid"].lost[0] == 0
    assert lanes["hybrid"].usd[0] < lanes["lambda"].usd[0]


def test_without_uncertainty_every_draw_is_the_first(
    traffic: TrafficProfile, book: PriceBook, setup: Setup, profile: WorkloadProfile
) -> None:
    for outcome in run(traffic, book, setup, draw(profile, 5, uncertainty=CERTAIN)).values():
        assert np.ptp(outcome.usd) == 0


def test_the_first_draw_is_the_measured_world_and_bands_are_reproducible(
    traffic: TrafficProfile, book: PriceBook, setup: Setup, profile: WorkloadProfile
) -> None:
    one, other = (run(traffic, book, setup, draw(profile, 20)) for _ in range(2))
    certain = run(traffic, book, setup, draw(profile, 1, uncertainty=CERTAIN))
    for lane in LANES:
        assert np.array_equal(one[lane].usd, other[lane].usd)
        assert one[lane].usd[0] == pytest.approx(certain[lane].usd[0])
        assert np.ptp(one[lane].usd) > 0


def test_a_steady_rate_needs_the_instances_that_the_priced_model_needs(
    stage: Stage, book: PriceBook, profile: WorkloadProfile
) -> None:
    steady = TrafficProfile(step_s=60, rates=(700.0,) * 1440, source="steady")
    need = container_need(profile.container_lane, steady, stage.container_lane, book.instance("c7g.large"), cpu_scale=1.0)
    lane = stage.container_lane
    rule = FleetRule(
        minimum=lane.min_instances,
        maximum=lane.max_instances,
        on_demand_base=lane.on_demand_base,
        spot_share=lane.spot_percent / 100,
        target=lane.target_utilization,
    )
    ran = Fleet(Arrivals(steady), rule).run(np.array([need.rps_per_instance / lane.target_utilization]))
    assert ran.on_demand_hours[0] == pytest.approx(need.on_demand_hours)
    assert ran.spot_hours[0] == pytest.approx(need.spot_hours)


def test_containers_without_machines_are_priced_by_what_runs(book: PriceBook, setup: Setup, profile: WorkloadProfile) -> None:
    """2 vCPUs and 4 GB a task at a rate that two tasks serve, by hand; then a night without a request."""
    steady = TrafficProfile(step_s=3600, rates=(10.0,) * 24, source="steady")
    lanes = run(steady, book, setup, draw(profile, 1, uncertainty=CERTAIN))
    fargate = 2 * 730 * (3600 * (2 * 0.0000089944 + 4 * 0.0000009889) + 0.005)
    assert lanes["fargate"].usd[0] == pytest.approx(fargate)
    assert lanes["fargate_spot"].usd[0] == pytest.approx(fargate)  # both are the base, which is on demand
    assert lanes["app_runner"].usd[0] == pytest.approx(2 * 730 * (2 * 0.064 + 4 * 0.007))
    night = replace(steady, rates=(10.0,) * 12 + (0.0,) * 12)
    lanes = run(night, book, setup, draw(profile, 1, uncertainty=CERTAIN))
    assert lanes["app_runner"].usd[0] == pytest.approx(2 * 730 * (2 * 0.064 / 2 + 4 * 0.007))
    assert lanes["fargate"].usd[0] == pytest.approx(fargate)


def test_fargate_spot_is_the_fleets_share_at_spots_price(book: PriceBook, setup: Setup, profile: WorkloadProfile) -> None:
    busy = TrafficProfile(step_s=3600, rates=(950.0,) * 24, source="busy")
    lanes = run(busy, book, setup, draw(profile, 1, uncertainty=CERTAIN))
    full, spot = (3600 * (2 * vcpu + 4 * gb) for vcpu, gb in ((8.9944e-6, 9.889e-7), (2.968152e-6, 3.26337e-7)))
    need = container_need(profile.container_lane, busy, setup.stage.container_lane, book.instance("c7g.large"), cpu_scale=1.0)
    month = 730 / 24
    expected = (need.on_demand_hours * (full + 0.005) + need.spot_hours * (spot + 0.005)) * month
    assert need.spot_hours > 0
    assert lanes["fargate_spot"].usd[0] == pytest.approx(expected)


def test_a_lane_that_has_no_such_size_is_left_out(book: PriceBook, setup: Setup, profile: WorkloadProfile) -> None:
    steady = TrafficProfile(step_s=3600, rates=(10.0,) * 24, source="steady")
    outcomes = simulate(Arrivals(steady), draw(profile, 2), book, ["c7g.12xlarge"], setup)
    assert {each.lane for each in best_of_each_lane(outcomes, month_s=730 * 3600, budget=0.001)} == {
        "lambda",
        "on_demand",
        "mixed",
        "hybrid",
        "managed",
    }


def test_an_objective_below_the_measured_percentile_is_always_missed(
    traffic: TrafficProfile, book: PriceBook, setup: Setup, profile: WorkloadProfile
) -> None:
    hard = replace(setup, objective_s=1.0)  # measured: 1.3 s
    for outcome in run(traffic, book, hard, draw(profile, 1)).values():
        assert outcome.missed_s[0] == pytest.approx(730 * 3600, rel=1e-6)


def test_a_lost_pool_is_missed_until_its_replacement_serves() -> None:
    steady = Arrivals(TrafficProfile(step_s=60, rates=(600.0,) * 600, source="steady"))
    rule = FleetRule(minimum=1, maximum=50, on_demand_base=0, spot_share=1.0, target=0.9, boot_s=180.0)
    fleet = Fleet(steady, rule)
    rps, full = np.array([100.0]), np.array([1.0])
    one = Losses(draw=np.array([0]), step=np.array([300]))
    missed, beyond = missed_by_losses(fleet, steady, one, rps, full, pools=2)
    assert missed[0] == pytest.approx(120)  # 180 s to boot and a minute's metric, less two minutes' notice
    assert beyond[0] == pytest.approx((600 - 300) * 120)
    many, _ = missed_by_losses(fleet, steady, one, rps, full, pools=12)
    assert many[0] == 0  # of seven instances one goes, and six serve 600 requests a second


def test_more_losses_cost_more_of_the_objective(traffic: TrafficProfile, book: PriceBook, setup: Setup) -> None:
    rare, often = (
        run(
            traffic,
            book,
            replace(setup, boot_s=180.0),
            draw(profile_with(), 20, uncertainty=replace(CERTAIN, losses_per_pool_month=each)),
        )
        for each in (0.0, 50.0)
    )
    assert often["mixed"].missed_s.sum() >= rare["mixed"].missed_s.sum()
    assert np.array_equal(often["on_demand"].missed_s, rare["on_demand"].missed_s)


def test_an_instance_type_of_the_other_architecture_is_refused(
    traffic: TrafficProfile, book: PriceBook, setup: Setup, profile: WorkloadProfile
) -> None:
    with pytest.raises(InputError, match=r"c7i\.large: is x86_64, the stage arm64"):
        simulate(Arrivals(traffic), draw(profile, 1), book, ["c7i.large"], setup)


def test_nonsense_uncertainty_is_refused() -> None:
    with pytest.raises(InputError, match=r"uncertainty\.cpu: must be 0 or more, not nan"):
        Uncertainty(cpu=float("nan"))
