"""`crossover schedule`: switches by the clock, as entries of EventBridge Scheduler that start the stage's switcher."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands.at_stage import aws_of, confirm, stage_options
from infra.commands.printing import print_json, wide_console
from infra.errors import InputError
from infra.operating.scheduled import chosen, document

if TYPE_CHECKING:
    from infra.switching.aws.schedules import Entry, Listed, Schedules
    from infra.switching.schedule import Change, Schedule


@click.group("schedule")
def command() -> None:
    """Switch by the clock: `container on weekdays 07-22, Lambda at night`.

    \b
    Examples:
      crossover schedule set week.toml --stage prod --saving saving.json
      crossover schedule list --stage prod
      crossover schedule pause --stage prod
      crossover schedule remove mon-fri-0700-container --stage prod

    The stage must be deployed with switch.scheduled=true, which makes the function that switches. docs/operate.md has the file.
    """


@command.command("set")
@click.argument("file", type=click.Path(path_type=Path))
@stage_options
@click.option("--saving", type=click.Path(path_type=Path), help="What `crossover cost schedule --json` wrote, to show beside.")
@click.option("--dry-run", is_flag=True, help="Check the file and print what it would change; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for the stage's name.")
def set_(file: Path, stage: str, region: str | None, as_json: bool, saving: Path | None, dry_run: bool, yes: bool) -> None:
    """Make the stage's scheduled switches those of FILE, and no others; a paused one stays paused.

    \b
    Examples:
      crossover schedule set week.toml --stage prod --dry-run
      crossover schedule set week.toml --stage prod --saving saving.json --yes --json

    Exit codes: 0 done, 1 refused, 2 the file is wrong.
    """
    from infra.commands.schedule_entries import entry_of
    from infra.switching.schedule import read_schedule
    from infra.switching.schedule_saving import read_hours, savings

    schedule = read_schedule(file, datetime.now().astimezone().date())
    saved = savings(schedule, None if saving is None else read_hours(saving), time.time())
    source = None if saving is None else read_hours(saving).traffic
    entries = {each.name: (each, entry_of(schedule, each, stage, saved, source)) for each in schedule.changes}
    schedules = _schedules(stage, region)
    there = {each.name: each for each in schedules.all()}
    changes = _changes(schedule, entries, there)
    if changes and not dry_run:
        confirm(stage, f"This schedules {len(entries)} switches of live traffic.", yes=yes)
        for name, what in changes.items():
            _make(schedules, schedule, entries, there, name, what)
    if as_json:
        print_json({"changes": changes, "entries": [document(each, time.time()) for each in schedules.all()]})
        return
    for name, what in changes.items():
        click.echo(f"crossover: {'would be ' if dry_run else ''}{what}: {name}", err=True)
    if not changes:
        click.echo("crossover: the schedule is so already", err=True)
    _print(stage, schedules.all())


@command.command("list")
@stage_options
def list_(stage: str, region: str | None, as_json: bool) -> None:
    """List the stage's scheduled switches, when each is due next, and what it saves.

    \b
    Examples:
      crossover schedule list --stage prod
      crossover schedule list --stage prod --json
    """
    found = _schedules(stage, region).all()
    if as_json:
        print_json({"entries": [document(each, time.time()) for each in found]})
    else:
        _print(stage, found)


@command.command("pause")
@click.argument("names", nargs=-1)
@stage_options
def pause(names: tuple[str, ...], stage: str, region: str | None, as_json: bool) -> None:
    """Leave out scheduled switches until `resume`: NAMES, or all. One that is under way goes on (`crossover pause`).

    \b
    Examples:
      crossover schedule pause --stage prod
      crossover schedule pause mon-fri-0700-container --stage prod
    """
    _set_states(names, stage, region, as_json, on=False)


@command.command("resume")
@click.argument("names", nargs=-1)
@stage_options
def resume(names: tuple[str, ...], stage: str, region: str | None, as_json: bool) -> None:
    """Let scheduled switches happen again: NAMES, or all. What was due meanwhile is not made up for.

    \b
    Examples:
      crossover schedule resume --stage prod
      crossover schedule resume mon-fri-0700-container --stage prod
    """
    _set_states(names, stage, region, as_json, on=True)


@command.command("remove")
@click.argument("names", nargs=-1)
@stage_options
@click.option("--all", "everything", is_flag=True, help="All of the stage's.")
def remove(names: tuple[str, ...], stage: str, region: str | None, as_json: bool, everything: bool) -> None:
    """Take scheduled switches out: NAMES, or --all. Traffic stays as it is.

    \b
    Examples:
      crossover schedule remove mon-fri-0700-container --stage prod
      crossover schedule remove --all --stage prod
    """
    if bool(names) == everything:
        raise InputError("remove: name scheduled switches, or say --all")
    schedules = _schedules(stage, region)
    for each in chosen(schedules, names):
        schedules.remove(each.name)
        click.echo(f"crossover: removed: {each.name}", err=True)
    if as_json:
        print_json({"entries": [document(each, time.time()) for each in schedules.all()]})


def _schedules(stage: str, region: str | None) -> Schedules:
    from infra.switching.aws.schedules import Schedules, find_place

    aws = aws_of(stage, region)
    return Schedules(aws, find_place(aws, stage))


def _set_states(names: tuple[str, ...], stage: str, region: str | None, as_json: bool, *, on: bool) -> None:
    from infra.operating.scheduled import set_states

    schedules = _schedules(stage, region)
    set_states(schedules, names, on=on, told=lambda said: click.echo(f"crossover: {said}", err=True))
    if as_json:
        print_json({"entries": [document(each, time.time()) for each in schedules.all()]})


def _changes(schedule: Schedule, entries: Mapping[str, tuple[Change, Entry]], there: Mapping[str, Listed]) -> dict[str, str]:
    """By name, what is to be done: added, changed or removed. What another tool put into the group is left alone."""
    told = {}
    for name, (change, entry) in entries.items():
        before = there.get(name)
        if before is None:
            told[name] = "added"
        elif (before.expression, before.timezone, before.entry) != (change.expression, schedule.timezone, entry):
            told[name] = "changed"
    return told | {name: "removed" for name, each in there.items() if name not in entries and each.entry is not None}


def _make(
    schedules: Schedules,
    schedule: Schedule,
    entries: Mapping[str, tuple[Change, Entry]],
    there: Mapping[str, Listed],
    name: str,
    what: str,
) -> None:
    from infra.switching.aws.schedules import ON

    if what == "removed":
        schedules.remove(name)
        return
    change, entry = entries[name]
    state = there[name].state if name in there else ON
    schedules.write(entry, change.expression, schedule.timezone, state=state, new=name not in there)


def _print(stage: str, found: tuple[Listed, ...]) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    console = wide_console()  # `remove` wants the names whole
    if not found:
        console.print(f"No scheduled switch of {stage}.")
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title=f"Scheduled switches of {stage}", title_justify="left")
    for column in ("name", "to", "timezone", "next", "saves a month"):
        table.add_column(column, no_wrap=True, justify="right" if column.startswith("saves") else "left")
    known = [Decimal(each.entry.saves_usd) for each in found if each.entry is not None and each.entry.saves_usd is not None]
    for each in (document(one, time.time()) for one in found):
        saves = each["saves_usd_per_month"]
        due = "paused" if each["state"] != "enabled" else (each["next"] or each["expression"]).replace("T", " ")[:16]
        table.add_row(
            escape(each["name"]), each["to"] or "-", each["timezone"], due, "-" if saves is None else f"${Decimal(saves):,.2f}"
        )
    console.print(table)
    if known:
        console.print(
            f"Together ${sum(known, Decimal(0)):,.2f} a month over staying on the other lane each time: compute alone, without "
            "the instances that a switch keeps or boots; `crossover cost schedule` has both."
        )
    else:
        console.print("- is not known: `set … --saving FILE` with what `crossover cost schedule --json` writes.")
