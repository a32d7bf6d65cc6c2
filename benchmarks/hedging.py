"""What hedging does to a search's tail and to Lambda's bill: real Lambda environments, with it and without, side by side.

    python -m benchmarks.hedging [--quick] [--json benchmarks/out/hedging.json]

Two Lambda lanes of a few environments each, one with CROSSOVER_HEDGING=off, ask suppliers with the lognormal latency of
docs/benchmarks.md, at several deadlines. Per lane and deadline: p50 and p99 of Duration, mean Billed Duration, the share of
all offers that the answers hold, and how many calls more than one per supplier were made. Hedging is worth what it saves at
equal completeness: beside each lane without it stands the cheapest one with it that answers as completely. Exit code 0:
measured; 1: cannot (says why); 2: wrong usage; 130: interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.command import OUT, run, say, write
from benchmarks.lambda_code import alb_event, local_code
from benchmarks.load import quantile
from benchmarks.running import Upstream, place_for, upstream
from benchmarks.workload import OFFERS_A_SEARCH, SUPPLIERS, search_paths
from infra.errors import KitError
from infra.lab.lambda_lane import InvokeResult, LambdaLane
from infra.lab.runtime_api import Code

SHIPPED_JSON = OUT / "hedging.json"
MODES = ("off", "on")
ENVIRONMENTS = 6
DEADLINES_MS = (1_500, 1_000, 700, 500)
SAME_COMPLETENESS = 0.0005
"""Shares of offers closer than this are equal: about one call in two thousand."""


class Amount(NamedTuple):
    """Searches per environment. Hedging knows nothing before 32 calls to a supplier, so that many are never measured."""

    warmup: int
    measured: int


FULL, QUICK = Amount(64, 60), Amount(33, 12)


def figures(results: Sequence[InvokeResult], calls: int) -> dict[str, Any]:
    """One lane at one deadline; `calls` is how many its suppliers were asked meanwhile."""
    offers = [_offers(result) for result in results]
    durations = [result.duration_ms for result in results]
    p99_ms = quantile(durations, 0.99)
    assert p99_ms is not None, "a lane makes at least one search"
    return {
        "searches": len(results),
        "p50_ms": round(statistics.median(durations), 1),
        "p99_ms": round(p99_ms, 1),
        "billed_ms": round(statistics.mean(result.billed_ms for result in results), 1),
        "offers_share": round(statistics.mean(offers) / OFFERS_A_SEARCH, 5),
        "extra_calls": round(calls / (SUPPLIERS * len(results)) - 1, 4),
    }


def equals(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each row without hedging, ratios of the one with the least billed ms of those with it that answer as completely."""
    found = []
    for plain in (row for row in rows if row["hedging"] == "off"):
        enough = plain["offers_share"] - SAME_COMPLETENESS
        hedged = [row for row in rows if row["hedging"] == "on" and row["offers_share"] >= enough]
        if hedged:
            best = min(hedged, key=lambda row: float(row["billed_ms"]))
            ratios = {key: round(best[key] / plain[key], 3) for key in ("p50_ms", "p99_ms", "billed_ms")}
            found.append({"off_deadline_ms": plain["deadline_ms"], "on_deadline_ms": best["deadline_ms"], **ratios})
    return found


def _offers(result: InvokeResult) -> int:
    if result.error_type is not None:
        raise KitError(f"a search's invocation failed: {result.payload.decode()[:300]}")
    answer = json.loads(result.payload)
    if answer["statusCode"] != 200:
        raise KitError(f"a search was answered {answer['statusCode']}: {answer['body'][:200]}")
    return sum(len(hotel["offers"]) for hotel in json.loads(answer["body"])["hotels"])


async def _lane(code: Code, suppliers: Upstream, amount: Amount) -> dict[str, Any]:
    """Every environment searches one after the other; what was measured after the warm-up."""
    async with LambdaLane(code, concurrency=ENVIRONMENTS) as lane:
        await lane.prewarm(ENVIRONMENTS)

        async def searches(count: int) -> list[InvokeResult]:
            found = []
            for _ in range(count):
                found.append(await lane.invoke(alb_event(next(paths))))
            return found

        paths = search_paths()
        await asyncio.gather(*(searches(amount.warmup) for _ in range(ENVIRONMENTS)))
        before = suppliers.ask("/stats")["calls"]
        found = await asyncio.gather(*(searches(amount.measured) for _ in range(ENVIRONMENTS)))
        calls = suppliers.ask("/stats")["calls"] - before
    return figures([result for results in found for result in results], calls)


