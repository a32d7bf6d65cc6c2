"""The telemetry benchmark compares a service that tells nothing with ones that do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import telemetry


@pytest.mark.slow
def test_one_short_round_measures_every_variant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "RPS", 20.0)
    assert telemetry.main(["--quick", "--json", str(tmp_path / "telemetry.json")]) == 0
    document = json.loads((tmp_path / "telemetry.json").read_text())
    assert set(document["variants"]) == {"none", "shipped", "all"}
    for name in ("shipped", "all"):
        assert document["over_none"][name]["saturation"] > 0.5
    for measured in document["variants"].values():
        assert measured["fixed_rate"]["searches"] > 10 and measured["saturation"]["offers_share"] > 0.9
