"""Which memory size a search is cheapest at on Lambda: the bundle's environment with the share of a CPU that each size has, and
whether `crossover cost optimize` would have told it from the largest size alone.

    python -m benchmarks.lambda_memory [--quick] [--rounds 3] [--json benchmarks/out/lambda_memory.json]

A search waits for suppliers most of its time, which memory does not shorten but is billed for; the rest is CPU, of which a
function has memory / 1,769 MB (AWS Lambda documentation), here by a quota of a control group, in periods of 20 ms. Searches
one at a time under the bundle's own runtime client, suppliers with the fan-out benchmark's latencies. Sizes above one vCPU
cannot help: one event loop uses one. What is derived takes CPU and waiting as measured at one vCPU, and stretches the CPU alone
(`infra.cost.optimize`). Needs root and a control group of the `cpu` controller. Exit code 0: measured; 1: cannot.
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

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.command import OUT, in_turn, parse, run, say, write
from benchmarks.lambda_code import alb_event, local_code
from benchmarks.load import quantile
from benchmarks.running import place_for, upstream
from benchmarks.workload import search_paths
from infra.cost.capacity import cpu_share
from infra.cost.prices.file import load_price_book
from infra.errors import KitError
from infra.lab.lambda_lane import LambdaLane
from infra.lab.managed_runtime import Code
from infra.sizing import seconds_on_lambda

SIZES_MB = (256, 512, 768, 1_024, 1_769)
PERIOD_US = 20_000
REGION = "us-east-1"
OBJECTIVE_MS = 2_500.0
"""What `crossover cost optimize` takes where nothing else is given."""
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
    """Durations of searches in one environment, the CPU of each on average, and its Init Duration, ms."""
    with limited(cpu_share(memory_mb)) as procs, tempfile.TemporaryDirectory(prefix="crossover-memory-") as folder:
        python = Path(folder) / "python"
        python.write_text(f'#!/bin/sh\necho $$ > {procs} && exec {shlex.quote(str(code.python))} "$@"\n')
        python.chmod(0o755)
        async with LambdaLane(replace(code, python=python), memory_mb=memory_mb, concurrency=1) as lane:
            init = await lane.prewarm(1)
            durations, cpu_s = [], 0.0
            for number in range(searches + 3):
                if number == 3:
                    cpu_s = lane.cpu_seconds()
                result = await lane.invoke(alb_event(next(paths)))
                if result.error_type is not None:
                    raise KitError(f"a search failed: {result.payload.decode()[:300]}")
                if number >= 3:  # the first ones open the connections
                    durations.append(result.duration_ms)
            cpu_ms = (lane.cpu_seconds() - cpu_s) * 1000 / searches
    return {"init_ms": init, "duration_ms": durations, "cpu_ms": [cpu_ms]}


def figures(memory_mb: int, measured: dict[str, list[float]]) -> dict[str, float]:
    """A size as the JSON has it; money is the duration's and the request's, of a million warm searches."""
    durations = measured["duration_ms"]
    billed_ms = statistics.mean(durations) + 0.5  # rounded up to the next millisecond
    p99_ms = quantile(durations, 0.99)
    assert p99_ms is not None, "there are searches in every round"
    return {
        "memory_mb": memory_mb,
        "cpu_share": round(cpu_share(memory_mb), 3),
        "init_ms": round(statistics.median(measured["init_ms"]), 1),
        "p50_ms": round(statistics.median(durations), 1),
        "p99_ms": round(p99_ms, 1),
        "cpu_ms": round(statistics.mean(measured["cpu_ms"]), 2),
        "billed_ms": round(billed_ms, 1),
        "usd_per_million": usd_per_million(billed_ms, memory_mb),
    }


def usd_per_million(billed_ms: float, memory_mb: int) -> float:
    """Of a million warm searches, duration and requests."""
    book = load_price_book(REGION)
    usd = billed_ms / 1000 * memory_mb / 1024 * 1e6 * float(book.price("AWSLambda", "duration_arm64").usd)
    return round(usd + 1e6 * float(book.price("AWSLambda", "requests").usd), 2)


def with_derived(rows: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """Beside each size what is derived for it from the last one, which has a whole vCPU."""
    cpu_ms, wait_ms = rows[-1]["cpu_ms"], rows[-1]["billed_ms"] - 0.5 - rows[-1]["cpu_ms"]
    told = []
    for row in rows:
        memory = int(row["memory_mb"])
        derived_ms = 1000 * seconds_on_lambda(cpu_ms=cpu_ms, wait_ms=wait_ms, memory_mb=memory)
        more = {
            "derived_billed_ms": round(derived_ms, 1),
            "derived_p99_ms": round(rows[-1]["p99_ms"] - cpu_ms + cpu_ms / cpu_share(memory), 1),
            "derived_usd_per_million": usd_per_million(derived_ms, memory),
            "measured_over_derived": round(row["billed_ms"] / derived_ms, 3),
        }
        told.append({**row, **more})
    return told


def cheapest(rows: Sequence[dict[str, float]], prefix: str = "") -> int | None:
    """The cheapest size whose 99th percentile meets the objective, as measured or as derived; None where none does."""
    fitting = [row for row in rows if row[f"{prefix}p99_ms"] <= OBJECTIVE_MS]
    return int(min(fitting, key=lambda row: row[f"{prefix}usd_per_million"])["memory_mb"]) if fitting else None


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
        "objective_ms": OBJECTIVE_MS,
        "cheapest_mb": {"measured": cheapest(rows), "derived": cheapest(rows, "derived_")},
        "rows": rows,
    }
    _print(rows)
    write(document, options.json)
    return 0


def _measure(code: Code, rounds: int, searches: int) -> list[dict[str, float]]:
    found: dict[int, dict[str, list[float]]] = {size: {"init_ms": [], "duration_ms": [], "cpu_ms": []} for size in SIZES_MB}
    with tempfile.TemporaryDirectory(prefix="crossover-memory-") as folder, upstream(machine.split_cores().rest) as suppliers:
        env = {**code.env, "CROSSOVER_CATALOGUE": os.fspath(place_for(Path(folder), suppliers).catalogue)}
        own = replace(code, env=env).with_asyncio_client()
        for number in range(rounds):
            for size in in_turn(SIZES_MB, number):
                suppliers.ask(f"/lognormal?seed={number}")  # every size waits for the same answers
                for name, values in asyncio.run(measure(own, size, search_paths(), searches)).items():
                    found[size][name] += values
            say(f"round {number + 1}/{rounds} done")
    return with_derived([figures(size, found[size]) for size in SIZES_MB])


def _print(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(
        title="A search on Lambda by memory size", caption="milliseconds; * derived from the largest size", box=box.SIMPLE_HEAD
    )
    for column in ("MB", "vCPU", "INIT", "CPU", "p50", "p99", "p99*", "billed", "billed*", "ratio", "$/M"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            f"{row['memory_mb']:,}", f"{row['cpu_share']:.2f}", f"{row['init_ms']:.0f}", f"{row['cpu_ms']:.1f}",
            f"{row['p50_ms']:.0f}", f"{row['p99_ms']:.0f}", f"{row['derived_p99_ms']:.0f}", f"{row['billed_ms']:.0f}",
            f"{row['derived_billed_ms']:.0f}", f"{row['measured_over_derived']:.2f}", f"{row['usd_per_million']:.2f}",
        )  # fmt: skip
    Console().print(table)
    for how, prefix in (("as measured", ""), ("as derived from the largest", "derived_")):
        size = cheapest(rows, prefix) or "none"
        say(f"cheapest MB with a 99th percentile within {OBJECTIVE_MS:,.0f} ms, {how}: {size}")


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
