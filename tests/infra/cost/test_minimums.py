"""Scheduled minimums: what the clock asks of the group at each step, by hand, and what that does to the month."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config import ContainerLane, Stage
from infra.cost.compare import compare
from infra.cost.lane import CostOptions, LaneCost
from infra.cost.lines.line import total
from infra.cost.minimums import is_scheduled, lay_out, minimums, unknown_minimums, weekly_shares
from infra.cost.model import price_container
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.reports.assumptions import assumptions
from infra.cost.simulation.arrivals import Arrivals, Burst
from infra.cost.simulation.draws import Uncertainty, draw
from infra.cost.simulation.hours import hour_by_hour
from infra.cost.simulation.year import Setup, simulate
from infra.cost.split import price_split
from infra.cost.surface import Surface
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.cost.world import World

OFFICE = ("min=6@0 7 * * 1-5", "min=2@0 19 * * 1-5")
"""Six instances from 7 to 19 h on working days: 60 of 168 hours."""
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
"""A Monday."""
CERTAIN = Uncertainty(cpu=0, wait=0, spot_price=0, losses_per_pool_month=0)


def fleet(*schedules: str, least: int = 2) -> ContainerLane:
    return ContainerLane(min_instances=least, max_instances=20, schedules=schedules)


def series(hours: int, *, start: datetime | None = MIDNIGHT, step_s: int = 3600, rps: float = 1.0) -> TrafficProfile:
    return TrafficProfile(step_s=step_s, rates=(rps,) * (hours * 3600 // step_s), source="made for a test", start=start)


def with_schedules(stage: Stage, *schedules: str) -> Stage:
    return replace(stage, container_lane=replace(stage.container_lane, schedules=schedules))


def test_an_action_sets_the_minimum_until_the_next_one() -> None:
    week = minimums(fleet(*OFFICE), series(168))
    working_day = (2,) * 7 + (6,) * 12 + (2,) * 5
    assert week == working_day * 5 + (2,) * 48


def test_a_raise_without_a_lowering_stays() -> None:
    assert set(minimums(fleet("min=6@0 7 * * 1-5"), series(168))) == {6}


def test_what_was_set_before_the_profile_begins_holds() -> None:
    evening = series(12, start=datetime(2026, 11, 24, 17, 30, tzinfo=UTC), step_s=1800)
    assert minimums(fleet(*OFFICE), evening) == (6,) * 3 + (2,) * 21


def test_months_and_days_of_the_month_follow_the_calendar() -> None:
    month = minimums(fleet("min=5@0 0 1 12 *", "min=2@0 0 2 * *"), series(24 * 14, start=datetime(2026, 11, 25, tzinfo=UTC)))
    assert month == (2,) * 24 * 6 + (5,) * 24 + (2,) * 24 * 7


def test_a_step_in_which_the_minimum_changes_is_divided() -> None:
    lane = fleet("min=6@15 7 * * *", "min=2@45 19 * * *")
    laid = lay_out(series(24), lane)
    assert (laid.step_s, len(laid.rates), laid.hours) == (900, 96, 24)
    assert sum(each == 6 for each in minimums(lane, laid)) * laid.step_s == 12.5 * 3600


def test_traffic_without_a_calendar_is_repeated_over_a_week_from_monday() -> None:
    lane = fleet(*OFFICE)
    laid = lay_out(flat_rate(5.0), lane)
    assert (laid.hours, laid.rates, laid.start) == (168, (5.0,) * 168, None)
    assert "repeated over a week" in laid.notes[-1]
    assert minimums(lane, laid) == minimums(lane, series(168))
    typical = TrafficProfile(step_s=3600, rates=tuple(float(hour) for hour in range(24)), source="a day")
    assert lay_out(typical, lane).rates == typical.rates * 7
    assert lay_out(laid, lane) is laid


def test_steady_traffic_has_each_minimum_for_its_share_of_the_week() -> None:
    assert dict(weekly_shares(fleet(*OFFICE), flat_rate(1))) == pytest.approx({2: 108 / 168, 6: 60 / 168})
    assert weekly_shares(fleet(), flat_rate(1)) == ((2, 1.0),)


def test_schedules_that_need_a_calendar_are_not_laid_on_traffic_without_one() -> None:
    lane = fleet("min=6@0 7 1 * *")
    assert not is_scheduled(lane, flat_rate(1))
    assert lay_out(flat_rate(1), lane).hours == 1
    assert "has no calendar" in str(unknown_minimums(lane, flat_rate(1)))
    assert unknown_minimums(lane, series(24)) is None
    assert unknown_minimums(fleet(*OFFICE), flat_rate(1)) is None


def test_a_month_of_office_hours_by_hand(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    """At 1/s two instances suffice; four more for 60 of 168 hours, three on spot (80% above a base of two, rounded down)."""
    given = profile, flat_rate(1), book
    plain = price_container(*given, stage, options)
    office = price_container(*given, with_schedules(stage, *OFFICE), options)
    hours = 730 * 60 / 168

    def running(cost: LaneCost, name: str) -> float:
        return float(sum(line.quantity for line in cost.lines if line.name.startswith(name)))

    assert running(office, "EC2 on demand") - running(plain, "EC2 on demand") == pytest.approx(1 * hours)
    assert running(office, "EC2 spot") - running(plain, "EC2 spot") == pytest.approx(3 * hours)
    assert running(office, "Public IPv4, instances") - running(plain, "Public IPv4, instances") == pytest.approx(4 * hours)
    assert office.not_priced == ()


def test_the_report_says_what_the_clock_asks_for(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    comparison = compare(profile, flat_rate(10), book, with_schedules(stage, *OFFICE), options=options)
    (said,) = [each for each in assumptions(comparison) if each.name == "Scheduled minimums"]
    assert said.value == "2 to 6 instances at least, 3.43 in the mean"
    assert "no calendar" in said.why
    assert comparison.crossover.rps is not None
    plain = compare(profile, flat_rate(10), book, stage, options=options)
    assert plain.crossover.rps is not None
    assert comparison.crossover.rps > plain.crossover.rps
    assert comparison.lambda_lane.usd_per_month == pytest.approx(plain.lambda_lane.usd_per_month)


def test_a_schedule_of_the_minimum_itself_changes_nothing(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    kept = with_schedules(stage, "min=2@0 7 * * 1-5", "min=2@0 7 1 * *")
    for traffic in (flat_rate(900), series(30, rps=900.0)):
        assert price_container(profile, traffic, book, kept, options).lines == (
            price_container(profile, traffic, book, stage, options).lines
        )


@settings(max_examples=30, deadline=None)
@given(
    first=st.integers(min_value=1, max_value=20),
    second=st.integers(min_value=1, max_value=20),
    more=st.integers(min_value=0, max_value=19),
    hours=st.lists(st.floats(min_value=0.1, max_value=4_000), min_size=24, max_size=24),
)
def test_a_higher_scheduled_minimum_never_costs_less(
    profile: WorkloadProfile,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    first: int,
    second: int,
    more: int,
    hours: list[float],
) -> None:
    traffic = TrafficProfile(step_s=3600, rates=tuple(hours), source="a day", start=MIDNIGHT)
    low, high = (
        price_container(
            profile,
            traffic,
            book,
            with_schedules(stage, f"min={min(20, first + each)}@30 7 * * *", f"min={second}@0 19 * * *"),
            options,
        ).usd_per_month
        for each in (0, more)
    )
    assert low <= high


def test_a_split_has_the_clocks_instances_once(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    office = with_schedules(stage, *OFFICE)
    planned = replace(options, savings_plan="compute-1y")
    split = price_split(profile, flat_rate(10), book, office, planned, lambda_percent=50)
    alone = price_container(profile, flat_rate(5), book, office, options)
    own = split.own[1]
    assert float(total(own.lines)) < float(alone.usd_per_month)
    for name in ("EC2 on demand", "EC2 spot"):
        found = [[float(line.usd) for line in each.lines if line.name.startswith(name)] for each in (own, alone)]
        assert found[0] == pytest.approx(found[1])


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_the_surface_is_the_exact_model_with_a_clock_too(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions, factor: float
) -> None:
    world = World(profile=profile, traffic=flat_rate(1), book=book, stage=with_schedules(stage, *OFFICE), options=options)
    surface, burst = Surface(world), Burst(factor=factor)
    report = compare(profile, world.traffic, book, world.stage, options=options)
    assert surface.crossover(Burst()) == pytest.approx(report.crossover.rps, rel=1e-6)
    for rps in (0.5, 700.0):
        rates = [rps * phase for phase, share in burst.phases for _ in range(round(10 * share))]
        hour = TrafficProfile(step_s=360, rates=tuple(rates), source="bursty")
        exact = price_container(profile, hour, book, world.stage, options)
        assert float(surface.container_usd(np.array([rps]), burst)[0]) == pytest.approx(float(exact.usd_per_month), rel=1e-5)


def test_the_simulated_fleet_has_what_the_bill_has(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    office = with_schedules(stage, *OFFICE)
    traffic = lay_out(flat_rate(1), office.container_lane)
    setup = Setup(stage=office, objective_s=2.5)
    lanes = {
        each.lane: each.usd[0]
        for each in simulate(Arrivals(traffic), draw(profile, 1, uncertainty=CERTAIN), book, ["c7g.large"], setup)
    }
    hours = 730 * (2 + 4 * 60 / 168)
    beside = 8 * 0.08 / 730 + 0.005
    assert lanes["on_demand"] == pytest.approx(hours * (0.0725 + beside))
    assert lanes["app_runner"] < hours * (2 * 0.064 + 4 * 0.007)
    hourly = hour_by_hour(Arrivals(traffic), profile, book, setup)
    assert list(hourly.instances) == list(minimums(office.container_lane, traffic))
