"""Hedging's benchmark: compared at equal completeness only, and measured on real Lambda environments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import hedging
from benchmarks.hedging import equals, figures
from benchmarks.workload import OFFERS_A_SEARCH, SUPPLIERS
from infra.errors import KitError
from infra.lab.lambda_lane import InvokeResult


def row(mode: str, deadline_ms: int, billed_ms: float, offers_share: float) -> dict[str, Any]:
    return {
        "hedging": mode,
        "deadline_ms": deadline_ms,
        "p50_ms": billed_ms,
        "p99_ms": 2 * billed_ms,
        "billed_ms": billed_ms,
        "offers_share": offers_share,
    }


def test_a_cheaper_lane_that_answers_less_is_no_saving() -> None:
    rows = [row("off", 1500, 400.0, 0.9997), row("on", 1500, 380.0, 0.9999), row("on", 500, 200.0, 0.97)]
    (pair,) = equals(rows)
    assert (pair["on_deadline_ms"], pair["billed_ms"]) == (1500, 0.95)


def test_the_cheapest_of_those_as_complete_is_compared() -> None:
    rows = [row("off", 500, 300.0, 0.97), row("on", 1500, 380.0, 0.9999), row("on", 500, 210.0, 0.981)]
    (pair,) = equals(rows)
    assert (pair["off_deadline_ms"], pair["on_deadline_ms"], pair["billed_ms"]) == (500, 500, 0.7)


def test_figures_count_offers_and_extra_calls() -> None:
    body = json.dumps({"hotels": [{"offers": [0] * (OFFERS_A_SEARCH // 2)}]})
    payload = json.dumps({"statusCode": 200, "body": body}).encode()
    results = [InvokeResult("id", 200, payload, duration, int(duration) + 1, None, None) for duration in (100.4, 200.4)]
    found = figures(results, calls=2 * SUPPLIERS + 4)
    assert (found["offers_share"], found["extra_calls"], found["billed_ms"]) == (0.5, round(4 / (2 * SUPPLIERS), 4), 151.0)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (
            InvokeResult("id", 200, b'{"errorType": "Sandbox.Timedout"}', 10_000.0, 10_000, None, None, "Sandbox.Timedout"),
            'a search\'s invocation failed: {"errorType": "Sandbox.Timedout"}',
        ),
        (
            InvokeResult("id", 200, b'{"statusCode": 503, "body": "busy"}', 1.0, 1, None, None),
            "a search was answered 503: busy",
        ),
    ],
)
def test_a_search_that_failed_is_said_in_one_line(result: InvokeResult, said: str) -> None:
    with pytest.raises(KitError) as failed:
        figures([result], calls=SUPPLIERS)
    assert str(failed.value) == said


@pytest.mark.slow
def test_it_runs_on_real_environments_and_writes_what_it_found(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hedging, "QUICK", hedging.Amount(1, 2))
    monkeypatch.setattr(hedging, "ENVIRONMENTS", 1)
    assert hedging.main(["--quick", "--json", str(tmp_path / "hedging.json")]) == 0
    document = json.loads((tmp_path / "hedging.json").read_text())
    off, on = document["rows"]
    assert (off["hedging"], on["hedging"]) == ("off", "on")
    assert off["searches"] == on["searches"] == 2
    assert off["offers_share"] > 0.9 and off["extra_calls"] == 0.0
    assert off["billed_ms"] >= 50
