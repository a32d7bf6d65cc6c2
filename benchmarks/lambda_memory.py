"""Which memory size a search is cheapest at on Lambda: the bundle's environment with the share of a CPU that each size has.

    python -m benchmarks.lambda_memory [--quick] [--rounds 3] [--json benchmarks/out/lambda_memory.json]

A search waits for suppliers most of its time, which memory does not shorten but is billed for; the rest is CPU, of which a
function has memory / 1,769 MB (AWS Lambda documentation), here by a quota of a control group, in periods of 20 ms. Searches
one at a time under the bundle's own runtime client, suppliers with the fan-out benchmark's latencies. Sizes above one vCPU
cannot help: one event loop uses one. Needs root and a control group of the `cpu` controller. Exit code 0: measured; 1: cannot.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shlex
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.command import OUT, parse, run, say, write
from benchmarks.lambda_code import alb_event, local_code
from benchmarks.load import quantile
from benchmarks.running import place_for, upstream
from benchmarks.workload import search_paths
from infra.cost.capacity import cpu_share
from infra.cost.prices import load_price_book
from infra.errors import KitError
from infra.lab.lambda_lane import LambdaLane
from infra.lab.managed_runtime import Code

SIZES_MB = (256, 512, 768, 1_024, 1_769)
PERIOD_US = 20_000
REGION = "us-east-1"
CGROUPS = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def limited(share: float) -> Iterator[Path]:
    """A control group with this share of one CPU, as the file that a process joins it by. Raises `KitError`."""
    first = (CGROUPS / "cpu").is_dir()  # version 1 has a tree for each controller
    group = CGROUPS / "cpu" / f"crossover-{os.getpid()}" if first else CGROUPS / f"crossover-{os.getpid()}"
    quota = round(share * PERIOD_US)
    try:
        group.mkdir()
        if first:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
    except OSError as error:
        with contextlib.suppress(OSError):
            group.rmdir()
        raise KitError(f"no control group with a CPU quota can be made here ({error})") from None
    try:
        yield group / "cgroup.procs"
    finally:
        group.rmdir()


async def measure(code: Code, memory_mb: int, paths: Iterator[str], searches: int) -> dict[str, list[float]]:
    """Durations of searches in one environment, and its Init Duration, ms."""
    with limited(cpu_share(memory_mb)) as procs, tempfile.TemporaryDirectory(prefix="crossover-memory-") as folder:
        python = Path(folder) / "python"
        python.write_text(f'#!/bin/sh\necho $$ > {procs} && exec {shlex.quote(str(code.python))} "$@"\n')
        python.chmod(0o755)
        async with LambdaLane(replace(code, python=python), memory_mb=memory_mb, concurrency=1) as lane:
            init = await lane.prewarm(1)
            durations = []
            for number in range(searches + 3):
                result = await lane.invoke(alb_event(next(paths)))
                if result.error_type is not None:
                    raise KitError(f"a search failed: {result.payload.decode()[:300]}")
                if number >= 3:  # the first ones open the connections
                    durations.append(result.duration_ms)
    return {"init_ms": init, "duration_ms": durations}


def figures(memory_mb: int, measured: dict[str, list[float]]) -> dict[str, float]:
    """A size as the JSON has it; money is the duration's and the request's, of a million warm searches."""
    durations = measured["duration_ms"]
    billed_ms = statistics.mean(durations) + 0.5  # rounded up to the next millisecond
    book = load_price_book(REGION)
    gb_s = billed_ms / 1000 * memory_mb / 1024
    per_million = gb_s * 1e6 * float(book.price("AWSLambda", "duration_arm64").usd)
    per_million += 1e6 * float(book.price("AWSLambda", "requests").usd)
    p99_ms = quantile(durations, 0.99)
    assert p99_ms is not None, "there are searches in every round"
    return {
        "memory_mb": memory_mb,
        "cpu_share": round(cpu_share(memory_mb), 3),
        "init_ms": round(statistics.median(measured["init_ms"]), 1),
        "p50_ms": round(statistics.median(durations), 1),
        "p99_ms": round(p99_ms, 1),
        "billed_ms": round(billed_ms, 1),
        "usd_per_million": round(per_million, 2),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        bundle, code = local_code()
        rows = _measure(code, options.rounds, 20 if options.quick else 60)
    except KitError as error:
        say(f"lambda_memory: {error}")
        return 1
    document = {
        "benchmark": "lambda_memory",
        "quick": options.quick,
        "machine": machine.describe(),
        "bundle": bundle.sha256,
        "rows": rows,
    }
    _print(rows)
    write(document, options.json)
    return 0


def _measure(code: Code, rounds: int, searches: int) -> list[dict[str, float]]:
    found: dict[int, dict[str, list[float]]] = {size: {"init_ms": [], "duration_ms": []} for size in SIZES_MB}
    with tempfile.TemporaryDirectory(prefix="crossover-memory-") as folder, upstream(machine.split_cores().rest) as suppliers:
        env = {**code.env, "CROSSOVER_CATALOGUE": os.fspath(place_for(Path(folder), suppliers).catalogue)}
        own = replace(code, env=env).with_asyncio_client()
        paths = search_paths()
        for number in range(rounds):
            suppliers.ask(f"/lognormal?seed={number}")
            for size in SIZES_MB:
                for name, values in asyncio.run(measure(own, size, paths, searches)).items():
                    found[size][name] += values
            say(f"round {number + 1}/{rounds} done")
    return [figures(size, found[size]) for size in SIZES_MB]


def _print(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(title="A search on Lambda by memory size")
    for column in ("MB", "vCPU", "INIT ms", "p50 ms", "p99 ms", "billed ms", "$ per million"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            f"{row['memory_mb']:,}", f"{row['cpu_share']:.2f}", f"{row['init_ms']:.0f}", f"{row['p50_ms']:.0f}",
            f"{row['p99_ms']:.0f}", f"{row['billed_ms']:.0f}", f"{row['usd_per_million']:.2f}",
        )  # fmt: skip
    Console().print(table)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lambda_memory", description="Duration and price by memory size."
    )
    return parse(
        parser,
        arguments,
        quick="one round of fewer searches",
        out=OUT / "lambda_memory.json",
        rounds=3,
        counted="rounds of every size",
    )


if __name__ == "__main__":
    run(main)
