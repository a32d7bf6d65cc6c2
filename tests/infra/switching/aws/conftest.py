"""One stage in moto for all of these tests, put back for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infra.switching.aws.moto_stage import MotoStage, aws_in_moto, deploy


@pytest.fixture(scope="package")
def cloud() -> Iterator[MotoStage]:
    with aws_in_moto():
        yield deploy()


@pytest.fixture
def stage(cloud: MotoStage) -> MotoStage:
    return cloud.restore()
