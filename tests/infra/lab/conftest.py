"""One local AWS for all who wait for minutes in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.lab.aws.local_aws import LocalAws
from tests.conftest import ROOT, absent, require_program
from tests.infra.lab.fast_lab import REGION, FastLab


@pytest.fixture(scope="session")
def fast_lab() -> Iterator[FastLab]:
    require_program("node")
    if not (ROOT / "node_modules" / ".bin" / "cdk").exists():
        absent("the CDK CLI is not installed (npm ci)")
    with LocalAws(REGION, speed=600) as aws:
        yield FastLab(aws)
