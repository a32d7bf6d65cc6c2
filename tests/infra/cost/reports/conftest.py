"""A stage that has everything the bill can have, compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infra.config import Cache, Stage
from infra.cost.compare import Comparison, compare
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.traffic.profile import flat_rate


@pytest.fixture(scope="session")
def billed() -> dict[str, Any]:
    """What `crossover cost actuals --json` prints, of one line and a credit."""
    line = {"name": "EC2 on demand", "estimated_usd": "600", "billed_usd": "662.54", "change_usd": "62.54"}
    return {
        "schema": 1,
        "source": "cur.csv (CUR 2.0)",
        "stage": "prod",
        "lane": "container",
        "basis": "amortized",
        "first_day": "2026-10-01",
        "last_day": "2026-10-31",
        "estimated_usd": "600",
        "billed_usd": "650.04",
        "lines": [{**line, "rate_usd": "2.54", "volume_usd": "60", "mix_usd": "0"}],
        "unexplained": [{"what": "AmazonEC2", "why": "<b>a credit", "usd": "-12.50"}],
        "forecast": {"usd": "950", "so_far_usd": "650.04", "method": "the month is over"},
        "budget": {"usd": "900", "over": True},
        "calibration": {"cpu_scale": "1.5", "was": "1", "why": "instance-hours"},
        "no_calibration": None,
    }


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
