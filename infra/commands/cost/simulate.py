"""`crossover cost simulate`: the traffic minute by minute on every lane and instance type, with bands of uncertainty."""

from __future__ import annotations

from dataclasses import asdict, replace

import click
from rich import box
from rich.table import Table

from infra.commands.cost.inputs import objective_options, read_inputs, say_prices, simulated, with_objective, with_prices
from infra.commands.cost.traffic import Given, scenario_options
from infra.commands.printing import print_json, wide_console
from infra.cost.prices.book import PriceBook
from infra.cost.prices.file import load_price_book
from infra.cost.savings import covers
from infra.cost.scenario import Scenario
from infra.cost.simulation.answer import TITLES, Best, best_of_each_lane
from infra.cost.simulation.arrivals import Arrivals
from infra.cost.simulation.draws import Draws, Uncertainty, draw
from infra.cost.simulation.plans import SERVICES
from infra.cost.simulation.year import Setup, simulate, suitable_types, without_rate
from infra.errors import InputError


@click.command("simulate")
@scenario_options
@objective_options
@click.option("--types", help="Instance types, comma-separated.  [default: all that suit]")
@click.option("--savings-plan", help="Commit to a plan of the price book, where it covers a lane, as `compute-1y`.")
@click.option("--draws", type=click.IntRange(1, 10_000), default=200, show_default=True, help="Worlds tried.")
@click.option("--seed", type=int, default=7, show_default=True, help="Of the draws; the same seed, the same figures.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(
    given: Given,
    objective_ms: float | None,
    burst: float | None,
    budget: float,
    types: str | None,
    savings_plan: str | None,
    draws: int,
    seed: int,
    as_json: bool,
) -> None:
    """Run the traffic on eight lanes and every instance type, and say which holds the objective for the least.

    \b
    Examples:
      crossover cost simulate --scenario examples/article.toml
      crossover cost simulate --profile out/demo/profile.json --shape fortnight --peak-rps 1000 --burst 2
      crossover cost simulate --profile out/demo/profile.json --traffic year.csv --types c7g.large,m7g.large --json
    """
    read = with_objective(read_inputs(given), objective_ms)
    arrivals, setup = simulated(read, burst)
    setup = replace(setup, savings_plan=savings_plan)
    book = load_price_book(read.stage.region)
    worlds = draw(read.profile, draws, cpu_scale=read.options.cpu_scale, seed=seed)
    tried = _types(types, book, read)
    unknown = without_rate(book, tried, setup)
    outcomes = simulate(arrivals, worlds, book, tried, setup)
    month_s = setup.month_hours * 3600
    answer = best_of_each_lane(outcomes, month_s=month_s, budget=budget)
    if as_json:
        print_json(with_prices(_document(read, arrivals, setup, worlds, budget, answer, unknown), read, book))
    else:
        _print(read, arrivals, setup, worlds, budget, answer)
        for said in _plan_said(setup, answer, unknown):
            click.echo(said)
        say_prices(read, book)


def _types(given: str | None, book: PriceBook, read: Scenario) -> list[str]:
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip()]
    found = suitable_types(book, read.stage, read.profile.container_lane)
    if not found:
        raise InputError(f"no instance type of {read.stage.architecture} in the book holds the workers; give --types")
    return found


def _document(
    read: Scenario,
    arrivals: Arrivals,
    setup: Setup,
    worlds: Draws,
    budget: float,
    answer: list[Best],
    unknown: dict[str, list[str]],
) -> dict[str, object]:
    return {
        "schema": 1,
        "traffic": {"source": read.traffic.source, "steps": len(arrivals.rates), "step_s": arrivals.step_s},
        "burst": {"factor": arrivals.burst.factor, "share": arrivals.burst.share},
        "objective": {"p99_ms": setup.objective_s * 1000, "budget": budget},
        "draws": worlds.count,
        "seed": worlds.seed,
        "uncertainty": asdict(worlds.uncertainty),
        "workload": read.profile.machine,
        "savings_plan": None if setup.savings_plan is None else {"plan": setup.savings_plan, "no_rate": unknown},
        "lanes": {each.lane: _rounded(each) for each in answer},
    }


def _plan_said(setup: Setup, answer: list[Best], unknown: dict[str, list[str]]) -> list[str]:
    """What a plan was taken to cover, and which lanes are unknown for want of a rate."""
    if setup.savings_plan is None:
        return []
    covered = [name for name in SERVICES if covers(setup.savings_plan, SERVICES[name])]
    names = ", ".join(TITLES[name] for name in covered)
    said = [
        f"Savings plan {setup.savings_plan}, committed to for the measured world: {names}; never spot, App Runner, requests, "
        "overflow to Lambda or the fee for Managed Instances."
    ]
    there = {each.lane for each in answer}
    for lane, types in unknown.items():
        left_out = f"left out: {', '.join(types)}" if lane in there else "unknown"
        said.append(
            f"{TITLES[lane]}: {left_out}; the price book has no rate of {setup.savings_plan} (`crossover prices refresh`)"
        )
    return said


def _rounded(best: Best) -> dict[str, object]:
    told = asdict(best)
    del told["lane"]
    for band in ("usd_per_month", "missed_s_per_month", "lost_per_month"):
        told[band] = {name: round(value, 2) for name, value in told[band].items()}
    return told


def _print(read: Scenario, arrivals: Arrivals, setup: Setup, worlds: Draws, budget: float, answer: list[Best]) -> None:
    spread: Uncertainty = worlds.uncertainty
    objective = f"p99 within {setup.objective_s * 1000:,.0f} ms for {1 - budget:.2%} of the time"
    title = f"{read.traffic.source}: compute a month, {objective}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("Lane, at its cheapest instance type")
    for name in ("$ low", "$ typical", "$ high", "minutes missed", "types that hold it"):
        table.add_column(name, justify="right")
    cheapest = min((each for each in answer if each.feasible), key=lambda each: each.usd_per_month.typical, default=None)
    for each in answer:
        title = TITLES[each.lane] + (f", {each.instance_type}" if each.instance_type else "")
        usd = each.usd_per_month
        style = "bold green" if each is cheapest else "" if each.feasible else "red"
        table.add_row(
            title,
            *(f"{value:,.0f}" for value in (usd.low, usd.typical, usd.high)),
            f"{each.missed_s_per_month.typical / 60:,.1f}",
            f"{each.fit} of {each.tried}",
            style=style,
        )
    console = wide_console()
    console.print(table)
    steps = len(arrivals.rates)
    console.print(
        f"{steps:,} step{'' if steps == 1 else 's'} of {arrivals.step_s} s, {worlds.count} draws: CPU ±{spread.cpu:.0%}, "
        f"waiting ±{spread.wait:.0%}, spot prices ±{spread.spot_price:.0%}, {spread.losses_per_pool_month:g} loss a spot pool "
        "a month; bands are the 5th and 95th percentile. Load balancer and transfer, the same before every lane, are left out; "
        "so are burstable types and those whose memory does not hold the workers."
    )
    console.print(f"Workload: {read.profile.machine}")
