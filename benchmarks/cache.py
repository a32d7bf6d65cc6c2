"""What an answer costs that need not be searched for again: CPU per request of the service, the whole HTTP request included.

    python -m benchmarks.cache [--quick] [--rounds 3]

    kept          the same search again and again: its bytes are kept in this process
    bare uvicorn  the least that any answer costs: a constant of the same size from an ASGI function

Both in turn in each round, eight requests in flight, gzip accepted as browsers and load balancers do. Medians over the
rounds; writes benchmarks/out/cache.json. Exit code 0: measured; 2: wrong usage; 130: interrupted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks import machine, process_tree
from benchmarks.command import OUT, parse, run, write
from benchmarks.load import Target, closed_loop
from benchmarks.running import Service, place_for, service, upstream
from benchmarks.variants import Variant, crossover
from benchmarks.workload import search_paths

SHIPPED_JSON = OUT / "cache.json"
AIM_MS = 0.15
IN_FLIGHT = 8
CASES = ("kept", "bare uvicorn")


def variants() -> dict[str, Variant]:
    """The service with answers that stay fresh, and an ASGI function that answers as many bytes."""
    ours = crossover()
    fresh = {**ours.environment, "CROSSOVER_FRESH_S": "3600"}
    bare = [sys.executable, "-m", "uvicorn", "benchmarks.cache:bare", "--no-access-log", "--log-level", "warning",
            "--no-server-header"]  # fmt: skip
    return {
        "kept": replace(ours, environment=fresh),
        "bare uvicorn": Variant("bare_uvicorn", "an ASGI function", lambda _: bare, port_argument="--port {port}"),
    }


_BODY = bytes(10_000)


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers 10 kB, about what a packed answer has."""
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})


async def _measure(running: Service, seconds: float) -> float:
    target = Target("127.0.0.1", running.port, repeat(next(search_paths())), more_headers="Accept-Encoding: gzip\r\n")

    def probe() -> dict[str, float]:
        return {"service": process_tree.cpu_s(running.pid)}

    try:
        window = await closed_loop(target, in_flight=IN_FLIGHT, warmup_s=seconds / 4, window_s=seconds, probe=probe)
    finally:
        target.close()
    if window.failures or window.cpu_ms_per_search is None:
        raise SystemExit(f"not measured: {dict(window.failures) or 'nothing was answered'}")
    return window.cpu_ms_per_search


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cache", description="CPU per answer that is not searched for.")
    options = parse(parser, arguments, quick="one short round", out=SHIPPED_JSON, rounds=3)
    seconds = 1.5 if options.quick else 4.0
    cores = machine.split_cores()
    os.sched_setaffinity(0, cores.rest)
    measured: dict[str, list[float]] = {case: [] for case in CASES}
    with tempfile.TemporaryDirectory(prefix="crossover-bench-") as name, upstream(cores.rest) as suppliers:
        place = place_for(Path(name), suppliers)
        programs = variants()
        for _ in range(options.rounds):
            for case in CASES:
                with service(programs[case], place, cores.service, {}) as running:
                    measured[case].append(uvloop.run(_measure(running, seconds)))
    document = {
        "benchmark": "cache",
        "quick": options.quick,
        "machine": machine.describe(),
        "aim_ms": AIM_MS,
        "cpu_ms_per_request": {case: round(statistics.median(values), 4) for case, values in measured.items()},
        "rounds": measured,
    }
    _print(document)
    write(document, options.json)
    return 0


def _print(document: dict[str, Any]) -> None:
    table = Table(title=f"CPU ms per request, the HTTP request included (aim for a hit: {AIM_MS})")
    table.add_column("case")
    table.add_column("CPU ms", justify="right")
    table.add_column("of bare uvicorn", justify="right")
    figures = document["cpu_ms_per_request"]
    for case, value in figures.items():
        table.add_row(case, f"{value:.3f}", f"{value / figures['bare uvicorn']:.1f}")
    Console().print(table)


if __name__ == "__main__":
    run(main)
