"""What the benchmark of memory sizes makes of its measurements, and what it says where there is no CPU quota to be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import lambda_memory
from infra.errors import KitError


def test_a_sizes_price_is_its_mean_duration_and_the_request() -> None:
    row = lambda_memory.figures(1_024, {"init_ms": [200.0, 300.0, 250.0], "duration_ms": [399.5] * 99 + [1_399.5]})
    assert (row["p50_ms"], row["billed_ms"], row["init_ms"]) == (399.5, 410.0, 250.0)
    assert row["cpu_share"] == pytest.approx(0.579, abs=0.001)
    assert row["usd_per_million"] == pytest.approx(0.41 * 13.3334 + 0.2, abs=0.01)


def test_without_control_groups_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lambda_memory, "CGROUPS", tmp_path / "none")
    with pytest.raises(KitError, match="no control group with a CPU quota"), lambda_memory.limited(0.5):
        pass
