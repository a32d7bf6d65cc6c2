"""Writes the counters and the loop's state as Prometheus text (exposition format 0.0.4).

The figures are this process's: of several workers, whichever takes the request answers for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from app.telemetry.counters import BUCKETS_MS, SearchCounters
from app.telemetry.loop_lag import LoopLag

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(counters: SearchCounters, lag: LoopLag) -> str:
    return "\n".join(_lines(counters, lag)) + "\n"


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
