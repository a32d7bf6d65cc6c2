"""`crossover simulator`: serve the simulated suppliers."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from infra.lab.simulator.faults import KINDS, Latency, read_scenario
from infra.lab.simulator.inventory import SUPPLIERS, inventory
from infra.lab.simulator.serve import serve
from infra.lab.simulator.service import Simulator

FAULTS = "\n".join(f"  {kind:10} {meaning}" for kind, meaning in KINDS.items())


@click.command("simulator", epilog="\b\nFaults, for --scenario and PUT /_sim/faults/<supplier or *>:\n" + FAULTS)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8900, show_default=True, help="0 takes a free port.")
@click.option("--seed", default=7, show_default=True, help="Of the hotels, prices and latencies.")
@click.option("--latency", default="lognormal", show_default=True, help="lognormal (median 60 ms, p99 500 ms) or fixed:MS.")
@click.option("--scenario", type=click.Path(path_type=Path, dir_okay=False), help="TOML file with latency and faults.")
@click.option("--write-content", type=click.Path(path_type=Path, dir_okay=False), help="Write the content index and stop.")
def command(host: str, port: int, seed: int, latency: str, scenario: Path | None, write_content: Path | None) -> None:
    """Serve all simulated suppliers from one process, each at /<supplier id>/ in its published wire format.

    \b
    Examples:
      crossover simulator
      crossover simulator --port 0 --latency fixed:5
      curl -X PUT --data status:500 http://127.0.0.1:8900/_sim/faults/rapid-01
      curl http://127.0.0.1:8900/_sim/stats
    """
    if write_content is not None:
        write_content.write_bytes(content_bytes(seed))
        click.echo(f"wrote {write_content}", err=True)
        return
    played = read_scenario(scenario) if scenario else None
    simulator = Simulator(seed, Latency(played.latency if played else latency, seed), played.faults if played else None)
    click.echo(f"simulating {len(SUPPLIERS)} suppliers, seed {seed}, latency {simulator.latency.spec}", err=True)
    serve(simulator, host, port)


def content_bytes(seed: int) -> bytes:
    """The content index of a seed, as the shipped file holds it."""
    return msgspec.json.encode(inventory(seed).content()) + b"\n"
