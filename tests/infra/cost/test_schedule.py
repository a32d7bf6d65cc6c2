"""Hours add up to the simulated year, and no other day of so many switches is cheaper than the one that is found."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config import Stage
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.schedule import best_schedule, week
from infra.cost.simulation.arrivals import Arrivals, Burst
from infra.cost.simulation.draws import Uncertainty, draw
from infra.cost.simulation.fleet import FleetRule
from infra.cost.simulation.hours import Hours, hour_by_hour
from infra.cost.simulation.year import Setup, simulate
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.cost.traffic.shape import generate_bursty_fortnight, load_shape
from infra.errors import InputError

RULE = FleetRule(minimum=1, maximum=50, on_demand_base=50, spot_share=0.0, target=0.6)
costs = st.lists(st.floats(min_value=0.0, max_value=5.0), min_size=24, max_size=24)


def made(functions: list[float], instances: list[float]) -> Hours:
    """A dollar an instance and hour, so that dollars are instances."""
    nothing = np.zeros(len(functions))
    return Hours(
        lambda_usd=np.array(functions),
        container_usd=np.array(instances),
        lambda_missed_s=nothing,
        container_missed_s=nothing + 1.0,
        instances=np.array(instances),
        on_demand_usd=1.0,
        spot_usd=1.0,
        rule=RULE,
    )


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_hours_add_up_to_the_simulated_year(profile: WorkloadProfile, book: PriceBook, stage: Stage, factor: float) -> None:
    """But for Lambda's cold starts and for the loss of spot pools, which the hours leave out."""
    steady = replace(stage, container_lane=replace(stage.container_lane, instance_types=("c7g.large",)))
    traffic = generate_bursty_fortnight(load_shape("fortnight"), peak_rps=2_500)
    arrivals, setup = Arrivals(traffic, Burst(factor=factor)), Setup(stage=steady, objective_s=2.5)
    hours = hour_by_hour(arrivals, profile, book, setup)
    worlds = draw(profile, 1, uncertainty=Uncertainty(losses_per_pool_month=0.0))
    year = {each.lane: each for each in simulate(arrivals, worlds, book, ["c7g.large"], setup)}
    month = 730 / len(hours.lambda_usd)
    assert hours.container_usd.sum() * month == pytest.approx(float(year["mixed"].usd[0]), rel=1e-9)
    assert hours.container_missed_s.sum() * month == pytest.approx(float(year["mixed"].missed_s[0]), rel=1e-9)
    cheaper = float(year["lambda"].usd[0])
    served = 1 - float(year["lambda"].lost[0]) / (traffic.searches * 730 / traffic.hours)
    assert hours.lambda_usd.sum() * month * served == pytest.approx(cheaper, rel=0.001)


def test_a_night_on_lambda_by_hand() -> None:
    """Ten dollars an hour from 8 to 20 on Lambda, none at night; five instances by day and by night."""
    hours = made([0.0] * 8 + [10.0] * 12 + [0.0] * 4, [5.0] * 24)
    found = best_schedule(hours, None, switches=2, keep=1, month_hours=720)
    assert found.switches == ((8, "container"), (20, "lambda"))
    boot, linger = 4 * 120 / 3600, 4 * 900 / 3600  # four more than the one that is kept
    assert found.usd_per_month == pytest.approx(30 * (12 * 5 + 12 * 1 + boot + linger))
    assert found.missed_s_per_month == 30 * 12
    assert best_schedule(hours, None, switches=1, keep=1, month_hours=720).switches == (), "a day must close upon itself"
    shifted = best_schedule(hours, datetime(2026, 1, 5, 6, tzinfo=UTC), switches=2, keep=1, month_hours=720)
    assert shifted.switches == ((2, "lambda"), (14, "container"))


@settings(max_examples=12, deadline=None)
@given(functions=costs, instances=costs)
def test_no_other_day_of_two_switches_is_cheaper(functions: list[float], instances: list[float]) -> None:
    hours = made(functions, [value + 1 for value in instances])
    found = best_schedule(hours, None, switches=2, keep=1, month_hours=24)
    assert len(found.switches) <= 2
    tried = [sum(functions), sum(instances) + 24]
    for start, end in itertools.permutations(range(24), 2):  # on containers from start to end
        on = [(hour - start) % 24 < (end - start) % 24 for hour in range(24)]
        usd = [instances[h] + 1 if on[h] else functions[h] + 1 for h in range(24)]
        tried.append(math.fsum(usd) + instances[start] * 120 / 3600 + instances[end - 1] * 900 / 3600)
    assert found.usd_per_month == pytest.approx(min(tried))


def test_week_starts_on_monday(profile: WorkloadProfile, book: PriceBook, stage: Stage) -> None:
    """Two weeks from a Sunday on with one busy hour, Tuesday 9:00."""
    rates = [0.0] * 336
    for day in (2, 9):
        rates[day * 24 + 9] = 50.0
    traffic = TrafficProfile(step_s=3600, rates=tuple(rates), source="x", start=datetime(2026, 1, 4, tzinfo=UTC))
    hours = hour_by_hour(Arrivals(traffic), profile, book, Setup(stage=stage, objective_s=2.5))
    found = week(hours, traffic.start)
    assert [hour for hour, usd in enumerate(found.lambda_usd) if usd > 0] == [24 + 9]
    assert found.best[0] == "lambda"


def test_steady_traffic_has_a_day_and_odd_steps_are_refused(profile: WorkloadProfile, book: PriceBook, stage: Stage) -> None:
    setup = Setup(stage=stage, objective_s=2.5)
    found = week(hour_by_hour(Arrivals(flat_rate(10)), profile, book, setup), None)
    assert len(set(found.lambda_usd)) == 1
    assert len(found.lambda_usd) == 24
    odd = TrafficProfile(step_s=7000, rates=(1.0, 2.0), source="x")
    with pytest.raises(InputError, match="steps of 7000 s do not fit an hour"):
        hour_by_hour(Arrivals(odd), profile, book, setup)


def test_an_objective_that_a_lane_never_meets_is_missed_all_the_time(
    profile: WorkloadProfile, book: PriceBook, stage: Stage
) -> None:
    hours = hour_by_hour(Arrivals(flat_rate(10)), profile, book, Setup(stage=stage, objective_s=0.5))
    assert hours.lambda_missed_s.tolist() == hours.container_missed_s.tolist() == [3600.0]


@pytest.mark.parametrize("bought", [{"provisioned_concurrency": 5}, {"snap_start": True}])
def test_functions_that_are_not_on_demand_are_refused(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, bought: dict[str, object]
) -> None:
    kept = replace(stage, lambda_lane=replace(stage.lambda_lane, **bought))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the hours are of functions on demand: without Managed Instances"):
        hour_by_hour(Arrivals(flat_rate(10)), profile, book, Setup(stage=kept, objective_s=2.5))
