"""Writes the counters and the loop's state as Prometheus text (exposition format 0.0.4).

The figures are this process's: of several workers, whichever takes the request answers for itself, and says which it is.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from itertools import chain

from app.telemetry.counters import SearchCounters
from app.telemetry.loop_lag import LoopLag
from app.telemetry.metrics import Metrics, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(counters: SearchCounters, lag: LoopLag, metrics: Metrics) -> str:
    samples = chain([_process()], all_samples(counters, lag, metrics))
    return "\n".join([*_durations(counters), *_lines(samples)]) + "\n"


def all_samples(counters: SearchCounters, lag: LoopLag, metrics: Metrics) -> Iterator[Sample]:
    """Every figure of this process but the histograms."""
    return chain(counters.samples(), lag.samples(), _tasks(), metrics.samples())


def _durations(counters: SearchCounters) -> Iterator[str]:
    yield from _head("crossover_search_duration_milliseconds", "Time of whole searches.")
    yield from counters.durations.lines("crossover_search_duration_milliseconds")
    name = "crossover_supplier_duration_milliseconds"
    yield from _head(name, "Time of calls to each supplier, until they were answered, failed or given up.")
    for supplier, series in sorted(counters.supplier_durations.items()):
        yield from series.lines(name, f'supplier="{supplier}"')


def _head(name: str, about: str) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} histogram"


def _process() -> Sample:
    """What tells one worker's figures from another's."""
    return Sample("crossover_worker_process", "gauge", "Process id of the worker that answers.", os.getpid())


def _tasks() -> Iterator[Sample]:
    yield Sample("crossover_tasks_alive", "gauge", "Tasks on the event loop.", len(asyncio.all_tasks()))


def _lines(samples: Iterable[Sample]) -> Iterator[str]:
    """All samples of one name stand together, as the format asks."""
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(sample.name, []).append(sample)
    for name, same in by_name.items():
        yield f"# HELP {name} {same[0].help}"
        yield f"# TYPE {name} {same[0].kind}"
        for sample in same:
            labels = ",".join(f'{label}="{value}"' for label, value in sample.labels)
            value = f"{sample.value:.15g}"  # a count stays exact
            yield f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"
