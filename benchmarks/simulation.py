"""A year of minutes on every lane: the sorted minutes beside a NumPy loop that computes each fleet minute by minute.

    python -m benchmarks.simulation [--quick] [--rounds 5] [--json benchmarks/out/simulation.json]

Six lanes, 40 instance types, 200 draws, one year at one-minute steps, without and with bursts within the minute. The peer is
what one writes at first: for each fleet and each draw the instances of all minutes as one NumPy array; it runs on a few of the
48,000 and is scaled up. Both find the same instance-hours. Exit code 0: measured; 1: cannot (says why).
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.command import OUT, parse, run, say, write
from infra.config import Stage
from infra.cost.prices.file import load_price_book
from infra.cost.profile import Conditions, LaneProfile, MeasuredBundle, WorkloadProfile
from infra.cost.simulation.arrivals import Arrivals, Burst, Floats
from infra.cost.simulation.draws import draw
from infra.cost.simulation.fleet import Fleet, FleetRule
from infra.cost.simulation.year import Setup, simulate
from infra.cost.traffic.profile import TrafficProfile
from infra.cost.traffic.shape import generate_bursty_fortnight, load_shape
from infra.errors import KitError

LANES = ("lambda", "on_demand", "mixed", "hybrid", "fargate", "managed")
"""Of the eight; the other two add a sixth each."""
TYPES, DRAWS, PEER_FLEETS = 40, 200, 20
FIGURES: dict[str, Any] = {
    "searches": 5_000, "errors": 0, "cpu_ms_per_search": 7.0, "wait_ms": 400.0, "duration_p50_ms": 390.0,
    "duration_p99_ms": 1_300.0, "memory_mb": 120.0, "cold_start_ms": 400.0, "cold_start_samples": 5, "request_bytes": 500.0,
    "response_bytes": 20_000.0, "upstream_bytes_in": 150_000.0, "upstream_bytes_out": 15_000.0,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    about, started = machine.describe(), datetime.now(UTC)
    try:
        rounds = [_round(_year(30 if options.quick else 365), number) for number in range(options.rounds)]
    except KitError as error:
        say(f"simulation: {error}")
        return 1
    document = {
        "benchmark": "simulation",
        "started": started.isoformat(timespec="seconds"),
        "quick": options.quick,
        "machine": about,
        "fleets": len(LANES) * TYPES * DRAWS,
        "cpu_s": {name: round(statistics.median(each[name] for each in rounds), 3) for name in rounds[0]},
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "rounds": rounds,
    }
    cpu: Any = document["cpu_s"]
    document["peer_over_ours"] = round(cpu["numpy_loop"] / cpu["sorted_minutes"], 1)
    _print(document)
    write(document, options.json)
    return 0


def _year(days: int) -> TrafficProfile:
    shape = msgspec.structs.replace(load_shape("fortnight"), days=days, step_s=60)
    return generate_bursty_fortnight(shape, peak_rps=1_000)


def _round(traffic: TrafficProfile, number: int) -> dict[str, float]:
    book = load_price_book("us-east-1")
    types = [name for name, each in book.instances.items() if each.architecture == "arm64" and each.spot][:TYPES]
    setup = Setup(stage=Stage(), objective_s=2.5)
    figures = {}
    for name, burst in (("sorted_minutes", Burst()), ("sorted_minutes_bursts", Burst(factor=2.0))):
        began, wall = time.process_time(), time.perf_counter()
        simulate(Arrivals(traffic, burst), draw(_profile(), DRAWS, seed=number), book, types, setup, lanes=LANES)
        figures[name] = time.process_time() - began
        say(f"round {number + 1}: {name} {figures[name]:.2f} s of CPU, {time.perf_counter() - wall:.2f} s")
    began = time.process_time()
    _check(traffic, [_minute_by_minute(np.asarray(traffic.rates), 100.0 + each) for each in range(PEER_FLEETS)])
    figures["numpy_loop"] = (time.process_time() - began) / PEER_FLEETS * (len(LANES) - 1) * TYPES * DRAWS
    say(f"round {number + 1}: numpy_loop {figures['numpy_loop']:.0f} s of CPU, from {PEER_FLEETS} fleets")
    return figures


def _minute_by_minute(rates: Floats, rps: float) -> tuple[float, float]:
    """Instance-hours and minutes missed of one fleet, 2 to 100 instances at 60%."""
    asked = np.ceil(rates / (rps * 0.6) - 1e-9)
    billed, serving = asked.copy(), np.roll(asked, 2)
    for ago in range(1, 16):
        billed = np.maximum(billed, np.roll(asked, ago))
        if ago > 2:
            serving = np.maximum(serving, np.roll(asked, ago))
    return float(np.clip(billed, 2, 100).sum()) / 60, float((rates > np.clip(serving, 2, 100) * rps).sum())


def _check(traffic: TrafficProfile, walked: list[tuple[float, float]]) -> None:
    rule = FleetRule(minimum=2, maximum=100, on_demand_base=2, spot_share=0.8, target=0.6, boot_s=60.0)
    ours = Fleet(Arrivals(traffic), rule).run(100.0 + np.arange(PEER_FLEETS, dtype=np.float64))
    for number, (hours, minutes) in enumerate(walked):
        found = ours.on_demand_hours[number] + ours.spot_hours[number], ours.missed_s[number] / 60
        if not np.allclose(found, (hours, minutes)):
            raise KitError(f"fleet {number}: {found} instance-hours and minutes missed, minute by minute {hours, minutes}")


def _profile() -> WorkloadProfile:
    """Figures made up: what is timed does not depend on them."""
    lane = LaneProfile(**FIGURES)
    return WorkloadProfile(
        measured_at="2026-11-20T10:00:00Z",
        machine="made up",
        bundle=MeasuredBundle(sha256="0" * 64, architecture="arm64", python="3.13", zip_bytes=1, unzipped_bytes=1),
        conditions=Conditions(
            searches_per_second=40.0, suppliers=45, supplier_latency="lognormal", duration_s=30.0,
            container_workers=2, lambda_environments=20,
        ),
        lambda_lane=lane,
        container_lane=lane,
    )  # fmt: skip


def _print(document: dict[str, Any]) -> None:
    table = Table(title=f"{document['fleets']:,} simulated years, CPU seconds")
    table.add_column("way")
    table.add_column("CPU s", justify="right")
    for name, value in document["cpu_s"].items():
        table.add_row(name, f"{value:,.2f}")
    Console().print(table)
    say(f"the NumPy loop takes {document['peer_over_ours']:,} times as long; peak memory {document['peak_memory_mib']} MiB")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation", description="A year of minutes on every lane.")
    return parse(
        parser,
        arguments,
        quick="one round, a month instead of a year",
        out=OUT / "simulation.json",
        rounds=5,
        quick_rounds=1,
        low=1,
        high=50,
        counted="rounds of each way",
    )


if __name__ == "__main__":
    run(main)
