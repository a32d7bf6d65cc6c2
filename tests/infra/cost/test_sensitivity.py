"""Each input moves what it must, the widest first, and what cannot be varied says why."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from infra.config import Stage
from infra.cost.lane import CostOptions
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.sensitivity import INPUTS, Effect, Sensitivity, answer, sensitivity
from infra.cost.traffic.profile import flat_rate
from infra.cost.world import World
from infra.errors import InputError
from tests.infra.cost.conftest import lane, profile_with


@pytest.fixture(scope="module")
def world(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> World:
    return World(profile=profile, traffic=flat_rate(1000), book=book, stage=stage, options=options)


@pytest.fixture(scope="module")
def found(world: World) -> Sensitivity:
    return sensitivity(world, 0.25)


def named(found: Sensitivity, name: str) -> Effect:
    return next(effect for effect in found.effects if effect.name == name)


def test_every_input_is_varied_and_the_widest_comes_first(found: Sensitivity) -> None:
    assert {effect.name for effect in found.effects} == set(INPUTS)
    swings = [effect.swing(found.base) for effect in found.effects]
    assert swings == sorted(swings, reverse=True)


def test_a_price_moves_the_month_by_its_part_of_it(found: Sensitivity, world: World) -> None:
    given = world.profile, world.traffic, world.book, world.stage, world.options
    spot = sum(line.usd for line in price_container(*given).lines if line.name.startswith("EC2 spot"))
    effect = named(found, "spot price")
    assert effect.at_low is not None
    assert effect.at_high is not None
    assert float(effect.at_high.container_usd - found.base.container_usd) == pytest.approx(
        float(spot) / 4, rel=1e-3
    )  # spot means are rounded
    assert effect.at_high.lambda_usd == found.base.lambda_usd == price_lambda(*given).usd_per_month
    assert effect.at_low.container_usd < found.base.container_usd


def test_more_waiting_moves_the_crossover_down(found: Sensitivity) -> None:
    effect = named(found, "waiting a search, ms")
    assert effect.at_low is not None
    assert effect.at_high is not None
    rates = [point.crossover_rps for point in (effect.at_low, found.base, effect.at_high)]
    known = [rate for rate in rates if rate is not None]
    assert rates == sorted(known, reverse=True)


def test_rate_moves_months_and_not_the_crossover(found: Sensitivity) -> None:
    effect = named(found, "rate")
    assert effect.at_high is not None
    assert effect.at_high.crossover_rps == found.base.crossover_rps
    assert effect.at_high.lambda_usd > found.base.lambda_usd * Decimal("1.2")


def test_what_was_not_measured_or_cannot_be_says_why(world: World) -> None:
    silent = profile_with(lane(log_bytes_per_search=None), lane(log_bytes_per_search=None))
    found = sensitivity(World(**{**{name: getattr(world, name) for name in World.__slots__}, "profile": silent}), 0.9)
    assert named(found, "log bytes a search").refused == "log_bytes_per_search: was not measured"
    target = named(found, "target utilization")
    assert target.at_high is None
    assert target.at_low is not None
    assert "target_utilization" in str(target.refused)


def test_a_stage_that_the_surface_does_not_know_is_searched_by_the_model(world: World) -> None:
    planned = replace(world, options=replace(world.options, savings_plan="compute-1y"))
    base, with_plan = answer(world), answer(planned)
    assert base.crossover_rps is not None
    assert with_plan.crossover_rps is not None
    assert with_plan.crossover_rps != base.crossover_rps
    assert with_plan.lambda_usd < base.lambda_usd


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2, float("nan")])
def test_wrong_share_is_refused(world: World, share: float) -> None:
    with pytest.raises(InputError, match="must be above 0 and below 1"):
        sensitivity(world, share)
