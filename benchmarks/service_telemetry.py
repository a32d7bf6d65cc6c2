"""The service that benchmarks.telemetry measures: as it is, or with what is always on taken out (BENCH_TELEMETRY=none)."""

from __future__ import annotations

import os

from app.bootstrap import create_app
from app.telemetry.counters import SearchCounters
from app.telemetry.loop_lag import LoopLag

if os.environ["BENCH_TELEMETRY"] == "none":
    SearchCounters.search_finished = lambda *_: None  # type: ignore[method-assign]
    LoopLag.start = lambda self: None  # type: ignore[method-assign]

app = create_app()