@contextlib.contextmanager
def _lanes(code: Code, cores: set[int], folder: Path) -> Iterator[dict[str, tuple[Code, Upstream]]]:
    """By mode: the code with its setting, and suppliers of its own, whose calls are counted."""
    with contextlib.ExitStack() as stack:
        lanes = {}
        for mode in MODES:
            suppliers = stack.enter_context(upstream(cores))
            (folder / mode).mkdir()
            catalogue = place_for(folder / mode, suppliers).catalogue
            env = {**code.env, "CROSSOVER_HEDGING": mode, "CROSSOVER_CATALOGUE": os.fspath(catalogue)}
            lanes[mode] = replace(code, env=env), suppliers
        yield lanes


async def _measure(lanes: dict[str, tuple[Code, Upstream]], deadlines: Sequence[int], amount: Amount) -> list[dict[str, Any]]:
    rows = []
    for deadline in deadlines:
        for seed, (_, suppliers) in enumerate(lanes.values(), deadline):
            suppliers.ask(f"/lognormal?seed={seed}")
        both = await asyncio.gather(
            *(
                _lane(replace(code, env={**code.env, "CROSSOVER_DEADLINE_MS": str(deadline)}), suppliers, amount)
                for code, suppliers in lanes.values()
            )
        )
        for mode, found in zip(lanes, both, strict=True):
            rows.append({"hedging": mode, "deadline_ms": deadline, **found})
            times = f"p50 {found['p50_ms']}, p99 {found['p99_ms']}, billed {found['billed_ms']} ms"
            say(f"deadline {deadline} ms, hedging {mode}: {times}")
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    deadlines, amount = (DEADLINES_MS[:1], QUICK) if options.quick else (DEADLINES_MS, FULL)
    about = machine.describe()
    try:
        bundle, code = local_code()
        with (
            tempfile.TemporaryDirectory(prefix="crossover-bench-") as folder,
            _lanes(code, os.sched_getaffinity(0), Path(folder)) as lanes,
        ):
            rows = asyncio.run(_measure(lanes, deadlines, amount))
    except KitError as error:
        say(f"hedging: {error}")
        return 1
    document = {
        "benchmark": "hedging",
        "quick": options.quick,
        "machine": about,
        "bundle": bundle.sha256,
        "rows": rows,
        "at_equal_completeness": equals(rows),
    }
    _print(document)
    write(document, options.json)
    return 0


def _print(document: dict[str, Any]) -> None:
    table = Table(title="Hedging on the Lambda lane")
    for column in ("deadline ms", "hedging", "p50 ms", "p99 ms", "billed ms", "offers", "extra calls"):
        table.add_column(column, justify="right")
    for row in document["rows"]:
        table.add_row(
            f"{row['deadline_ms']:,}", row["hedging"], f"{row['p50_ms']:,.0f}", f"{row['p99_ms']:,.0f}",
            f"{row['billed_ms']:,.0f}", f"{row['offers_share']:.2%}", f"{row['extra_calls']:.1%}",
        )  # fmt: skip
    console = Console()
    console.print(table)
    for pair in document["at_equal_completeness"]:
        console.print(
            f"as complete as {pair['off_deadline_ms']:,} ms without: {pair['on_deadline_ms']:,} ms with hedging, p50 × "
            f"{pair['p50_ms']:.2f}, p99 × {pair['p99_ms']:.2f}, billed × {pair['billed_ms']:.2f}",
            highlight=False,
        )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hedging", description="The tail and the bill, with hedging.")
    parser.add_argument("--quick", action="store_true", help="the service's own deadline only, few searches")
    parser.add_argument("--json", type=Path, default=SHIPPED_JSON, help="where to write the figures (default %(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    run(main)
