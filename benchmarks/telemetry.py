"""What telemetry costs: CPU per search of the service without any, as shipped, and with all of it switched on.

    python -m benchmarks.telemetry [--quick] [--rounds 7]

    none       no counters, no histograms, no sampling of the loop's lag
    shipped    what is always on: counters, a latency histogram per supplier, loop lag
    all        besides: /ops with its history, a line of embedded metrics every 10 s, traces of 10% of the searches, as where no
               sampler is named, sent to a collector on loopback that takes them all

In turn in every round, at the fixed rate of 100 searches/s and saturated; medians over the rounds. Aim: at most 5%. Writes
benchmarks/out/telemetry.json. Exit code 0: measured; 2: wrong usage; 130: interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.command import OUT, in_turn, parse, run, say, write
from benchmarks.report import busy_notes, summarise
from benchmarks.rounds import IN_FLIGHT, Rig, figures, is_held
from benchmarks.running import place_for, service, upstream
from benchmarks.variants import Variant

SHIPPED_JSON = OUT / "telemetry.json"
AIM = 1.05
RPS = 100.0
ALL = {"CROSSOVER_OPS": "on", "CROSSOVER_EMF_S": "10"}
"""Besides traces, which need a collector's address."""


class Collector:
    """Where traces are sent, and how many requests with them have come."""

    def __init__(self) -> None:
        self.url = ""
        self.requests = 0


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a thread of ours, and so on our cores, that takes whatever is posted."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            collector.requests += 1
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector
        finally:
            server.shutdown()


def variants(collector_url: str) -> dict[str, Variant]:
    command = [sys.executable, "-m", "uvicorn", "benchmarks.service_telemetry:app", "--loop", "uvloop", "--http", "httptools"]
    command += ["--no-access-log", "--log-level", "warning"]

    def variant(name: str, **environment: str) -> Variant:
        return Variant(
            f"telemetry_{name}",
            f"the service, telemetry: {name}",
            lambda _: command,
            port_argument="--port {port}",
            environment={"CROSSOVER_LANE": "container", "BENCH_TELEMETRY": name, **environment},
        )

    everything = variant("all", **ALL, OTEL_EXPORTER_OTLP_ENDPOINT=collector_url)
    return {"none": variant("none"), "shipped": variant("shipped"), "all": everything}


def ratios(measured: dict[str, Any]) -> dict[str, dict[str, float]]:
    """CPU per search over the one without telemetry, by variant and load."""
    return {
        name: {
            load: round(measured[name][load]["cpu_ms_per_search"] / measured["none"][load]["cpu_ms_per_search"], 4)
            for load in ("fixed_rate", "saturation")
        }
        for name in ("shipped", "all")
    }


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    warmup_s, window_s = (0.5, 2.0) if options.quick else (2.0, 6.0)
    about, cores = machine.describe(), machine.split_cores()
    os.sched_setaffinity(0, cores.rest)
    with (
        tempfile.TemporaryDirectory(prefix="crossover-bench-") as folder,
        upstream(cores.rest) as suppliers,
        collecting() as collector,
    ):
        place = place_for(Path(folder), suppliers)
        compared = variants(collector.url)
        names = list(compared)
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for number in range(options.rounds):
            for name in in_turn(names, number):
                rig = Rig(suppliers, partial(service, compared[name], place, cores.service, {}))
                fixed, _ = rig.at_rate(RPS, warmup_s=warmup_s, window_s=window_s, seed=number + 1)
                full, _ = rig.saturated(IN_FLIGHT, warmup_s=warmup_s, window_s=window_s)
                result = {"fixed_rate": figures(fixed, is_held(fixed)), "saturation": figures(full, is_held(full))}
                found[name].append(result)
                said = [result[load]["cpu_ms_per_search"] for load in result]
                say(f"round {number + 1}, {name}: {said[0]} ms at {RPS:g}/s, {said[1]} ms saturated")
    measured = {name: summarise(results) for name, results in found.items()}
    document = {
        "benchmark": "telemetry",
        "quick": options.quick,
        "machine": about,
        "aim": AIM,
        "variants": measured,
        "over_none": ratios(measured),
        "collector_requests": collector.requests,
    }
    _print(document)
    write(document, options.json)
    return 0


def _print(document: dict[str, Any]) -> None:
    table = Table(title=f"Telemetry: CPU ms per search (aim: at most {document['aim']} of none)")
    table.add_column("telemetry")
    for column in (f"at {RPS:g}/s", "of none", "saturated", "of none"):
        table.add_column(column, justify="right")
    for name, figures_of in document["variants"].items():
        cells = []
        for load in ("fixed_rate", "saturation"):
            ratio = document["over_none"].get(name, {}).get(load)
            cells += [f"{figures_of[load]['cpu_ms_per_search']:.2f}", "" if ratio is None else f"{ratio:.2f}"]
        table.add_row(name, *cells)
    console = Console()
    console.print(table)
    loads = [measured[load] for measured in document["variants"].values() for load in ("fixed_rate", "saturation")]
    for note in busy_notes(loads, quick=document["quick"]):
        console.print(f"note: {note}", highlight=False)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.telemetry", description="What telemetry costs in CPU.")
    return parse(parser, arguments, quick="one round of short windows", out=SHIPPED_JSON, rounds=7, high=40)


if __name__ == "__main__":
    run(main)
