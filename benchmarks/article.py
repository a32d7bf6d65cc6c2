"""The article's claims on this machine: Flask to async, threads beside asyncio, a blocking call on the loop.

    python -m benchmarks.article [--quick] [--rounds 2] [--json benchmarks/out/article.json]

What each service holds; then all of them at 0.9 and 2 times what Flask holds, and each at twice its own; then one program on
threads and on asyncio; then the same with 1% of its searches blocking. See docs/benchmarks.md. Exit code 0: measured;
1: nothing could run; 2: wrong usage.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.capacity import Windows, at_rate, capacity, estimated_capacity, saturated
from benchmarks.claims import AFTERS, BEFORE, claims
from benchmarks.command import OUT, in_turn, parse, run, say, write
from benchmarks.report import busy_notes, summarise
from benchmarks.rounds import Rig
from benchmarks.running import Upstream, place_for, service, upstream
from benchmarks.variants import BLOCK_MS, EQUAL_WORK, PEERS, Place, Unavailable, Variant, crossover

SHIPPED_JSON = OUT / "article.json"
STACKS = (BEFORE, *AFTERS)
STACKS_QUICK = (BEFORE, "crossover")
PAIR = ("threads", "asyncio")
BLOCKED = tuple(EQUAL_WORK)
BLOCKED_QUICK = ("asyncio", "asyncio_blocking")
SAME_LOAD, TWICE = 0.9, 2.0
BLOCKED_SHARE = 0.5
"""Of what the slower of the pair answers at saturation: time to spare, so that what delays is the blocking."""

QUICK = Windows(warmup_s=0.4, climb_s=0.8, quoted_s=1.5, blocking_s=3.0)
Measured = dict[str, list[dict[str, Any]]]


class Article:
    """One run: the suppliers, the variants, and what could not run."""

    def __init__(self, place: Place, suppliers: Upstream, cores: set[int], *, rounds: int, quick: bool) -> None:
        self._place = place
        self._suppliers = suppliers
        self._cores = cores
        self._rounds = rounds
        self._quick = quick
        self._windows = QUICK if quick else Windows()
        self.skipped: dict[str, str] = {}

    def measure(self) -> dict[str, Any]:
        """Everything, in the order in which one thing needs the other."""
        held = self._capacities(STACKS_QUICK if self._quick else (*STACKS, *PAIR))
        document: dict[str, Any] = {"capacity": held, "same_load": None, "twice": None, "twice_own": None, "blocking": None}
        flask = held.get(BEFORE, {}).get("rps")
        if flask:
            stacks = STACKS_QUICK if self._quick else STACKS
            document["same_load"] = self._load("0.9 × Flask", dict.fromkeys((*stacks, *PAIR), SAME_LOAD * flask))
            document["twice"] = self._load("2 × Flask", dict.fromkeys(stacks, TWICE * flask))
        if not self._quick:
            own = {name: TWICE * found["rps"] for name, found in held.items() if found["rps"]}
            document["twice_own"] = self._load("2 × its own", own)
        rps = self._blocking_rate()
        if rps:
            names = BLOCKED_QUICK if self._quick else BLOCKED
            document["blocking"] = self._load("blocking", dict.fromkeys(names, rps), blocking=True)
        return document

    def _blocking_rate(self) -> float | None:
        found: list[float] = []

        def one(_: str, rig: Rig, __: int) -> str:
            found.append(saturated(rig, self._windows))
            return f"{found[-1]}/s"

        self._in_turn("saturation", list(PAIR), one, rounds=1)
        return round(BLOCKED_SHARE * min(found), 2) if found else None

    def _capacities(self, names: Iterable[str]) -> dict[str, Any]:
        found: Measured = {}

        def one(name: str, rig: Rig, number: int) -> str:
            if self._quick:
                result = estimated_capacity(rig, self._windows)
            else:
                known = [earlier["rps"] for earlier in found.get(name, []) if earlier["rps"]]
                result = capacity(rig, self._windows, seed=100 * number, known=known[-1] if known else None)
            found.setdefault(name, []).append(result)
            return f"holds {result['rps']}/s"

        self._in_turn("capacity", list(names), one)
        return {name: {"rps": _median(found[name]), "rounds": found[name]} for name in names if name in found}

    def _load(self, what: str, rates: dict[str, float], *, blocking: bool = False) -> dict[str, Any]:
        """All of these variants, each at its rate: `rps` where it is one rate for all, and medians by variant."""
        found: Measured = {}
        warmup_s = self._windows.warmup_s
        window_s = self._windows.blocking_s if blocking else self._windows.quoted_s

        def one(name: str, rig: Rig, number: int) -> str:
            result = at_rate(rig, warmup_s, window_s, rates[name], seed=number, latency=not blocking)
            found.setdefault(name, []).append(result)
            return f"at {result['rps']}/s p50 {result['p50_ms']} ms, p99 {result['p99_ms']} ms, errors {result['errors_share']}"

        self._in_turn(what, list(rates), one)
        distinct = {round(rps, 2) for rps in rates.values()}
        return {
            "rps": distinct.pop() if len(distinct) == 1 else None,
            "variants": {name: summarise(found[name]) for name in rates if name in found},
        }

    def _in_turn(self, what: str, names: list[str], one: Callable[[str, Rig, int], str], *, rounds: int = 0) -> None:
        """Every round of every variant, beginning with the next one each round."""
        for number in range(rounds or self._rounds):
            for name in in_turn(names, number):
                if name in self.skipped:
                    continue
                start = partial(service, _variant(name), self._place, self._cores, {})
                try:
                    said = one(name, Rig(self._suppliers, start), number + 1)
                except Unavailable as reason:
                    self.skipped[name] = said = f"skipped: {reason}"
                say(f"{what}, round {number + 1}, {name}: {said}")


def _variant(name: str) -> Variant:
    return crossover() if name == "crossover" else {**PEERS, **EQUAL_WORK}[name]


def _median(rounds: list[dict[str, Any]]) -> float | None:
    known = [found["rps"] for found in rounds if found["rps"] is not None]
    return round(statistics.median(known), 2) if known else None


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    started, about, cores = datetime.now(UTC), machine.describe(), machine.split_cores()
    os.sched_setaffinity(0, cores.rest)
    with tempfile.TemporaryDirectory(prefix="crossover-bench-") as folder, upstream(cores.rest) as suppliers:
        article = Article(
            place_for(Path(folder), suppliers), suppliers, cores.service, rounds=options.rounds, quick=options.quick
        )
        measured = article.measure()
    if not measured["capacity"]:
        say("nothing could run")
        return 1
    document = {
        "benchmark": "article",
        "started": started.isoformat(timespec="seconds"),
        "quick": options.quick,
        "machine": about,
        "cores": {"service": sorted(cores.service), "upstream_and_generator": sorted(cores.rest)},
        "block_ms": BLOCK_MS,
        **measured,
        "skipped": article.skipped,
    }
    document["claims"] = [claim._asdict() for claim in claims(document)]
    _print(document)
    write(document, options.json)
    return 0


def _print(document: dict[str, Any]) -> None:
    console = Console(width=170 if not Console().is_terminal else None)
    console.print(_loads_table(document))
    table = Table(title="The article's claims")
    for column in ("claim", "about", "ours", "verdict"):
        table.add_column(column)
    for claim in document["claims"]:
        table.add_row(*claim.values())
    console.print(table)
    for name, reason in document["skipped"].items():
        console.print(f"{name}: {reason}", highlight=False)
    for note in notes(document):
        console.print(f"note: {note}", highlight=False)


def _loads_table(document: dict[str, Any]) -> Table:
    table = Table(title="Each service at each load, one core, medians")
    for column in (
        "load",
        "service",
        "holds/s",
        "asked/s",
        "answered/s",
        "p50 ms",
        "p99 ms",
        "errors",
        "offers",
        "CPU ms",
        "peak MB",
    ):
        table.add_column(column, justify="left" if column in ("load", "service") else "right")
    for load in LOADS:
        for name, found in ((document[load] or {}).get("variants") or {}).items():
            table.add_row(
                LOADS[load],
                name,
                _number(document["capacity"].get(name, {}).get("rps"), ",.1f"),
                _number(found["rps"], ",.1f"),
                _number(found["answered_per_s"], ",.1f"),
                _number(found["p50_ms"], ",.0f"),
                _number(found["p99_ms"], ",.0f"),
                _number(found["errors_share"], ".1%"),
                _number(found["offers_share"], ".0%"),
                _number(found["cpu_ms_per_search"], ".1f"),
                _number(found["peak_rss_mb"], ",.0f"),
            )
    return table


LOADS = {
    "same_load": "0.9 × what Flask holds",
    "twice": "2 × what Flask holds",
    "twice_own": "2 × what it holds",
    "blocking": "suppliers at once",
}


def notes(document: dict[str, Any]) -> list[str]:
    """What a reader must know to believe the figures."""
    loads = [found for load in LOADS for found in ((document[load] or {}).get("variants") or {}).values()]
    said = busy_notes(loads, quick=document["quick"])
    if document["quick"]:
        said.append("quick: what each holds is estimated from CPU")
    return said


def _number(value: float | None, how: str) -> str:
    return "–" if value is None else format(value, how)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.article", description="The article's claims, measured here.")
    return parse(
        parser, arguments, quick="one round of short windows, capacities estimated: a minute", out=SHIPPED_JSON, rounds=2
    )


if __name__ == "__main__":
    run(main)
