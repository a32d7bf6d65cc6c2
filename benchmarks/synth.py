"""What synthesis takes: this deployment beside a CDK app of three stacks, bare and plain.

    python -m benchmarks.synth [--quick] [--rounds 7] [--json benchmarks/out/synth.json]

Each is one process from its start to its end, as the CDK CLI would start it, with the context that cdk.json gives; all take
their turn in every round. The bundle is built before. Python's byte-code is kept in a folder of the run's own, filled by a
first round that is thrown away: where PYTHONDONTWRITEBYTECODE is set, every start would compile CDK's library anew. Exit code
0: measured; 1: cannot (says why).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.command import OUT, in_turn, parse, run, say, write
from infra.bundle import BundleTarget, ensure_bundle
from infra.config import DEFAULT_STAGE
from infra.deploying.cdk_cli import require_node
from infra.errors import KitError
from infra.wheels import ROOT

CDK = json.loads((ROOT / "cdk.json").read_text())
APPS = {
    "crossover": shlex.split(CDK["app"])[1:],  # all but the interpreter
    "bare": ["-m", "benchmarks.peers.bare_cdk"],
    "plain": ["-m", "benchmarks.peers.plain_cdk"],
}
ABOUT = {
    "crossover": "this deployment, checks by cdk-nag included",
    "bare": "three stacks, a bucket in each",
    "plain": "three stacks: a VPC, a function, a load balancer",
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="What synthesis takes, beside a CDK app of three stacks.")
    options = parse(
        parser, arguments, quick="one round, for a look in passing", out=OUT / "synth.json", rounds=7, quick_rounds=1
    )
    about, started = machine.describe(), datetime.now(UTC)
    try:
        require_node()
        ensure_bundle(BundleTarget(DEFAULT_STAGE.python, DEFAULT_STAGE.architecture), progress=say)
        figures = _measure(options.rounds)
    except KitError as error:
        say(f"synth: {error}")
        return 1
    document = {
        "benchmark": "synth",
        "started": started.isoformat(timespec="seconds"),
        "quick": options.quick,
        "machine": about,
        **figures,
    }
    _print(document)
    write(document, options.json)
    return 0


def _measure(rounds: int) -> dict[str, Any]:
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in APPS}
    with tempfile.TemporaryDirectory(prefix="crossover-synth-") as folder:
        for name in APPS:
            _synthesize(name, Path(folder))  # fills the caches
        for number in range(rounds):
            for name in in_turn(list(APPS), number):
                taken[name].append(_synthesize(name, Path(folder)))
            last = ", ".join(f"{name} {times[-1]['wall_s']:.2f} s" for name, times in taken.items())
            say(f"round {number + 1}/{rounds}: {last}")
    medians = {
        name: {key: round(statistics.median(each[key] for each in times), 2) for key in times[0]}
        for name, times in taken.items()
    }
    ratios = {
        f"crossover_over_{peer}": {
            key: round(statistics.median(a[key] / b[key] for a, b in zip(taken["crossover"], taken[peer], strict=True)), 2)
            for key in ("wall_s", "cpu_s")
        }
        for peer in ("bare", "plain")
    }
    return {"medians": medians, "ratios": ratios, "rounds": taken}


def _synthesize(name: str, folder: Path) -> dict[str, float]:
    """Seconds of one synthesis: by the clock, and of CPU in all of its processes."""
    other = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "CDK_", "AWS_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(other)}
    environment = {
        **kept,
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "CDK_CONTEXT_JSON": json.dumps(CDK["context"]),
        "CDK_OUTDIR": str(folder / name),
    }
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *APPS[name]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise KitError(f"{name} could not be synthesized: {' | '.join(done.stderr.splitlines()[-3:])}")
    return {"wall_s": wall, "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def _print(document: dict[str, Any]) -> None:
    table = Table(title="Synthesis, medians of the rounds; × is crossover over it, in the same round")
    for column in ("app", "s", "×", "CPU s", "×", "what"):
        table.add_column(column, justify="left" if column in ("app", "what") else "right")
    for name, median in document["medians"].items():
        ratio = document["ratios"].get(f"crossover_over_{name}", {})
        shown = [f"{ratio[key]:.2f}" if ratio else "" for key in ("wall_s", "cpu_s")]
        table.add_row(name, f"{median['wall_s']:.2f}", shown[0], f"{median['cpu_s']:.2f}", shown[1], ABOUT[name])
    Console().print(table)


if __name__ == "__main__":
    run(main)
