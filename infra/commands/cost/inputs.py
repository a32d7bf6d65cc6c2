"""What the cost commands that search and vary have in common: a scenario, or a profile and traffic; a table of figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import click
from rich import box
from rich.table import Table

from infra.commands.cost.traffic import Command, Given
from infra.config import DEFAULT_STAGE, Stage
from infra.cost.lane import CostOptions
from infra.cost.minimums import lay_out, unknown_minimums
from infra.cost.prices.book import PriceBook
from infra.cost.prices.file import load_price_book
from infra.cost.profile import read_profile
from infra.cost.scenario import Scenario, load_scenario
from infra.cost.simulation.arrivals import Arrivals, Burst
from infra.cost.simulation.year import Setup
from infra.cost.world import World
from infra.errors import InputError
from infra.stage_file import DEFAULT_FILE, load_stage

DEFAULT_OBJECTIVE_S = 2.5
OBJECTIVE = (
    click.option("--objective-ms", type=click.FloatRange(1, 900_000), help="99th percentile to hold.  [default: 2500]"),
    click.option("--budget", type=click.FloatRange(0, 1), default=1e-3, show_default=True, help="Share of time that may miss."),
    click.option("--burst", type=float, help="Rate within a step's busiest tenth over its mean.  [default: 1]"),
)


def objective_options(command: Command) -> Command:
    """What both lanes are held to: `objective_ms`, `budget` and `burst`."""
    for option in reversed(OBJECTIVE):
        command = option(command)
    return command


def read_inputs(given: Given) -> Scenario:
    """The scenario of the file, or one made of the options; `InputError` where they contradict."""
    today = datetime.now(tz=UTC).date()
    if given.scenario is not None:
        if given.has_traffic or given.stage_name is not None:
            raise InputError("traffic and stage: stand in the scenario; give them there, or leave out --scenario")
        return load_scenario(given.scenario, report_date=today, profile=given.profile)
    profile = given.measured()
    stage: Stage = DEFAULT_STAGE if given.stage_name is None else load_stage({"stage": given.stage_name}, DEFAULT_FILE)
    return Scenario(
        name="command line",
        about="",
        profile=read_profile(profile),
        traffic=given.read_traffic(),
        burst=Burst(),
        stage=stage,
        options=CostOptions(report_date=today),
        objective_s=DEFAULT_OBJECTIVE_S,
    )


def world_of(read: Scenario) -> World:
    """What the scenario is priced from; `InputError` where its region has no price book."""
    return World(
        profile=read.profile,
        traffic=read.traffic,
        book=load_price_book(read.stage.region),
        stage=read.stage,
        options=read.options,
    )


def with_objective(read: Scenario, objective_ms: float | None) -> Scenario:
    return read if objective_ms is None else replace(read, objective_s=objective_ms / 1000)


def simulated(read: Scenario, burst: float | None) -> tuple[Arrivals, Setup]:
    """The scenario's traffic, with another burst where one is given, and what the simulation is held to."""
    arrivals = Arrivals(lay_out(read.traffic, read.stage.container_lane), read.burst if burst is None else Burst(factor=burst))
    return arrivals, Setup(
        stage=read.stage,
        objective_s=read.objective_s,
        month_hours=float(read.options.month_hours),
        account_concurrency=read.options.account_concurrency,
    )


def with_prices(document: dict[str, object], read: Scenario, *books: PriceBook) -> dict[str, object]:
    """The answer as JSON, with the day of its prices, and whether they are out of date; `not_simulated` where something is."""
    day = read.options.report_date
    told = [{"region": book.region, "as_of": book.as_of.isoformat(), "stale": book.is_stale(day)} for book in books]
    gap = unknown_minimums(read.stage.container_lane, read.traffic)
    return {**document, "prices": told, **({"not_simulated": [gap]} if gap else {})}


def say_prices(read: Scenario, *books: PriceBook) -> None:
    """Below each answer: whose prices, whether they are out of date, and what is not simulated."""
    gap = unknown_minimums(read.stage.container_lane, read.traffic)
    if gap:
        click.echo(f"Not simulated: {gap}")
    day = read.options.report_date
    for book in books:
        stale = f"; {(day - book.as_of).days} days old: out of date" if book.is_stale(day) else ""
        click.echo(f"Prices: {book.region}, book of {book.as_of}{stale}")


def plain_table(title: str, first: str, *figures: str) -> Table:
    """A table whose first column is words and whose others are figures."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(first)
    for name in figures:
        table.add_column(name, justify="right")
    return table
