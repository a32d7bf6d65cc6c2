"""The Prometheus text: samples of one name stand together, and counts are exact however large."""

from __future__ import annotations

from app.telemetry.counters import SearchCounters
from app.telemetry.exposition import render
from app.telemetry.loop_lag import LoopLag
from app.telemetry.metrics import Metrics, Sample


async def test_counts_are_exact_and_one_names_samples_stand_together() -> None:
    metrics = Metrics()
    metrics.add(lambda: [Sample("calls_total", "counter", "Calls.", 12_345_678_901, (("supplier", "a"),))])
    metrics.add(lambda: [Sample("other", "gauge", "Other.", 0.25)])
    metrics.add(lambda: [Sample("calls_total", "counter", "Calls.", 2, (("supplier", "b"),))])
    lines = render(SearchCounters(), LoopLag(), metrics).splitlines()
    at = lines.index("# TYPE calls_total counter")
    assert lines[at + 1 : at + 3] == ['calls_total{supplier="a"} 12345678901', 'calls_total{supplier="b"} 2']
    assert "other 0.25" in lines
