"""The last minutes: rates and quantiles of what happened since, one row per supplier, and the line for CloudWatch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest

from app.core.models import OutcomeStatus, SupplierOutcome
from app.telemetry.counters import SearchCounters
from app.telemetry.emf import UNITS, Reporter, document
from app.telemetry.histogram import BOUNDS_MS, Series, quantile_ms
from app.telemetry.history import History
from app.telemetry.metrics import Sample


def outcome(supplier: str, status: OutcomeStatus, elapsed_ms: float, **more: Any) -> SupplierOutcome:
    return SupplierOutcome(supplier, status, elapsed_ms, **more)


class World:
    def __init__(self) -> None:
        self.counters = SearchCounters()
        self.hedged = 0
        self.history = History(self.counters, self.samples)

    def samples(self) -> Iterable[Sample]:
        yield from self.counters.samples()
        for supplier in ("a", "b"):
            state = ("supplier", supplier), ("state", "open" if supplier == "b" else "closed")
            yield Sample("crossover_breaker_state", "gauge", "", 1, state)
        yield Sample("crossover_hedged_calls_total", "counter", "", self.hedged, (("supplier", "a"),))

    def search(self) -> None:
        slow = outcome("a", OutcomeStatus.OK, 120)
        self.counters.search_finished(130, (slow, outcome("b", OutcomeStatus.HELD_BACK, 0)))


async def test_what_is_told_is_what_happened_since_the_first_frame_kept() -> None:
    world = World()
    for _ in range(5):
        world.search()
    world.history.start()
    await asyncio.sleep(0.05)
    for _ in range(10):
        world.search()
    world.hedged = 3
    view = world.history.view()
    world.history.stop()
    a, b = view["suppliers"]
    assert (a["id"], a["breaker"], a["calls"], a["outcomes"], a["hedged"]) == ("a", "closed", 10, {"ok": 10}, 3)
    assert 100 < a["p50_ms"] <= 150
    assert (b["breaker"], b["calls"], b["p50_ms"], b["outcomes"]) == ("open", 0, None, {"held_back": 10})
    assert view["now"]["searches_per_s"] == pytest.approx(10 / view["window_s"], rel=1)
    assert view["now"]["lag_p99_ms"] is None, "unknown is not zero"


async def test_answers_used_again_are_no_calls() -> None:
    world = World()
    world.counters.search_finished(1, (outcome("a", OutcomeStatus.OK, 120, cached_age_ms=5.0),))
    assert world.history.view()["suppliers"][0]["calls"] == 0
    assert not world.counters.outcomes


async def test_the_line_for_cloudwatch_follows_its_specification() -> None:
    world = World()
    world.history.start()
    world.search()
    line = document(world.history.view(), lane="container", at_ms=1_800_000_000_000)
    world.history.stop()
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    told = json.loads(line)
    directive = told["_aws"]["CloudWatchMetrics"][0]
    assert told["_aws"]["Timestamp"] == 1_800_000_000_000
    assert directive["Dimensions"] == [["lane"]] and told["lane"] == "container"
    for metric in directive["Metrics"]:
        assert isinstance(told[metric["Name"]], int | float), metric
        assert metric["Unit"] == UNITS[metric["Name"]]
    named = {metric["Name"] for metric in directive["Metrics"]}
    assert "search_p99" in named
    assert "loop_lag_p99" not in named | told.keys(), "unknown is left out"
    assert (told["supplier_calls"], told["supplier_failures"], told["suppliers"]["b"]) == (1, 1, {"held_back": 1})


async def test_lines_are_written_as_often_as_asked() -> None:
    world, lines, now = World(), list[bytes](), 100.0
    reporter = Reporter(world.history, lines.append, lane="lambda", every_s=60, clock=lambda: now)
    for now in (130.0, 159.0, 160.0, 161.0, 219.0, 221.0):  # noqa: B007
        reporter.due()
    assert len(lines) == 2


@pytest.mark.parametrize("every_s", [1, 10, 300])
async def test_each_search_is_counted_once_however_often_lines_are_written(every_s: float) -> None:
    world, lines, now = World(), list[bytes](), 0.0
    reporter = Reporter(world.history, lines.append, lane="lambda", every_s=every_s, clock=lambda: now)
    world.history.start(reporter.due)
    for _ in range(1_200):
        now += 0.5
        world.search()
        reporter.due()
    world.history.stop()
    told = [json.loads(line) for line in lines]
    assert len(told) == 600 / every_s
    assert sum(line["searches"] for line in told) == sum(line["supplier_calls"] for line in told) == 1_200


def test_quantiles_are_read_off_the_buckets() -> None:
    series = Series()
    assert quantile_ms(series.counts, 0.5) is None
    for elapsed_ms in (10, 20, 110, 140, 10_000):
        series.add(elapsed_ms)
    assert 100 < (quantile_ms(series.counts, 0.5) or 0) <= 150
    assert quantile_ms(series.counts, 1.0) == BOUNDS_MS[-1]
    lines = list(series.lines("x", 'supplier="a"'))
    assert lines[0] == 'x_bucket{supplier="a",le="25"} 2'
    assert lines[-3:] == ['x_bucket{supplier="a",le="+Inf"} 5', 'x_sum{supplier="a"} 10280.000', 'x_count{supplier="a"} 5']
