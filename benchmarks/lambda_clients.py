"""What the two runtime clients take on the Lambda lane: AWS's own for Python, and the bundle's on one event loop.

Cold start and CPU of `/healthz` one at a time stand in `cold_start.json`; what many searches at once in one environment take
(Lambda Managed Instances) beside them: AWS's client forks a process for each.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import machine, process_tree
from benchmarks.lambda_code import alb_event
from benchmarks.running import place_for, upstream
from benchmarks.workload import search_paths
from infra.errors import KitError
from infra.lab.lambda_lane import LambdaLane
from infra.lab.managed_runtime import Code

AT_ONCE = 16
"""What AWS gives Python by default for each vCPU (AWS Lambda, "Python runtime for Lambda Managed Instances")."""

POLLS_LIMIT_S = 120.0


async def many_at_once(code: Code, paths: Iterator[str], waves: int) -> dict[str, float | None]:
    """One environment that takes `AT_ONCE` at a time: seconds until it takes that many, memory then and after `waves` of so
    many searches, in MB of 10^6 bytes (shared pages divided among the processes), and CPU ms per search."""
    async with LambdaLane(code, concurrency=1, timeout_s=60.0) as lane:
        began = time.perf_counter()
        await lane.prewarm(1)
        (environment,) = lane.environments
        await environment.wait_for_polls(AT_ONCE, POLLS_LIMIT_S)
        ready_s = time.perf_counter() - began
        idle_mb = process_tree.pss_mb(environment.pid)
        before = lane.cpu_seconds()
        for _ in range(waves):
            for result in await asyncio.gather(*(lane.invoke(alb_event(next(paths))) for _ in range(AT_ONCE))):
                if result.error_type is not None:
                    raise KitError(f"the handler failed: {result.payload.decode()[:300]}")
            await environment.wait_for_polls(AT_ONCE, POLLS_LIMIT_S)
        return {
            "ready_s": round(ready_s, 2),
            "idle_mb": _rounded(idle_mb),
            "served_mb": _rounded(process_tree.pss_mb(environment.pid)),
            "processes": len(process_tree.tree(environment.pid)),
            "cpu_ms": round((lane.cpu_seconds() - before) * 1000 / (waves * AT_ONCE), 3),
        }


def compared(code: Code, waves: int) -> dict[str, Any]:
    """The same searches with AWS's client, which forks, and with the bundle's own."""
    with tempfile.TemporaryDirectory(prefix="crossover-clients-") as folder, upstream(machine.split_cores().rest) as suppliers:
        env = {**code.env, "CROSSOVER_CATALOGUE": os.fspath(place_for(Path(folder), suppliers).catalogue)}
        suppliers.ask("/lognormal?seed=1")
        clients = {
            "aws": replace(code, env=env, concurrency=AT_ONCE),
            "asyncio": replace(code, env=env).with_asyncio_client(AT_ONCE),
        }
        measured = {name: asyncio.run(many_at_once(chosen, search_paths(), waves)) for name, chosen in clients.items()}
    return {"at_once": AT_ONCE, **measured}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
