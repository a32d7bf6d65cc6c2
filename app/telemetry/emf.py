"""CloudWatch's embedded metric format: one JSON line a minute on standard output, which the log agent of either lane turns into
metrics. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

Every metric costs money each month, so only the service's own figures are metrics, by lane; the suppliers' are plain fields of
the line, which Logs Insights can ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from app.telemetry.history import Frame, History, tell

NAMESPACE = "Crossover"
UNITS = {
    "searches": "Count",
    "search_p50": "Milliseconds",
    "search_p99": "Milliseconds",
    "in_flight": "Count",
    "tasks": "Count",
    "loop_lag_p99": "Milliseconds",
    "loop_lag_max": "Milliseconds",
    "shed": "Count",
    "hedged": "Count",
    "retried": "Count",
    "kept_answers": "Count",
    "supplier_calls": "Count",
    "supplier_failures": "Count",
}
FINE = ("ok", "skipped")


def document(told: Mapping[str, Any], *, lane: str, at_ms: int) -> bytes:
    """One line of what `app.telemetry.history.tell` told; a figure that is unknown is left out, not zero."""
    now, suppliers = told["now"], told["suppliers"]
    counts = {row["id"]: row["outcomes"] for row in suppliers if row["outcomes"]}
    figures = {
        "searches": now["searches"],
        "search_p50": now["p50_ms"],
        "search_p99": now["p99_ms"],
        "in_flight": now["in_flight"],
        "tasks": now["tasks"],
        "loop_lag_p99": now["lag_p99_ms"],
        "loop_lag_max": now["lag_max_ms"],
        "shed": now["shed"],
        "hedged": now["hedged"],
        "retried": now["retried"],
        "kept_answers": now["kept_answers"],
        "supplier_calls": sum(row["calls"] for row in suppliers),
        "supplier_failures": sum(
            count for outcomes in counts.values() for status, count in outcomes.items() if status not in FINE
        ),
    }
    known = {name: value for name, value in figures.items() if value is not None}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["lane"]],
        "Metrics": [{"Name": name, "Unit": UNITS[name]} for name in known],
    }
    about = {"_aws": {"Timestamp": at_ms, "CloudWatchMetrics": [directive]}, "lane": lane}
    return msgspec.json.encode({**about, **known, "suppliers": counts}) + b"\n"


class Reporter:
    """Writes a line with `write` each time `due` is called and `every_s` have passed since the last one, by `clock`. A line
    tells of what happened since the one before it: each search counts once, however often lines are written."""

    def __init__(
        self, history: History, write: Callable[[bytes], object], *, lane: str, every_s: float, clock: Callable[[], float]
    ) -> None:
        self._history = history
        self._write = write
        self._lane = lane
        self._every_s = every_s
        self._clock = clock
        self._last = clock()
        self._before: Frame | None = None

    def due(self) -> None:
        now = self._clock()
        if self._before is None:
            self._before = self._history.frame()
        if now - self._last >= self._every_s:
            before, self._before = self._before, self._history.frame()
            self._last = now
            self._write(document(tell(before, self._before), lane=self._lane, at_ms=int(now * 1000)))
