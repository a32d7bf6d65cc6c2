"""What the Lambda lane pays for the framework: cold start, and CPU per invocation, beside a bare runtime client.

    python -m benchmarks.cold_start [--quick] [--rounds 11] [--json benchmarks/out/cold_start.json]

Cold start is from spawning the runtime client to its first poll of the Runtime API's `/next`, of the service's bundle under
AWS's client and under its own (asyncio), and of an empty handler under AWS's, in turn. CPU is of `/healthz`, one request at a
time, on the Lambda lane (ALB events) under both clients, with an empty handler, and on uvicorn. Then 16 searches at once in one
environment under both clients (`benchmarks/lambda_clients.py`). Builds the bundle for this machine where there is none. Exit
code 0: measured; 1: cannot (says why).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from benchmarks import machine, process_tree
from benchmarks.command import OUT, parse, run, say, write
from benchmarks.lambda_clients import AT_ONCE, compared
from benchmarks.lambda_code import alb_event, local_code
from benchmarks.load import Target
from infra.bundle import Bundle
from infra.errors import KitError
from infra.lab.cold_starts import BARE_HANDLER, measure_bare_cold_starts, measure_cold_starts
from infra.lab.container_lane import ContainerLane
from infra.lab.lambda_lane import LambdaLane
from infra.lab.managed_runtime import Code

PAUSE_S = 0.004
HEALTHZ = alb_event("/healthz")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    about, started = machine.describe(), datetime.now(UTC)
    try:
        bundle, code = local_code()
        figures = asyncio.run(_measure(code, options.rounds, 300 if options.quick else 1_000))
        figures["many_at_once"] = compared(code, waves=2 if options.quick else 6)
    except KitError as error:
        say(f"cold_start: {error}")
        return 1
    document = {
        "benchmark": "cold_start",
        "started": started.isoformat(timespec="seconds"),
        "quick": options.quick,
        "machine": about,
        "bundle": _about(bundle),
        **figures,
    }
    _print(document)
    write(document, options.json)
    return 0


async def _measure(code: Code, rounds: int, requests: int) -> dict[str, Any]:
    asyncio_code = code.with_asyncio_client()
    cold: dict[str, list[float]] = {"crossover": [], "crossover_asyncio": [], "bare": []}
    busy, began, self_cpu = process_tree.machine_busy_s(), time.monotonic(), time.process_time()
    for number in range(rounds + 1):
        once = {
            "crossover": await measure_cold_starts(code, 1),
            "crossover_asyncio": await measure_cold_starts(asyncio_code, 1),
            "bare": await measure_bare_cold_starts(code, 1),
        }
        if number:  # the first reads the files from disk; it is thrown away
            for name, values in once.items():
                cold[name] += values
            told = ", ".join(f"{name} {values[0]:.0f} ms" for name, values in once.items())
            say(f"cold start {number}/{rounds}: {told}")
    cores_used = (process_tree.machine_busy_s() - busy - (time.process_time() - self_cpu)) / (time.monotonic() - began)
    cpu: dict[str, list[float]] = {"lambda": [], "lambda_asyncio": [], "lambda_empty_handler": [], "uvicorn": []}
    with tempfile.TemporaryDirectory(prefix="crossover-bare-") as folder:
        (Path(folder) / "bare.py").write_text(BARE_HANDLER)
        empty = Code(Path(folder), code.python, {}, code.runtime, "bare.handler")
        for _ in range(3):
            cpu["lambda"].append(await _lambda_cpu_ms(code, requests))
            cpu["lambda_asyncio"].append(await _lambda_cpu_ms(asyncio_code, requests))
            cpu["lambda_empty_handler"].append(await _lambda_cpu_ms(empty, requests))
            cpu["uvicorn"].append(await _uvicorn_cpu_ms(code, requests))
    medians = {name: round(statistics.median(values), 3) for name, values in cpu.items()}
    middle = {name: statistics.median(values) for name, values in cold.items()}
    return {
        "cold_start_ms": {
            **{name: round(value, 1) for name, value in middle.items()},
            "ratio": round(middle["crossover"] / middle["bare"], 2),
            "ratio_asyncio": round(middle["crossover_asyncio"] / middle["bare"], 2),
            "rounds": [{name: round(values[number], 1) for name, values in cold.items()} for number in range(rounds)],
        },
        "healthz_cpu_ms": {
            **medians,
            "lambda_over_uvicorn": round(medians["lambda"] / medians["uvicorn"], 2),
            "lambda_asyncio_over_uvicorn": round(medians["lambda_asyncio"] / medians["uvicorn"], 2),
        },
        "cores_used_by_all_during_cold_starts": round(cores_used, 2),
    }


async def _lambda_cpu_ms(code: Code, requests: int) -> float:
    """CPU ms of one environment per invocation."""
    async with LambdaLane(code, concurrency=1) as lane:
        await lane.prewarm(1)

        async def ask() -> None:
            result = await lane.invoke(HEALTHZ)
            if result.error_type is not None:
                raise KitError(f"the handler failed: {result.payload.decode()[:300]}")

        return await _paced_cpu_ms(lane.cpu_seconds, ask, requests)


async def _uvicorn_cpu_ms(code: Code, requests: int) -> float:
    """CPU ms of the container lane's one worker per request, on one keep-alive connection."""
    environment = {**code.env, "CROSSOVER_LANE": "container"}
    async with ContainerLane(code.tree, code.python, environment, workers=1) as lane:
        address = urlsplit(lane.url)
        assert address.hostname is not None
        assert address.port is not None
        target = Target(address.hostname, address.port, itertools.repeat("/healthz"))

        async def ask() -> None:
            status, _ = await target.search()
            if status != 200:
                raise KitError(f"uvicorn answered /healthz with {status}")

        try:
            return await _paced_cpu_ms(lane.cpu_seconds, ask, requests)
        finally:
            target.close()


