"""The telemetry benchmark compares a service that tells nothing with ones that do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import telemetry
from tests.conftest import ROOT

ONE_SEARCH = """
import asyncio, httpx
from benchmarks.service_telemetry import app
from tests.fakes import future_search

async def main():
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await client.get(future_search(), timeout=20)
        await asyncio.sleep(0.2)
        print((await client.get("/metrics")).text)

asyncio.run(main())
"""


@pytest.mark.parametrize(("name", "counted"), [("none", False), ("shipped", True), ("all", True)])
def test_the_service_without_telemetry_counts_nothing_and_the_others_do(name: str, counted: bool) -> None:
    environment = {**os.environ, "BENCH_TELEMETRY": name, "CROSSOVER_SUPPLIERS_URL": "http://127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-c", ONE_SEARCH], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ("crossover_search_duration_milliseconds_count 1" in done.stdout.splitlines()) is counted
    assert ("crossover_supplier_outcomes_total{" in done.stdout) is counted
    assert ("crossover_event_loop_lag_milliseconds{" in done.stdout) is counted


@pytest.mark.slow
def test_one_short_round_measures_every_variant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "RPS", 20.0)
    assert telemetry.main(["--quick", "--json", str(tmp_path / "telemetry.json")]) == 0
    document = json.loads((tmp_path / "telemetry.json").read_text())
    assert set(document["variants"]) == {"none", "shipped", "all"}
    assert {name: set(ratios) for name, ratios in document["over_none"].items()} == {
        name: {"fixed_rate", "saturation"} for name in ("shipped", "all")
    }
    assert document["collector_requests"] > 0, "a tenth of some hundred searches is traced"
    for measured in document["variants"].values():
        assert measured["fixed_rate"]["searches"] > 10 and measured["saturation"]["offers_share"] > 0.9
