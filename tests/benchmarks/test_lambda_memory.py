"""What the benchmark of memory sizes makes of its measurements, and what it says where there is no CPU quota to be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import lambda_memory
from infra.errors import KitError


def test_a_sizes_price_is_its_mean_duration_and_the_request() -> None:
    measured = {"init_ms": [200.0, 300.0, 250.0], "duration_ms": [399.5] * 99 + [1_399.5], "cpu_ms": [10.0, 12.0]}
    row = lambda_memory.figures(1_024, measured)
    assert (row["p50_ms"], row["billed_ms"], row["init_ms"], row["cpu_ms"]) == (399.5, 410.0, 250.0, 11.0)
    assert row["cpu_share"] == pytest.approx(0.579, abs=0.001)
    assert row["usd_per_million"] == pytest.approx(0.41 * 13.3334 + 0.2, abs=0.01)


def test_the_other_sizes_are_derived_from_the_one_with_a_whole_cpu_and_the_cheapest_is_named() -> None:
    whole = {"memory_mb": 1_769, "cpu_ms": 20.0, "billed_ms": 400.5, "p99_ms": 1_000.0, "usd_per_million": 9.0}
    half = {"memory_mb": 884, "cpu_ms": 22.0, "billed_ms": 441.0, "p99_ms": 2_600.0, "usd_per_million": 5.0}
    rows = lambda_memory.with_derived([half, whole])
    assert rows[0]["derived_billed_ms"] == pytest.approx(420.5, abs=0.1)  # the 20 ms of CPU take twice as long
    assert rows[0]["derived_p99_ms"] == pytest.approx(1_020, abs=0.1)
    assert rows[0]["measured_over_derived"] == pytest.approx(441 / 420.5, abs=0.001)
    assert (rows[1]["derived_billed_ms"], rows[1]["measured_over_derived"]) == (400.5, 1.0)
    assert lambda_memory.cheapest(rows) == 1_769  # at 884 MB the 99th percentile was over the objective
    assert lambda_memory.cheapest(rows, "derived_") == 884
    assert lambda_memory.cheapest([{**half, "derived_p99_ms": 9_999.0}]) is None


def test_without_control_groups_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lambda_memory, "CGROUPS", tmp_path / "none")
    with pytest.raises(KitError, match="no control group with a CPU quota"), lambda_memory.limited(0.5):
        pass
