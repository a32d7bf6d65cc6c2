"""The cheapest configuration is the cheapest of all that hold the objective, and is what the stage's settings make."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.config import Stage
from infra.cost.capacity import lambda_seconds
from infra.cost.optimize import SPOT_PERCENT, TARGETS, Search, memory_sizes, p99_at, settings_of
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.simulation.arrivals import Arrivals, Burst
from infra.cost.simulation.draws import draw
from infra.cost.simulation.year import Setup, simulate
from infra.cost.traffic.profile import flat_rate
from infra.cost.traffic.shape import generate_bursty_fortnight, load_shape
from infra.errors import InputError
from tests.infra.cost.conftest import lane, profile_with

TYPES = ["c7g.large", "c7g.xlarge", "m7g.large"]


def searching(profile: WorkloadProfile, stage: Stage, *, objective_s: float = 2.5, factor: float = 2.0) -> Search:
    traffic = generate_bursty_fortnight(load_shape("fortnight"), peak_rps=2_000)
    return Search(
        arrivals=Arrivals(traffic, Burst(factor=factor)),
        profile=profile,
        draws=draw(profile, 3),
        setup=Setup(stage=stage, objective_s=objective_s, account_concurrency=5_000),
        budget=0.001,
        cpu_scale=1.0,
    )


def test_the_best_is_the_cheapest_feasible_of_all(profile: WorkloadProfile, book: PriceBook, stage: Stage) -> None:
    found = searching(profile, stage).run([book], TYPES)
    assert len(found) == 1 + 2 * len(TYPES) * len(SPOT_PERCENT) * len(TARGETS)
    feasible = [each for each in found if each.feasible]
    assert 0 < len(feasible) < len(found), "bursts of twice the rate are too much for a fleet run at 90%"
    assert found[0].usd_per_month == min(each.usd_per_month for each in feasible)
    assert found[: len(feasible)] == feasible
    assert all(each.missed_s_per_month <= 0.001 * 730 * 3600 for each in feasible)


def test_its_settings_give_the_same_month_again(profile: WorkloadProfile, book: PriceBook, stage: Stage) -> None:
    search = searching(profile, stage)
    best = next(each for each in search.run([book], TYPES) if each.lane == "mixed")
    assert best.target_utilization is not None and best.spot_percent is not None
    fleet = replace(stage.container_lane, target_utilization=best.target_utilization, spot_percent=best.spot_percent)
    setup = replace(search.setup, stage=replace(stage, container_lane=fleet))
    outcomes = simulate(search.arrivals, search.draws, book, [str(best.instance_type)], setup)
    again = next(each for each in outcomes if each.lane == "mixed")
    assert sorted(again.usd)[1] == pytest.approx(best.usd_per_month)
    assert settings_of(best, stage)["container_lane.spot_percent"] == best.spot_percent


def test_a_hard_objective_leaves_less_to_choose_and_costs_more(profile: WorkloadProfile, book: PriceBook, stage: Stage) -> None:
    easy, hard = (searching(profile, stage, objective_s=each).run([book], TYPES) for each in (2.5, 1.34))
    assert sum(each.feasible for each in hard) < sum(each.feasible for each in easy)
    assert hard[0].usd_per_month >= easy[0].usd_per_month
    never = searching(profile, stage, objective_s=1.0).run([book], TYPES)
    assert never and not any(each.feasible for each in never)
    assert not any(each.lane == "lambda" for each in never)


def test_memory_by_hand(profile: WorkloadProfile, book: PriceBook) -> None:
    """120 MiB measured need 144 MB; at 192 MB a search gets 0.1085 vCPU: 64.5 ms of CPU, 400 of waiting."""
    sizes = {each.memory_mb: each for each in memory_sizes(profile.lambda_lane, book, "arm64", cpu_scale=1.0, objective_s=2.5)}
    assert "less than 144 MB" in str(sizes[128].refused)
    assert sizes[192].refused is None
    assert sizes[192].duration_ms == pytest.approx(7 * 1769 / 192 + 400 + 0.5)
    assert sizes[192].p99_ms == pytest.approx(1300 + 7 * (1769 / 192 - 1))
    gb_s = sizes[192].duration_ms * 1000 * 192 / 1024
    assert sizes[192].usd_per_million == pytest.approx(0.2 + gb_s * 0.0000133334)
    assert max(sizes) == 1769


def test_waiting_makes_small_functions_cheap_and_the_objective_makes_them_larger(book: PriceBook) -> None:
    thinking = lane(cpu_ms_per_search=200.0, wait_ms=100.0, duration_p99_ms=600.0)
    sizes = memory_sizes(thinking, book, "arm64", cpu_scale=1.0, objective_s=1.0)
    possible = [each for each in sizes if each.refused is None]
    assert possible[0].memory_mb == min(each.memory_mb for each in sizes if 1769 / each.memory_mb <= 3)
    assert all("is over the objective" in str(each.refused) for each in sizes if 144 <= each.memory_mb < possible[0].memory_mb)
    costs = [each.usd_per_million for each in possible]
    assert costs == sorted(costs)


def test_full_vcpu_is_as_measured(profile: WorkloadProfile) -> None:
    assert p99_at(profile.lambda_lane, 1769, 1.0) == 1.3
    assert lambda_seconds(profile.lambda_lane, 3000, 1.0) == lambda_seconds(profile.lambda_lane, 1769, 1.0)


def test_nothing_to_try_is_refused(profile: WorkloadProfile, stage: Stage) -> None:
    with pytest.raises(InputError, match="nothing to try"):
        searching(profile, stage).run([])


def test_steady_traffic_without_bursts_runs_hot(book: PriceBook, stage: Stage) -> None:
    steady = replace(searching(profile_with(), stage), arrivals=Arrivals(flat_rate(3_000)))
    best = steady.run([book], ["c7g.large"])[0]
    assert (best.target_utilization, best.spot_percent) == (0.9, 100)
