"""`crossover cost schedule`: the cheaper lane hour by hour, and what a schedule or the hybrid saves over one lane alone."""

from __future__ import annotations

from dataclasses import dataclass

import click
import numpy as np

from infra.commands.cost.inputs import (
    objective_options,
    plain_table,
    read_inputs,
    say_prices,
    simulated,
    with_objective,
    with_prices,
    world_of,
)
from infra.commands.cost.traffic import Given, scenario_options
from infra.commands.printing import print_json, wide_console
from infra.cost.scenario import Scenario
from infra.cost.schedule import Schedule, Week, best_schedule, week
from infra.cost.simulation.draws import draw
from infra.cost.simulation.hours import hour_by_hour
from infra.cost.simulation.year import simulate

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
TITLES = {"lambda": "Lambda alone", "container": "Containers alone", "schedule": "Schedule", "hybrid": "Hybrid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to serve the traffic: dollars of compute and seconds missed a month."""

    name: str
    usd: float
    missed_s: float
    holds: bool


@click.command("schedule")
@scenario_options
@objective_options
@click.option("--switches", type=click.IntRange(0, 24), default=2, show_default=True, help="Switches a day at most.")
@click.option("--keep", type=click.IntRange(0, 1_000), default=1, show_default=True, help="Instances kept while Lambda serves.")
@click.option("--now", type=click.Choice(["lambda", "container"]), default="lambda", show_default=True, help="Lane in use.")
@click.option("--effort-usd", type=click.FloatRange(min=0), help="What changing over costs; for the break-even in days.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, every hour of the week among it.")
def command(
    given: Given,
    objective_ms: float | None,
    budget: float,
    burst: float | None,
    switches: int,
    keep: int,
    now: str,
    effort_usd: float | None,
    as_json: bool,
) -> None:
    """Say which lane is cheaper in each hour, and what a daily schedule or the hybrid saves at the same objective.

    \b
    Examples:
      crossover cost schedule --scenario examples/article.toml
      crossover cost schedule --profile out/demo/profile.json --shape fortnight --peak-rps 20 --effort-usd 5000
      crossover cost schedule --profile out/demo/profile.json --traffic year.csv --now container --switches 4 --json
    """
    read = with_objective(read_inputs(given), objective_ms)
    book = world_of(read).book
    arrivals, setup = simulated(read, burst)
    hours = hour_by_hour(arrivals, read.profile, book, setup, cpu_scale=read.options.cpu_scale)
    days = {"start": read.traffic.start, "month_hours": setup.month_hours, "keep": keep}
    schedule = best_schedule(hours, switches=switches, **days)  # type: ignore[arg-type]
    first = read.stage.container_lane.instance_types[0]
    outcomes = simulate(arrivals, draw(read.profile, 1, cpu_scale=read.options.cpu_scale), book, [first], setup)
    hybrid = next(each for each in outcomes if each.lane == "hybrid")
    month = setup.month_hours / len(hours.lambda_usd)
    figures = {
        "lambda": (float(hours.lambda_usd.sum()) * month, float(hours.lambda_missed_s.sum()) * month),
        "container": (float(hours.container_usd.sum()) * month, float(hours.container_missed_s.sum()) * month),
        "schedule": (schedule.usd_per_month, schedule.missed_s_per_month),
        "hybrid": (float(np.median(hybrid.usd)), float(np.median(hybrid.missed_s))),
    }
    allowed = budget * setup.month_hours * 3600
    choices = [Choice(name=name, usd=usd, missed_s=missed, holds=missed <= allowed) for name, (usd, missed) in figures.items()]
    hourly = week(hours, read.traffic.start)
    if as_json:
        told = _document(read, budget, choices, schedule, hourly, now, effort_usd, setup.month_hours)
        print_json(with_prices(told, read, book))
    else:
        _print(read, budget, choices, schedule, hourly, now, effort_usd, setup.month_hours)
        say_prices(read, book)


def break_even_days(choice: Choice, current: Choice, effort_usd: float | None, month_hours: float) -> float | None:
    """Days until what is saved has paid the effort; None where nothing is saved, or no effort is given."""
    saved = (current.usd - choice.usd) * 24 / month_hours
    return None if effort_usd is None or saved <= 0 else effort_usd / saved


def _document(
    read: Scenario,
    budget: float,
    choices: list[Choice],
    schedule: Schedule,
    hourly: Week,
    now: str,
    effort_usd: float | None,
    month_hours: float,
) -> dict[str, object]:
    current = next(each for each in choices if each.name == now)
    days = [break_even_days(each, current, effort_usd, month_hours) for each in choices]
    return {
        "schema": 1,
        "traffic": read.traffic.source,
        "workload": read.profile.machine,
        "objective": {"p99_ms": read.objective_s * 1000, "budget": budget},
        "now": now,
        "effort_usd": effort_usd,
        "choices": {
            each.name: {
                "usd_per_month": round(each.usd, 2),
                "missed_s_per_month": round(each.missed_s, 2),
                "holds": each.holds,
                "saves_usd_per_month": round(current.usd - each.usd, 2) + 0.0,  # no negative zero
                "break_even_days": None if day is None else round(day, 1),
            }
            for each, day in zip(choices, days, strict=True)
        },
        "schedule": {
            "lanes": list(schedule.lanes),
            "switches": [{"hour": hour, "to": lane} for hour, lane in schedule.switches],
        },
        "hours": [
            {"hour": hour, "lambda_usd": round(functions, 4), "container_usd": round(instances, 4), "best": best}
            for hour, (functions, instances, best) in enumerate(
                zip(hourly.lambda_usd, hourly.container_usd, hourly.best, strict=True)
            )
        ],
    }


def _print(
    read: Scenario,
    budget: float,
    choices: list[Choice],
    schedule: Schedule,
    hourly: Week,
    now: str,
    effort_usd: float | None,
    month_hours: float,
) -> None:
    current = next(each for each in choices if each.name == now)
    title = (
        f"{read.traffic.source}: compute a month, p99 within {read.objective_s * 1000:,.0f} ms for {1 - budget:.2%} of the time"
    )
    table = plain_table(title, "Choice", "$ a month", "minutes missed", f"saves over {TITLES[now]}", "pays back in")
    best = min((each for each in choices if each.holds), key=lambda each: each.usd, default=None)
    for each in choices:
        days = break_even_days(each, current, effort_usd, month_hours)
        table.add_row(
            TITLES[each.name],
            f"{each.usd:,.2f}",
            f"{each.missed_s / 60:,.1f}",
            f"{round(current.usd - each.usd, 2) + 0.0:,.2f}",
            "" if days is None else f"{days:,.0f} days",
            style="bold green" if each is best else "" if each.holds else "red",
        )
    console = wide_console()
    console.print(table)
    for line in _week_lines(hourly):
        console.print(line)
    console.print(f"Schedule: {_said(schedule)}")
    console.print(
        "C: containers cheaper in this hour, L: Lambda. Hours are UTC where the traffic has times, else from its start. Load "
        f"balancer, transfer and logs are left out. Workload: {read.profile.machine}",
    )


def _week_lines(hourly: Week) -> list[str]:
    marks = "".join("C" if lane == "container" else "L" for lane in hourly.best)
    rows = [marks[at : at + 24] for at in range(0, len(marks), 24)]
    names = DAYS if len(rows) == len(DAYS) else ("Day",)
    return [f"{name:<4}{row[:6]} {row[6:12]} {row[12:18]} {row[18:]}" for name, row in zip(names, rows, strict=True)]


def _said(schedule: Schedule) -> str:
    if not schedule.switches:
        return f"{TITLES[schedule.lanes[0]]} all day; no switch pays"
    return "; ".join(f"{hour:02}:00 to {'containers' if lane == 'container' else 'Lambda'}" for hour, lane in schedule.switches)
