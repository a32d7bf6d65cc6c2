"""`crossover cost crossover`: the rate at which the cheaper lane changes, over burstiness and waiting."""

from __future__ import annotations

from dataclasses import replace

import click
import numpy as np

from infra.commands.cost.inputs import plain_table, read_inputs, say_prices, with_prices, world_of
from infra.commands.cost.traffic import Given, scenario_options
from infra.commands.printing import print_json, wide_console
from infra.cost.simulation.arrivals import Burst
from infra.cost.surface import Surface
from infra.errors import InputError

BURSTS = "1,1.5,2,3,5,8"
WAITS = "0,0.25,0.5,1,2,4"
SHARE = 0.1


@click.command("crossover")
@scenario_options
@click.option("--bursts", default=BURSTS, show_default=True, help="Rate in the busiest tenth of an hour over its mean.")
@click.option("--waits", default=WAITS, show_default=True, help="Waiting as multiples of what was measured.")
@click.option("--rates", type=click.IntRange(2, 2_000), default=60, show_default=True, help="Rates of the surface, for --json.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, both lanes' months at every point among it.")
def command(
    given: Given,
    bursts: str,
    waits: str,
    rates: int,
    as_json: bool,
) -> None:
    """Find the mean rate at which the cheaper lane changes, for each burstiness and each share of the measured waiting.

    Traffic is a mean rate with one burst an hour; the options of traffic are not needed and change nothing.

    \b
    Examples:
      crossover cost crossover --scenario examples/article.toml
      crossover cost crossover --profile out/demo/profile.json --bursts 1,2,4 --waits 0.5,1,2
      crossover cost crossover --profile out/demo/profile.json --rates 200 --json
    """
    read = read_inputs(given if given.scenario or given.has_traffic else replace(given, rps=1.0))
    surface = Surface(world_of(read))
    factors, shares = _numbers("--bursts", bursts, 1, 1 / SHARE), _numbers("--waits", waits, 0, 1_000)
    found = [[surface.crossover(Burst(factor=factor, share=SHARE), wait) for wait in shares] for factor in factors]
    if as_json:
        document = _document(surface, factors, shares, found, rates)
        print_json(with_prices({"schema": 1, "workload": read.profile.machine, **document}, read, surface.world.book))
        return
    waiting = surface.world.profile.lambda_lane.wait_ms
    title = "Mean searches a second at which the cheaper lane changes: Lambda below, containers above"
    table = plain_table(title, "burst", *(f"waiting {waiting * wait:,.0f} ms" for wait in shares))
    for factor, row in zip(factors, found, strict=True):
        table.add_row(f"× {factor:g}", *("none" if each is None else f"{each:,.3g}" for each in row))
    console = wide_console()
    console.print(table)
    if any(each is None for row in found for each in row):
        console.print(
            f"none: one lane is the cheaper one up to the {surface.highest:,.0f}/s that {surface.fleet.max_instances} "
            "instances serve, less under bursts."
        )
    console.print(f"Bursts: the busiest tenth of each hour, over its mean. Workload: {read.profile.machine}")
    say_prices(read, surface.world.book)


def _document(
    surface: Surface, factors: list[float], shares: list[float], found: list[list[float | None]], count: int
) -> dict[str, object]:
    rates = np.geomspace(0.01, surface.highest / max(factors), count)
    waits = np.array(shares)[:, None]
    months = []
    for factor in factors:
        burst = Burst(factor=factor, share=SHARE)
        lanes = surface.lambda_usd(rates, burst, waits), surface.container_usd(rates, burst, waits)
        months.append([np.round(np.broadcast_to(each, (len(shares), count)), 2).tolist() for each in lanes])
    waiting = surface.world.profile.lambda_lane.wait_ms
    return {
        "bursts": factors,
        "burst_share": SHARE,
        "waits": shares,
        "wait_ms": [round(waiting * wait, 3) for wait in shares],
        "crossover_rps": [[None if each is None else round(each, 4) for each in row] for row in found],
        "rates_rps": [round(float(rate), 6) for rate in rates],
        "lambda_usd_per_month": [on_lambda for on_lambda, _ in months],
        "container_usd_per_month": [on_containers for _, on_containers in months],
    }


def _numbers(option: str, text: str, least: float, most: float) -> list[float]:
    try:
        found = [float(each) for each in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(least <= each <= most for each in found):
        raise InputError(f"{option}: {text!r} must be numbers from {least:g} to {most:g}, separated by commas")
    return found
