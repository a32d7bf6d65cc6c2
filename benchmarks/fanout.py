"""CPU per search of the service and of what its users would otherwise write, under one load, on one core each.

    python -m benchmarks.fanout [--quick] [--rounds 3] [--only crossover,go_nethttp] [--json benchmarks/out/fanout.json]

Each round starts every variant in turn, in an order that moves on by one each round, measures it, and stops it; figures are
medians over the rounds. See docs/benchmarks.md. Exit code 0: measured; 1: nothing could run; 2: wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.certificates import make_certificates
from benchmarks.command import OUT, in_turn, parse, run, say, write
from benchmarks.report import print_fanout, summarise
from benchmarks.rounds import Bench, Pace, Plan, Rig, quick
from benchmarks.running import place_for, service, upstream
from benchmarks.variants import NAMES, PEERS, Unavailable, crossover

SHIPPED_JSON = OUT / "fanout.json"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    plan = quick(options.rps) if options.quick else Plan(rps=options.rps)
    started = datetime.now(UTC)
    about = machine.describe()
    cores = machine.split_cores()
    if cores.shared:
        say("one core only: service, suppliers and generator share it, so latencies and saturation are worth less")
    os.sched_setaffinity(0, cores.rest)
    with tempfile.TemporaryDirectory(prefix="crossover-bench-") as folder:
        variants, skipped = _run(options, plan, cores, Path(folder))
    if not variants:
        say("nothing could run")
        return 1
    document = {
        "benchmark": "fanout",
        "started": started.isoformat(timespec="seconds"),
        "quick": options.quick,
        "tls": options.tls,
        "gzip": options.gzip,
        "machine": about,
        "cores": {"service": sorted(cores.service), "upstream_and_generator": sorted(cores.rest)},
        "variants": variants,
        "skipped": skipped,
    }
    print_fanout(document)
    if options.json is not None:
        write(document, options.json)
    return 0


def _run(
    options: argparse.Namespace, plan: Plan, cores: machine.Cores, folder: Path
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Every round of every variant; what was measured by variant, and why the others were skipped. `rate_not_held` is a window
    at the rate asked for, of a variant that does not hold it."""
    extra: dict[str, str] = {}
    if options.tls:
        authority = str(make_certificates(folder))
        extra = {"SSL_CERT_FILE": authority, "REQUESTS_CA_BUNDLE": authority}
    variants = [crossover(options.bundle, options.python) if name == "crossover" else PEERS[name] for name in options.only]
    paces = {variant.name: Pace() for variant in variants}
    measured: dict[str, list[dict[str, Any]]] = {}
    skipped: dict[str, str] = {}
    with upstream(cores.rest, tls=folder if options.tls else None, gzipped=options.gzip) as suppliers:
        place = place_for(folder, suppliers)
        for number in range(options.rounds):
            for variant in in_turn(variants, number):
                if variant.name in skipped:
                    continue
                start = partial(service, variant, place, cores.service, extra)
                try:
                    result = Bench(plan, Rig(suppliers, start), seed=number + 1).measure(paces[variant.name])
                except Unavailable as reason:
                    skipped[variant.name] = str(reason)
                    say(f"{variant.name}: skipped: {reason}")
                else:
                    measured.setdefault(variant.name, []).append(result)
                    fixed, full = result["fixed_rate"], result["saturation"]
                    say(
                        f"round {number + 1}/{options.rounds} {variant.name}: {fixed['cpu_ms_per_search']} ms at "
                        f"{fixed['rps_held']}/s, {full['cpu_ms_per_search']} ms at saturation ({full['searches_per_s']}/s)"
                    )
    found = {
        variant.name: {**summarise(measured[variant.name]), "rate_not_held": paces[variant.name].not_held}
        for variant in variants
        if variant.name in measured
    }
    return found, skipped


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fanout", description="CPU per search, beside peers.")
    parser.add_argument("--rps", type=float, default=100.0, help="the fixed rate in searches/s (default %(default)g)")
    parser.add_argument("--only", type=_names, default=list(NAMES), help=f"comma-separated, of {', '.join(NAMES)}")
    parser.add_argument("--tls", action="store_true", help="suppliers speak https, with a certificate made for the run")
    parser.add_argument("--gzip", action="store_true", help="suppliers answer gzip to whoever accepts it")
    parser.add_argument("--bundle", type=Path, help="measure the service from this unpacked bundle, not from the checkout")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the service (with --bundle)")
    options = parse(parser, arguments, quick="short windows, one round: three to four minutes", out=SHIPPED_JSON, rounds=3)
    if not 0.5 <= options.rps <= 2_000:
        parser.error(f"--rps: must be 0.5 to 2000, got {options.rps:g}")
    if options.bundle is not None:
        options.bundle = options.bundle.resolve()
        if not (options.bundle / "app" / "serve.py").is_file():
            parser.error(f"--bundle: {options.bundle} holds no app/serve.py; give the unpacked tree of `crossover bundle`")
    return options


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in NAMES:
            raise argparse.ArgumentTypeError(f"unknown variant {name!r}; known: {', '.join(NAMES)}")
    return names


if __name__ == "__main__":
    run(main)
