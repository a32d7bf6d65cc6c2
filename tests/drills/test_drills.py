"""Every drill in its short form, on one live stage: what may go wrong while traffic moves."""

from __future__ import annotations

import pytest

from infra.lab.drills.catalogue import DRILLS
from tests.drills.conftest import RunDrill


@pytest.mark.slow
@pytest.mark.parametrize("name", [drill.name for drill in DRILLS])
def test_a_drill_ends_as_it_must(name: str, run_drill: RunDrill, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print()
        run_drill(name)
