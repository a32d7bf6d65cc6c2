"""Twice the load that the service can serve: what it still answers, and how fast, with its admission limiter and without.

    python -m benchmarks.overload [--quick] [--rounds 3] [--json benchmarks/out/overload.json]

    capacity    the highest rate held: at most 1% failed, answers whole, p99 at most 2.5 s
    unloaded    a fifth of it: the p99 that callers are used to
    twice       2 × capacity, with admission and with CROSSOVER_ADMISSION=off

Goodput is answers within 2.5 s, a second. Aims: at least 0.9 of capacity, p99 at most 1.5 times the unloaded one. Medians
over the rounds. Exit code 0: measured; 1: no rate is held; 2: wrong usage; 130: interrupted.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.capacity import Windows, at_rate, capacity, estimated_capacity
from benchmarks.command import OUT, parse, run, say, write
from benchmarks.report import busy_notes, shown, summarise
from benchmarks.rounds import Rig
from benchmarks.running import place_for, service, upstream
from benchmarks.variants import crossover

SHIPPED_JSON = OUT / "overload.json"
GOODPUT_AIM, P99_AIM = 0.9, 1.5
TWICE, UNLOADED = 2.0, 0.2
SETTLE_S = 4.0
"""Warm-up under overload: the limiter begins at its start value and must close in."""


def measure(rigs: dict[str, Rig], *, rounds: int, windows: Windows, quick: bool) -> dict[str, Any]:
    """Capacity once, then every load in every round; `rigs` are the service with and without admission. A `quick` look only
    estimates the capacity, and takes admission on its own."""
    held = estimated_capacity(rigs["admission"], windows) if quick else capacity(rigs["admission"], windows, seed=1)
    if held["rps"] is None:
        raise SystemExit("overload: the service holds no rate on this machine")
    say(f"holds {held['rps']}/s")
    loads = {
        "unloaded": (rigs["admission"], UNLOADED * held["rps"], windows.warmup_s),
        "twice": (rigs["admission"], TWICE * held["rps"], SETTLE_S),
    }
    if not quick:
        loads["twice_without_admission"] = rigs["no_admission"], TWICE * held["rps"], SETTLE_S
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in loads}
    for number in range(rounds):
        for name, (rig, rps, warmup_s) in loads.items():
            result = at_rate(rig, warmup_s, windows.quoted_s, rps, seed=number + 2)
            found[name].append(result)
            say(f"round {number + 1}, {name}: {result['good_per_s']} good/s of {rps:.0f}, p99 {result['p99_ms']} ms")
    return {"capacity": held, "loads": {name: summarise(results) for name, results in found.items()}}


def verdict(measured: dict[str, Any]) -> dict[str, float | None]:
    """Goodput at twice the capacity over capacity, and its p99 over the unloaded one; `None` where nothing was answered."""
    twice, unloaded = measured["loads"]["twice"], measured["loads"]["unloaded"]
    p99 = twice["p99_ms"] / unloaded["p99_ms"] if twice["p99_ms"] and unloaded["p99_ms"] else None
    return {
        "goodput_over_capacity": round(twice["good_per_s"] / measured["capacity"]["rps"], 3),
        "p99_over_unloaded": None if p99 is None else round(p99, 3),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    windows = Windows(warmup_s=0.5, climb_s=1.5, quoted_s=3.0) if options.quick else Windows(quoted_s=10.0)
    cores = machine.split_cores()
    about = machine.describe()
    os.sched_setaffinity(0, cores.rest)
    ours = crossover()
    variants = {
        "admission": ours,
        "no_admission": replace(ours, environment={**ours.environment, "CROSSOVER_ADMISSION": "off"}),
    }
    with tempfile.TemporaryDirectory(prefix="crossover-bench-") as folder, upstream(cores.rest) as suppliers:
        place = place_for(Path(folder), suppliers)
        rigs = {name: Rig(suppliers, partial(service, each, place, cores.service, {})) for name, each in variants.items()}
        measured = measure(rigs, rounds=options.rounds, windows=windows, quick=options.quick)
    document = {
        "benchmark": "overload",
        "quick": options.quick,
        "machine": about,
        "aims": {"goodput_over_capacity": GOODPUT_AIM, "p99_over_unloaded": P99_AIM},
        **measured,
        "verdict": verdict(measured),
    }
    _print(document)
    write(document, options.json)
    return 0


def _print(document: dict[str, Any]) -> None:
    console = Console()
    table = Table(title=f"Overload: the service holds {document['capacity']['rps']:g} searches/s on one core")
    table.add_column("load")
    for column in ("asked/s", "good/s", "p50 ms", "p99 ms", "refused", "offers"):
        table.add_column(column, justify="right")
    for name, found in document["loads"].items():
        refused = found["failures"].get("status 503", 0)
        cells = (f"{found['rps']:,.0f}", f"{found['good_per_s']:,.1f}", shown(found["p50_ms"], 0), shown(found["p99_ms"], 0))
        share = "–" if found["offers_share"] is None else f"{found['offers_share']:.0%}"
        table.add_row(name.replace("_", " "), *cells, f"{refused:,}", share)
    console.print(table)
    ratios, aims = document["verdict"], document["aims"]
    p99 = "unknown" if ratios["p99_over_unloaded"] is None else f"{ratios['p99_over_unloaded']:.2f}"
    console.print(
        f"goodput {ratios['goodput_over_capacity']:.2f} of capacity (aim at least {aims['goodput_over_capacity']}), "
        f"p99 {p99} of the unloaded (aim at most {aims['p99_over_unloaded']})",
        highlight=False,
    )
    for note in busy_notes(document["loads"].values(), quick=document["quick"]):
        console.print(f"note: {note}", highlight=False)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description="Goodput at twice the capacity.")
    return parse(parser, arguments, quick="one round of short windows, capacity estimated", out=SHIPPED_JSON, rounds=3)


if __name__ == "__main__":
    run(main)
