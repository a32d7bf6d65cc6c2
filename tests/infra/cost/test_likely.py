"""How sure a report is: bands around the exact totals, and how often the cheaper lane stays the cheaper one."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from infra.config import Stage
from infra.cost.compare import compare
from infra.cost.lane import CostOptions
from infra.cost.likely import likely
from infra.cost.prices.book import PriceBook
from infra.cost.profile import Distribution, WorkloadProfile
from infra.cost.simulation.draws import Uncertainty, around
from infra.cost.traffic.profile import flat_rate


def test_bands_lie_around_the_exact_totals_and_the_answer_is_less_sure_near_the_crossover(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    far = compare(profile, flat_rate(2_000), book, stage, options=options)
    found = likely(far.world, far.lanes)
    assert found is not None
    for lane in far.lanes:
        band, exact = found.usd_per_month[lane.lane], float(lane.usd_per_month)
        assert band.low < band.typical < band.high
        assert band.typical == pytest.approx(exact, rel=0.05)
    assert found.share == 1
    assert far.crossover.rps is not None
    by_it = compare(profile, flat_rate(far.crossover.rps * 1.01), book, stage, options=options)
    near = likely(by_it.world, by_it.lanes)
    assert near is not None
    assert 0.3 < near.share < 0.95
    assert likely(far.world, far.lanes) == found


def test_what_the_simulation_does_not_price_has_no_band(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    warm = replace(stage, lambda_lane=replace(stage.lambda_lane, provisioned_concurrency=5))
    compared = compare(profile, flat_rate(10), book, warm, options=options)
    assert likely(compared.world, compared.lanes) is None


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
