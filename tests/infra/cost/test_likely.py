"""How sure a report is: bands around the exact totals, and how often the cheaper lane stays the cheaper one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from infra.config import Stage
from infra.cost.compare import Comparison, compare
from infra.cost.lane import CostOptions
from infra.cost.likely import WORLDS, Likely, _moves, likely
from infra.cost.model import price_lambda
from infra.cost.prices.book import PriceBook
from infra.cost.profile import Distribution, WorkloadProfile
from infra.cost.reports.findings import likely_sentence
from infra.cost.reports.markdown import render_markdown
from infra.cost.reports.report import report_document
from infra.cost.simulation.draws import Uncertainty, around, draw
from infra.cost.traffic.profile import TrafficProfile, flat_rate


def sure(compared: Comparison) -> Likely:
    return likely(compared.world, compared.lanes, compared.split)


def test_bands_lie_around_the_exact_totals_and_the_answer_is_less_sure_near_the_crossover(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    far = compare(profile, flat_rate(2_000), book, stage, options=options, lambda_percent=70)
    found = sure(far)
    for bill in far.bills:
        band, exact = found.usd_per_month[bill.lane], float(bill.usd_per_month)
        assert band.low < band.typical < band.high
        assert band.typical == pytest.approx(exact, rel=0.05)
    assert found.share == 1
    assert far.crossover.rps is not None
    near = sure(compare(profile, flat_rate(far.crossover.rps * 1.01), book, stage, options=options))
    assert 0.3 < near.share < 0.95
    assert sure(far) == found


MANAGED = {"managed_concurrency": 16, "runtime_client": "asyncio", "memory_mb": 2_048}


@pytest.mark.parametrize(
    "bought",
    [
        {},
        {"provisioned_concurrency": 150, "ephemeral_mb": 4_096},
        {"snap_start": True},
        {"reserved_concurrency": 100},  # beyond which searches are throttled, and priced all the same
        MANAGED,
    ],
    ids=lambda bought: next(iter(bought), "on demand"),
)
def test_however_the_function_is_bought_its_band_is_what_the_bill_would_be_in_those_worlds(
    bought: dict[str, Any], profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    """The exact model is asked in a few of the same worlds: what it moves by is what the simulation moves by."""
    stage = replace(stage, python="3.13", lambda_lane=replace(stage.lambda_lane, **bought))
    day = TrafficProfile(step_s=3600, rates=(100.0,) * 12 + (900.0,) * 12, source="a day")
    compared, given = compare(profile, day, book, stage, options=options), (day, book, stage, options)
    worlds, moves = draw(profile, WORLDS), _moves(compared.world, compared.lambda_lane, draw(profile, WORLDS), day)
    share = 0.1 if bought is MANAGED else 2e-3  # in a simulated year instances linger for a while
    for number in range(1, 6):
        world = msgspec.structs.replace(
            profile.lambda_lane,
            cpu_ms_per_search=1000 * float(worlds.functions.cpu_s[number]),
            wait_ms=1000 * float(worlds.functions.wait_s[number]),
            cold_start_ms=1000 * float(worlds.functions.cold_s[number]),
        )
        exact = price_lambda(msgspec.structs.replace(profile, lambda_lane=world), *given).usd_per_month
        assert moves[number] == pytest.approx(float(exact - compared.lambda_lane.usd_per_month), rel=share, abs=0.5)
    band, month = sure(compared).usd_per_month["lambda"], float(compared.lambda_lane.usd_per_month)
    assert band.low < month < band.high


def test_free_gb_seconds_leave_little_to_be_unsure_of(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    few = compare(profile, flat_rate(0.1), book, stage, options=replace(options, free_tier=True))
    band = sure(few).usd_per_month["lambda"]
    assert band.low == band.high == pytest.approx(float(few.lambda_lane.usd_per_month))


def test_a_split_under_a_plan_has_no_band_and_every_output_says_why(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    planned = replace(options, savings_plan="compute-1y")
    seven = replace(stage, container_lane=replace(stage.container_lane, instance_types=("c7g.large",)))
    compared = compare(profile, flat_rate(500), book, seven, options=planned, lambda_percent=70)
    compared = replace(compared, likely=sure(compared))
    document = report_document(compared)
    assert set(document["likely"]["usd_per_month"]) == {"lambda", "container"}
    assert "both its lanes together" in document["likely"]["unknown"]["split"]
    assert "There is no low and high of the split: a savings plan covers both" in str(likely_sentence(compared))
    assert "| not computed |" in render_markdown(document)
    assert "on the Lambda lane" in str(likely_sentence(compared))


def test_a_noisy_measurement_widens_the_bands_and_more_samples_narrow_them(profile: WorkloadProfile) -> None:
    def measured(samples: int) -> Uncertainty:
        told = Distribution(samples, 30.0, p5=15.0, p50=30.0, p95=60.0, p99=60.0, highest=60.0)
        return around(msgspec.structs.replace(profile, lab={"lambda": {"cpu_ms": told, "duration_ms": told}}))

    assumed = around(profile)
    assert assumed == Uncertainty()
    few, many = measured(10), measured(10_000)
    # ln 4 between the 5th and the 95th percentile is 0.4214 of one standard deviation; by the root of ten 0.1332
    assert few.cpu == pytest.approx((0.15**2 + 0.1332**2) ** 0.5, abs=1e-3)
    assert few.wait > many.wait > assumed.wait
    assert many.cpu == pytest.approx(assumed.cpu, rel=1e-3)
