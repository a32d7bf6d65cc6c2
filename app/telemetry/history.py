"""The last minutes, as frames taken every few seconds, and what they tell: rates, latencies, one row per supplier.

Frames hold running totals; whatever is shown is the difference of two of them, so that taking one costs a copy and nothing is
counted twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from app.telemetry.counters import SearchCounters
from app.telemetry.histogram import quantile_ms
from app.telemetry.metrics import Sample

FRAME_S = 2.0
WINDOW = 30
"""Frames that rates and quantiles are taken over: one minute."""

SERIES = 150
"""Frames whose figures are kept: five minutes."""

SHOWN = ("searches_per_s", "p99_ms", "in_flight", "lag_p99_ms", "shed")

Labels = tuple[tuple[str, str], ...]


class Frame(NamedTuple):
    """Running totals at one moment of the loop's clock; `values` by name and labels."""

    at: float
    values: dict[str, dict[Labels, float]]
    durations: tuple[int, ...]
    supplier_durations: dict[str, tuple[int, ...]]


class History:
    """Takes a frame every `FRAME_S` while started. `samples` gives every figure of the process."""

    def __init__(self, counters: SearchCounters, samples: Callable[[], Iterable[Sample]]) -> None:
        self._counters = counters
        self._samples = samples
        self._frames: deque[Frame] = deque(maxlen=WINDOW)
        self._told: deque[dict[str, float | None]] = deque(maxlen=SERIES)
        self._timer: asyncio.TimerHandle | None = None
        self._listener: Callable[[], None] | None = None

    def start(self, listener: Callable[[], None] | None = None) -> None:
        """Begin on the running loop; `listener` is called after each frame."""
        self._listener = listener
        self._take()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def frame(self) -> Frame:
        """A frame of now, not kept."""
        counters = self._counters
        values: dict[str, dict[Labels, float]] = {}
        for sample in self._samples():
            values.setdefault(sample.name, {})[sample.labels] = sample.value
        return Frame(
            asyncio.get_running_loop().time(),
            values,
            tuple(counters.durations.counts),
            {supplier: tuple(series.counts) for supplier, series in counters.supplier_durations.items()},
        )

    def view(self) -> dict[str, Any]:
        """What a page shows: the last minute, and series over the last five; unknown is `None`."""
        now = self.frame()
        series = {name: [figures[name] for figures in self._told] for name in SHOWN}
        return {"frame_s": FRAME_S, "series": series, **tell(self._frames[0] if self._frames else now, now)}

    def _take(self) -> None:
        frame = self.frame()
        if self._frames:
            self._told.append(_figures(self._frames[-1], frame))
        self._frames.append(frame)
        if self._listener is not None:
            self._listener()
        self._timer = asyncio.get_running_loop().call_later(FRAME_S, self._take)


def tell(before: Frame, now: Frame) -> dict[str, Any]:
    """What happened between two frames: the service's figures and a row per supplier; unknown is `None`."""
    return {
        "window_s": round(now.at - before.at, 1),
        "now": _figures(before, now),
        "suppliers": _suppliers(before, now),
    }


def _figures(before: Frame, now: Frame) -> dict[str, float | None]:
    seconds = now.at - before.at
    durations = _less(now.durations, before.durations)
    lag = {labels[0][1]: value for labels, value in now.values.get("crossover_event_loop_lag_milliseconds", {}).items()}
    return {
        "searches": sum(durations),
        "searches_per_s": round(sum(durations) / seconds, 2) if seconds > 0 else None,
        "p50_ms": _rounded(quantile_ms(durations, 0.5)),
        "p99_ms": _rounded(quantile_ms(durations, 0.99)),
        "in_flight": _total(now, "crossover_searches_in_flight"),
        "tasks": _total(now, "crossover_tasks_alive"),
        "admission_limit": _total(now, "crossover_admission_limit"),
        "lag_p50_ms": lag.get("0.5"),
        "lag_p99_ms": lag.get("0.99"),
        "lag_max_ms": lag.get("1"),
        "shed": _sum(before, now, "crossover_searches_shed_total"),
        "hedged": _sum(before, now, "crossover_hedged_calls_total"),
        "retried": _sum(before, now, "crossover_retries_total", ("made", "yes")),
        "kept_answers": _sum(before, now, "crossover_kept_answers_total"),
        "joined": _sum(before, now, "crossover_searches_joined_total"),
        "pool_idle": _total(now, "crossover_pool_connections", ("state", "idle")),
        "pool_busy": _total(now, "crossover_pool_connections", ("state", "busy")),
    }


def _suppliers(before: Frame, now: Frame) -> list[dict[str, Any]]:
    states = {labels[0][1]: labels[1][1] for labels, on in now.values.get("crossover_breaker_state", {}).items() if on}
    outcomes: dict[str, Counter[str]] = {supplier: Counter() for supplier in states}
    known = before.values.get("crossover_supplier_outcomes_total", {})
    for labels, value in now.values.get("crossover_supplier_outcomes_total", {}).items():
        (_, supplier), (_, status) = labels
        outcomes.setdefault(supplier, Counter())[status] += int(value - known.get(labels, 0))
    rows = []
    for supplier, counted in outcomes.items():
        nothing = (0,) * len(now.durations)
        durations = _less(now.supplier_durations.get(supplier, nothing), before.supplier_durations.get(supplier, nothing))
        rows.append(
            {
                "id": supplier,
                "breaker": states.get(supplier),
                "calls": sum(durations),
                "p50_ms": _rounded(quantile_ms(durations, 0.5)),
                "p95_ms": _rounded(quantile_ms(durations, 0.95)),
                "outcomes": {status: count for status, count in counted.items() if count},
                "hedged": _sum(before, now, "crossover_hedged_calls_total", ("supplier", supplier)),
                "retried": _sum(before, now, "crossover_retries_total", ("supplier", supplier), ("made", "yes")),
            }
        )
    return rows


def _less(now: tuple[int, ...], before: tuple[int, ...]) -> list[int]:
    return [a - b for a, b in zip(now, before, strict=True)]


def _sum(before: Frame, now: Frame, name: str, *labels: tuple[str, str]) -> float:
    """How much the counters of this name, with these labels among theirs, have grown."""
    return _total(now, name, *labels) - _total(before, name, *labels)


def _total(frame: Frame, name: str, *labels: tuple[str, str]) -> float:
    values = frame.values.get(name, {})
    return sum(value for theirs, value in values.items() if all(label in theirs for label in labels))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
