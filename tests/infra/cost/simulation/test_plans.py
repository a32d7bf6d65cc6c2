"""Commitments in the simulated year: by hand, never dearer for the measured world, unknown where there is no rate."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config import Stage
from infra.cost.prices.book import PlanRate, PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.simulation.arrivals import Arrivals
from infra.cost.simulation.draws import Uncertainty, draw
from infra.cost.simulation.plans import paid_hours, paid_seconds
from infra.cost.simulation.year import LANES, Setup, simulate, without_rate
from infra.cost.traffic.profile import TrafficProfile
from infra.errors import InputError
from infra.overrides import override

CERTAIN = Uncertainty(cpu=0, wait=0, spot_price=0, losses_per_pool_month=0)


@pytest.fixture
def setup(stage: Stage) -> Setup:
    return Setup(stage=stage, objective_s=2.5, account_concurrency=3_000, savings_plan="compute-1y")


@pytest.fixture(scope="module")
def with_fargate(book: PriceBook) -> PriceBook:
    """The shipped book with rates made up for arm64 tasks: 20% off vCPUs, 10% off memory."""
    rates = tuple(
        PlanRate(
            plan="compute-1y",
            service="AmazonECS",
            families=(f"fargate_{part}_arm64",),
            discount=off,
            source="made up for tests",
            as_of=None,
            confidence="low",
        )
        for part, off in (("vcpu", Decimal("0.2")), ("memory", Decimal("0.1")))
    )
    return replace(book, savings_plans=(*book.savings_plans, *rates))


def lanes(traffic: TrafficProfile, book: PriceBook, setup: Setup, profile: WorkloadProfile, *types: str) -> dict[str, float]:
    outcomes = simulate(Arrivals(traffic), draw(profile, 1, uncertainty=CERTAIN), book, types or ["c7g.large"], setup)
    return {each.lane: float(each.usd[0]) for each in outcomes}


def test_a_steady_month_under_a_plan_by_hand(with_fargate: PriceBook, setup: Setup, profile: WorkloadProfile) -> None:
    """10/s: two instances or tasks, on demand all month, and Lambda's duration all committed to."""
    steady = TrafficProfile(step_s=3600, rates=(10.0,) * 24, source="steady")
    listed = lanes(steady, with_fargate, replace(setup, savings_plan=None), profile)
    planned = lanes(steady, with_fargate, setup, profile)
    hours = 2 * 730
    task = 3600 * (2 * 0.0000089944 * 0.8 + 4 * 0.0000009889 * 0.9)
    assert planned["fargate"] == pytest.approx(hours * (task + 0.005))
    assert planned["fargate_spot"] == pytest.approx(hours * (task + 0.005))  # both are the base, which is on demand
    assert listed["on_demand"] - planned["on_demand"] == pytest.approx(hours * 0.0725 * 0.32)
    assert listed["managed"] - planned["managed"] == pytest.approx(3 * 730 * 0.0725 * 0.32)  # three at least; the fee stays
    assert planned["app_runner"] == listed["app_runner"]
    seconds = 10 * 3600 * 730 * 0.4075
    assert listed["lambda"] - planned["lambda"] == pytest.approx(seconds * 1769 / 1024 * 0.0000133334 * 0.12)


def test_a_plan_without_a_rate_leaves_the_lane_unknown_and_never_at_list_price(
    book: PriceBook, setup: Setup, profile: WorkloadProfile
) -> None:
    """The shipped book has Fargate's rates for x86_64 alone, and EC2's for c7g, m7g and r7g."""
    steady = TrafficProfile(step_s=3600, rates=(10.0,) * 24, source="steady")
    assert "fargate" not in lanes(steady, book, setup, profile)
    assert set(lanes(steady, book, setup, profile, "c6g.large")) == {"lambda", "app_runner"}
    missing = without_rate(book, ["c7g.large", "c6g.large"], setup)
    tasks = {lane: types for lane, types in missing.items() if lane.startswith("fargate")}
    assert tasks == {"fargate": ["c7g.large", "c6g.large"], "fargate_spot": ["c7g.large", "c6g.large"]}
    assert {lane: types for lane, types in missing.items() if lane not in tasks} == {
        lane: ["c6g.large"] for lane in ("on_demand", "mixed", "hybrid", "managed")
    }
    assert without_rate(book, ["c6g.large"], replace(setup, savings_plan=None)) == {}
    x86 = replace(setup, stage=override({"architecture": "x86_64"}, setup.stage))
    assert set(without_rate(book, ["c7i.large"], x86)) == {"on_demand", "mixed", "hybrid", "managed"}


def test_a_plan_of_instances_leaves_the_other_lanes_at_list_price(
    book: PriceBook, setup: Setup, profile: WorkloadProfile
) -> None:
    steady = TrafficProfile(step_s=3600, rates=(10.0,) * 24, source="steady")
    listed = lanes(steady, book, replace(setup, savings_plan=None), profile)
    planned = lanes(steady, book, replace(setup, savings_plan="reserved-3y"), profile)
    assert tuple(planned) == LANES
    same = {name for name in LANES if planned[name] == pytest.approx(listed[name])}
    assert same == {"lambda", "fargate", "fargate_spot", "app_runner"}


def test_a_plan_that_the_book_does_not_have_is_refused(book: PriceBook, setup: Setup, profile: WorkloadProfile) -> None:
    steady = TrafficProfile(step_s=3600, rates=(10.0,), source="steady")
    with pytest.raises(InputError, match="savings plan 'compute-9y': the price book of us-east-1 has rates for"):
        lanes(steady, book, replace(setup, savings_plan="compute-9y"), profile)


def test_only_instances_that_run_long_enough_are_committed_to() -> None:
    """100 hours at 32% off: an instance of 69 hours is worth it, one of 67 is not; another world pays what it does not use."""
    each = np.array([[100.0, 69.0, 67.0], [100.0, 10.0, 0.0]])
    assert paid_hours(each, 100.0, 0.32) == pytest.approx([68 + 68 + 67, 68 + 68 + 0])
    assert paid_hours(each, 100.0, 0.0) == pytest.approx([236, 110])


@settings(max_examples=60, deadline=None)
@given(
    rates=st.lists(st.floats(min_value=0, max_value=900), min_size=1, max_size=40).filter(lambda rates: max(rates) > 0),
    discount=st.floats(min_value=0.01, max_value=0.7),
    seconds=st.floats(min_value=0.01, max_value=5),
)
def test_the_measured_world_never_pays_more_and_no_other_commitment_is_cheaper(
    rates: list[float], discount: float, seconds: float
) -> None:
    arrivals = Arrivals(TrafficProfile(step_s=3600, rates=tuple(rates), source="made for a test"))
    paid = float(paid_seconds(arrivals, np.array([seconds]), discount)[0])
    assert paid <= arrivals.requests * seconds * (1 + 1e-9) + 1e-9

    def cost(committed: float) -> float:
        beyond = sum(max(0.0, rate - committed) for rate in rates)
        return ((1 - discount) * committed * len(rates) + beyond) * 3600 * seconds

    assert paid == pytest.approx(min(cost(committed) for committed in (0.0, *rates)), rel=1e-6, abs=1e-6)
