"""Carbon by hand, and only where it was asked for and the source has the grid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.config import Stage
from infra.cost.carbon import carbon
from infra.cost.compare import compare
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.reports.report import report_document
from infra.cost.traffic.profile import flat_rate
from infra.errors import InputError


def test_carbon_by_hand(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    """1,000/s: 407.5 environments of one vCPU, 7 of them busy; 5 instances of 2 vCPU, 6 of the 10 busy."""
    on_lambda, on_containers = carbon(compare(profile, flat_rate(1000), book, stage, options=options))
    assert on_lambda.vcpu_hours == pytest.approx(407.5 * 730)
    assert on_lambda.kwh == pytest.approx((407.5 * 0.74 + 7 * 2.76) * 730 * 1.135 / 1000)
    assert on_containers.kwh == pytest.approx((10 * 0.74 + 6 * 2.76) * 730 * 1.135 / 1000)
    assert on_containers.kg_co2e == pytest.approx(on_containers.kwh * 0.379069)


def test_it_is_in_the_report_where_it_was_asked_for(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    plain = report_document(compare(profile, flat_rate(10), book, stage, options=options))
    assert plain["carbon"] is None
    asked = report_document(compare(profile, flat_rate(10), book, stage, options=replace(options, carbon=True)))
    assert "Cloud Carbon Footprint" in asked["carbon"]["source"]
    assert set(asked["carbon"]["lanes"]) == {"lambda", "container"}


def test_a_grid_that_the_source_does_not_have_is_refused(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    elsewhere, there = replace(stage, region="il-central-1"), replace(book, region="il-central-1")
    with pytest.raises(InputError, match="has no factor of il-central-1; it has: af-south-1"):
        carbon(compare(profile, flat_rate(1), there, elsewhere, options=options))
