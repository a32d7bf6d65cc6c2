"""A stage that has everything the bill can have, compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.config import Cache, Stage
from infra.cost.compare import Comparison, compare
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.traffic.profile import flat_rate


@pytest.fixture(scope="session")
def everything(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> Comparison:
    full = replace(
        stage,
        secret="prod/suppliers",
        network=replace(stage.network, egress="nat_gateway"),
        traffic=replace(stage.traffic, waf=True),
        cache=Cache(kind="serverless"),
        search=replace(stage.search, emf_s=10),
        lambda_lane=replace(stage.lambda_lane, provisioned_concurrency=40, snap_start=False),
    )
    return compare(profile, flat_rate(120.0), book, full, options=options)
