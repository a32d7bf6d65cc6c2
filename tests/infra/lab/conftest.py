"""Local AWSs whose minutes pass fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.lab.aws.local_aws import LocalAws
from tests.conftest import ROOT, absent, require_program
from tests.infra.lab.fast_lab import REGION, FastLab


@pytest.fixture(scope="session")
def fast_lab() -> Iterator[FastLab]:
    """A minute is a tenth of a second."""
    with _lab(600) as lab:
        yield lab


@pytest.fixture(scope="module")
def switching_lab() -> Iterator[FastLab]:
    """A minute is a second: a switch gives its writes two minutes, which a busy machine may need."""
    with _lab(60) as lab:
        yield lab


@contextmanager
def _lab(speed: float) -> Iterator[FastLab]:
    require_program("node")
    if not (ROOT / "node_modules" / ".bin" / "cdk").exists():
        absent("the CDK CLI is not installed (npm ci)")
    with LocalAws(REGION, speed=speed) as aws:
        yield FastLab(aws)
