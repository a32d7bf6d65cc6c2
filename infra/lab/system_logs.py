"""What Lambda itself writes of an invocation with JSON logging, as the stacks set it: CloudWatch bills it by the byte.

Shapes: AWS Lambda, "Telemetry API Event schema reference". Counted are start and report, what a good invocation leaves at INFO.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from infra.lab.lambda_lane import InvokeResult


def system_logs(result: InvokeResult, memory_mb: int) -> list[str]:
    """The two lines of one invocation."""
    metrics: dict[str, float] = {
        "durationMs": round(result.duration_ms, 3),
        "billedDurationMs": result.billed_ms,
        "memorySizeMB": memory_mb,
    }
    if result.max_memory_mb is not None:
        metrics["maxMemoryUsedMB"] = round(result.max_memory_mb)
    if result.init_ms is not None:
        metrics["initDurationMs"] = round(result.init_ms, 3)
    started = {"requestId": result.request_id, "version": "1"}
    status = "success" if result.error_type is None else "error"
    return [
        _line("platform.start", started),
        _line("platform.report", {"requestId": result.request_id, "metrics": metrics, "status": status}),
    ]


def _line(kind: str, record: dict[str, Any]) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": now, "type": kind, "record": record}, separators=(",", ":"))