async def _paced_cpu_ms(used: Callable[[], float], ask: Callable[[], Awaitable[None]], count: int) -> float:
    """CPU ms per request after a tenth as many to warm up; each begins `PAUSE_S` after the last was answered, on either lane:
    a process that is asked without a pause stays warm, and its requests cost half as much."""
    for _ in range(count // 10):
        await ask()
        await asyncio.sleep(PAUSE_S)
    before = used()
    for _ in range(count):
        await ask()
        await asyncio.sleep(PAUSE_S)
    return (used() - before) * 1000 / count


def _about(bundle: Bundle) -> dict[str, Any]:
    return {
        "target": str(bundle.target),
        "sha256": bundle.sha256,
        "zip_bytes": bundle.zip_bytes,
        "unzipped_bytes": bundle.unzipped_bytes,
        "byte_compiled": bundle.byte_compiled,
    }


def _print(document: dict[str, Any]) -> None:
    cold, cpu, many, bundle = (document[name] for name in ("cold_start_ms", "healthz_cpu_ms", "many_at_once", "bundle"))
    table = Table(title=f"The Lambda lane, bundle {bundle['target']}, {bundle['unzipped_bytes'] / 1e6:.1f} MB unzipped")
    for column in ("figure", "this service", "beside", "ratio"):
        table.add_column(column, justify="left" if column == "figure" else "right")

    def row(figure: str, own: float, beside: float, digits: int) -> None:
        table.add_row(figure, f"{own:.{digits}f}", f"{beside:.{digits}f}", f"{own / beside:.1f}×")

    row("cold start, ms (beside: bare runtime client)", cold["crossover"], cold["bare"], 0)
    row("… under the asyncio client", cold["crossover_asyncio"], cold["bare"], 0)
    row("CPU ms of /healthz (beside: empty handler)", cpu["lambda"], cpu["lambda_empty_handler"], 2)
    row("CPU ms of /healthz (beside: uvicorn)", cpu["lambda"], cpu["uvicorn"], 2)
    row("… under the asyncio client", cpu["lambda_asyncio"], cpu["uvicorn"], 2)
    own, forked = many["asyncio"], many["aws"]
    row(f"MB of {AT_ONCE} at once, asyncio (beside: AWS's, forked)", own["served_mb"], forked["served_mb"], 0)
    row(f"seconds until {AT_ONCE} can be taken at once", own["ready_s"], forked["ready_s"], 1)
    Console().print(table)
    if document["cores_used_by_all_during_cold_starts"] > 1.2:  # one cold start after the other keeps one core busy
        say("note: provisional: other programs kept this machine busy meanwhile")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start", description="Cold start and CPU per invocation.")
    return parse(
        parser,
        arguments,
        quick="5 rounds and fewer invocations",
        out=OUT / "cold_start.json",
        rounds=11,
        quick_rounds=5,
        low=3,
        high=100,
        counted="cold starts of each kind",
    )


if __name__ == "__main__":
    run(main)
