"""Overload's verdict, and one short run of it against the real service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import overload
from benchmarks.capacity import Windows


def measured(good_per_s: float, p99_ms: float | None) -> dict[str, Any]:
    loads = {"twice": {"good_per_s": good_per_s, "p99_ms": p99_ms}, "unloaded": {"good_per_s": 20.0, "p99_ms": 1_000.0}}
    return {"capacity": {"rps": 100.0}, "loads": loads}


def test_goodput_is_of_capacity_and_p99_of_the_unloaded() -> None:
    assert overload.verdict(measured(93.0, 1_400.0)) == {"goodput_over_capacity": 0.93, "p99_over_unloaded": 1.4}


def test_a_service_that_answers_nothing_has_no_p99() -> None:
    assert overload.verdict(measured(0.0, None)) == {"goodput_over_capacity": 0.0, "p99_over_unloaded": None}


@pytest.mark.slow
def test_a_short_run_refuses_part_of_twice_the_capacity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"rps": 250.0, "tried": []}  # twice as much is more than a core can serve, and little for the generator
    monkeypatch.setattr(overload, "estimated_capacity", lambda *_, **__: held)
    monkeypatch.setattr(overload, "Windows", lambda **_: Windows(warmup_s=0.3, quoted_s=2.0))
    assert overload.main(["--quick", "--json", str(tmp_path / "overload.json")]) == 0
    document = json.loads((tmp_path / "overload.json").read_text())
    twice = document["loads"]["twice"]
    assert twice["failures"].get("status 503", 0) > 0
    assert twice["p50_ms"] > 0  # some are answered; how many in time is the figure, and the machine's
    assert twice["rps"] == 500.0
