"""`crossover cost optimize`: the cheapest configuration that holds the objective, by trying them all."""

from __future__ import annotations

from dataclasses import asdict

import click

from infra.commands.cost.inputs import (
    objective_options,
    plain_table,
    read_inputs,
    say_prices,
    simulated,
    with_objective,
    with_prices,
)
from infra.commands.cost.traffic import Given, scenario_options
from infra.commands.printing import print_json, wide_console
from infra.cost.optimize import MEMORY_HEADROOM, Configuration, Memory, Search, memory_sizes, settings_of
from infra.cost.prices.file import load_price_book
from infra.cost.scenario import Scenario
from infra.cost.simulation.answer import TITLES
from infra.cost.simulation.draws import draw

NAMES = {**TITLES, "mixed": "Containers", "hybrid": "Hybrid"}


@click.command("optimize")
@scenario_options
@objective_options
@click.option("--types", help="Instance types, comma-separated.  [default: all that suit]")
@click.option("--regions", help="Regions with a price book, comma-separated.  [default: the stage's]")
@click.option("--draws", type=click.IntRange(1, 1_000), default=20, show_default=True, help="Worlds tried.")
@click.option("--top", type=click.IntRange(1, 100), default=3, show_default=True, help="Configurations shown of each lane.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, Lambda at every memory among it.")
def command(
    given: Given,
    objective_ms: float | None,
    budget: float,
    burst: float | None,
    types: str | None,
    regions: str | None,
    draws: int,
    top: int,
    as_json: bool,
) -> None:
    """Try every instance type, spot share and target utilization, and every Lambda memory, and say what is cheapest.

    \b
    Examples:
      crossover cost optimize --scenario examples/article.toml
      crossover cost optimize --profile out/demo/profile.json --shape fortnight --peak-rps 1000 --objective-ms 1500
      crossover cost optimize --profile out/demo/profile.json --rps 100 --types c7g.large,c7g.xlarge --json
    """
    read = with_objective(read_inputs(given), objective_ms)
    books = [load_price_book(region) for region in _names(regions) or [read.stage.region]]
    arrivals, setup = simulated(read, burst)
    search = Search(
        arrivals=arrivals,
        profile=read.profile,
        draws=draw(read.profile, draws, cpu_scale=read.options.cpu_scale),
        setup=setup,
        budget=budget,
        cpu_scale=read.options.cpu_scale,
    )
    found = search.run(books, _names(types) or None)
    sizes = memory_sizes(
        read.profile.lambda_lane,
        books[0],
        read.stage.architecture,
        cpu_scale=read.options.cpu_scale,
        objective_s=read.objective_s,
    )
    shown = [each for lane in ("lambda", "mixed", "hybrid") for each in _first(found, lane, top)]
    if as_json:
        print_json(with_prices(_document(read, budget, draws, found, shown, sizes), read, *books))
    else:
        _print(read, budget, found, shown, sizes)
        say_prices(read, *books)


def _names(text: str | None) -> list[str]:
    return [] if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _first(found: list[Configuration], lane: str, top: int) -> list[Configuration]:
    return [each for each in found if each.lane == lane][:top]


def _document(
    read: Scenario, budget: float, draws: int, found: list[Configuration], shown: list[Configuration], sizes: list[Memory]
) -> dict[str, object]:
    return {
        "schema": 1,
        "traffic": read.traffic.source,
        "workload": read.profile.machine,
        "objective": {"p99_ms": read.objective_s * 1000, "budget": budget},
        "draws": draws,
        "tried": len(found),
        "feasible": sum(each.feasible for each in found),
        "best": _configuration(found[0], read) if found[0].feasible else None,
        "lanes": [_configuration(each, read) for each in shown],
        "lambda_memory": [
            {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(each).items()}
            for each in sizes
        ],
    }


def _configuration(each: Configuration, read: Scenario) -> dict[str, object]:
    told = {name: round(value, 2) if isinstance(value, float) else value for name, value in asdict(each).items()}
    return {**told, "settings": settings_of(each, read.stage)}


def _print(read: Scenario, budget: float, found: list[Configuration], shown: list[Configuration], sizes: list[Memory]) -> None:
    title = (
        f"{read.traffic.source}: compute a month, p99 within {read.objective_s * 1000:,.0f} ms for {1 - budget:.2%} of the time"
    )
    table = plain_table(title, "Lane", "region", "configuration", "$ a month", "minutes missed")
    for each in shown:
        table.add_row(
            NAMES[each.lane],
            each.region,
            _said(each),
            f"{each.usd_per_month:,.2f}",
            f"{each.missed_s_per_month / 60:,.1f}",
            style="bold green" if each is found[0] and each.feasible else "" if each.feasible else "red",
        )
    console = wide_console()
    console.print(table)
    feasible = sum(each.feasible for each in found)
    console.print(f"{len(found):,} configurations tried, {feasible:,} hold the objective.")
    console.print(_memory_sentence(sizes, read.stage.lambda_lane.memory_mb))
    console.print(
        f"Load balancer, transfer and logs are left out. Workload: {read.profile.machine}",
    )


def _said(each: Configuration) -> str:
    if each.lane == "lambda":
        return f"{each.memory_mb} MB, p99 {each.p99_ms:,.0f} ms"
    return f"{each.instance_type}, {each.spot_percent}% spot, {each.target_utilization:.0%} target"


def _memory_sentence(sizes: list[Memory], now: int) -> str:
    possible = [each for each in sizes if each.refused is None]
    if not possible:
        return f"Lambda: no memory size holds the objective ({sizes[-1].refused})."
    best = min(possible, key=lambda each: (each.usd_per_million, each.memory_mb))
    figures = f"{best.duration_ms:,.0f} ms, ${best.usd_per_million:,.2f} a million searches (derived, not measured)"
    return (
        f"Lambda's cheapest memory is {best.memory_mb} MB (now {now}): {figures}, of those with {MEMORY_HEADROOM:g} × the "
        "measured peak."
    )
