"""Writes the counters and the loop's state as Prometheus text (exposition format 0.0.4).

The figures are this process's: of several workers, whichever takes the request answers for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from app.telemetry.counters import BUCKETS_MS, SearchCounters
from app.telemetry.loop_lag import LoopLag
from app.telemetry.metrics import Metrics, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(counters: SearchCounters, lag: LoopLag, metrics: Metrics) -> str:
    return "\n".join([*_lines(counters, lag), *_sample_lines(metrics)]) + "\n"


def _lines(counters: SearchCounters, lag: LoopLag) -> Iterator[str]:
    yield "# HELP crossover_search_duration_milliseconds Time of whole searches."
    yield "# TYPE crossover_search_duration_milliseconds histogram"
    for bound, count in zip(BUCKETS_MS, counters.elapsed_buckets, strict=True):
        yield f'crossover_search_duration_milliseconds_bucket{{le="{bound}"}} {count}'
    yield f'crossover_search_duration_milliseconds_bucket{{le="+Inf"}} {counters.searches}'
    yield f"crossover_search_duration_milliseconds_sum {counters.elapsed_ms_sum:.3f}"
    yield f"crossover_search_duration_milliseconds_count {counters.searches}"
    yield "# HELP crossover_searches_in_flight Searches that are being answered now."
    yield "# TYPE crossover_searches_in_flight gauge"
    yield f"crossover_searches_in_flight {counters.in_flight}"
    yield "# HELP crossover_searches_abandoned_total Searches whose caller went away before the answer."
    yield "# TYPE crossover_searches_abandoned_total counter"
    yield f"crossover_searches_abandoned_total {counters.abandoned}"
    yield "# HELP crossover_supplier_outcomes_total What became of asking each supplier."
    yield "# TYPE crossover_supplier_outcomes_total counter"
    for (supplier, status), count in sorted(counters.outcomes.items()):
        yield f'crossover_supplier_outcomes_total{{supplier="{supplier}",status="{status}"}} {count}'
    yield "# HELP crossover_event_loop_lag_milliseconds How late the event loop runs its timers, last minute."
    yield "# TYPE crossover_event_loop_lag_milliseconds gauge"
    for quantile in (0.5, 0.99, 1.0):
        value = lag.quantile_ms(quantile)
        if value is not None:
            yield f'crossover_event_loop_lag_milliseconds{{quantile="{quantile:g}"}} {value:.3f}'
    yield "# HELP crossover_tasks_alive Tasks on the event loop."
    yield "# TYPE crossover_tasks_alive gauge"
    yield f"crossover_tasks_alive {len(asyncio.all_tasks())}"


def _sample_lines(metrics: Metrics) -> Iterator[str]:
    """The parts' samples; all of one name stand together, as the format asks."""
    by_name: dict[str, list[Sample]] = {}
    for sample in metrics.samples():
        by_name.setdefault(sample.name, []).append(sample)
    for name, samples in by_name.items():
        yield f"# HELP {name} {samples[0].help}"
        yield f"# TYPE {name} {samples[0].kind}"
        for sample in samples:
            labels = ",".join(f'{label}="{value}"' for label, value in sample.labels)
            yield f"{name}{{{labels}}} {sample.value:g}" if labels else f"{name} {sample.value:g}"
