"""`crossover lab drill`: a live stage, every drill on it, a table and `out/drills.json`. `make drills` calls it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.documents import json_bytes, write_whole
from infra.errors import KitError

if TYPE_CHECKING:
    from rich.table import Table

    from infra.lab.drills.run import Result


TABLE_WIDTH = 110


@click.command("drill")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--rounds", type=click.IntRange(1), default=1, show_default=True, help="How many times the short form.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/drills.json"), show_default=True)
@click.option("--speed", type=click.FloatRange(1), default=30.0, show_default=True, help="Lab seconds in each real one.")
@click.option("--stage", default="dev", show_default=True)
@click.option("--logs", type=click.Path(path_type=Path), help="Folder for the lab's logs.  [default: gone with the lab]")
@click.option("--list", "listed", is_flag=True, help="Name the drills and end.")
def drill(names: tuple[str, ...], rounds: int, out: Path, speed: float, stage: str, logs: Path | None, listed: bool) -> None:
    """Rehearse what may go wrong while traffic moves, on a stage in a lab, and tell what became of the requests.

    All drills, or those named. Exit code 1 where one did not end as it must.

    \b
    Examples:
      crossover lab drill
      crossover lab drill --list
      crossover lab drill switches --rounds 10
    """
    from rich.console import Console

    from infra.lab.drills.catalogue import chosen
    from infra.lab.drills.run import drill_lab, run_drills

    wanted = chosen(names)
    if listed:
        for each in wanted:
            click.echo(f"{each.name:24} {each.about}")
        return
    if logs is not None:
        logs.mkdir(parents=True, exist_ok=True)
    results: list[Result] = []
    names = tuple(each.name for each in wanted)
    write_results(out, results, names, rounds=rounds, speed=speed)
    try:
        with drill_lab(stage, speed=speed, logs=logs, progress=_say) as lab:
            for result in run_drills(lab, wanted, rounds=rounds, say=_say):
                click.echo(result.line)
                results.append(result)
                write_results(out, results, names, rounds=rounds, speed=speed)
    finally:
        if results:
            console = Console(highlight=False)
            Console(highlight=False, width=max(console.width, TABLE_WIDTH)).print(_table(results))
    missed = [result.figures.drill for result in results if result.missed]
    left = names[len(results) :]
    if missed or left:
        raise KitError(f"not as it must be: {', '.join([*missed, *(f'{name} (not run)' for name in left)])}")


def _say(text: str) -> None:
    click.echo(f"lab: {text}", err=True)


def _table(results: list[Result]) -> Table:
    from rich.table import Table

    table = Table("drill", "requests", "failed", "p99 / steady", "ended", "seconds", "reset", "")
    for result in results:
        figures = result.figures
        table.add_row(
            figures.drill,
            f"{figures.requests:,}",
            f"{figures.failed:,}",
            "" if figures.p99_ratio is None else f"{figures.p99_ratio:.2f}",
            figures.outcome,
            f"{figures.seconds:.0f}",
            "not" if result.reset_s is None else f"{result.reset_s:.0f}",
            "MISSED" if result.missed else "as it must be",
        )
    return table


def write_results(out: Path, results: list[Result], wanted: tuple[str, ...], *, rounds: int, speed: float) -> None:
    """Under `drills` the figures of each by its name, `missed` and `reset_s` among them; under `not_run` those still to come.
    Written before the first and after each, so that a run which is ended early leaves what it has measured, and nobody
    else's."""
    import platform
    from datetime import UTC, datetime

    import msgspec
    import psutil

    told = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {psutil.cpu_count()} CPUs",
        "rounds": rounds,
        "speed": speed,
        "not_run": list(wanted[len(results) :]),
        "drills": {
            result.figures.drill: {
                **msgspec.to_builtins(result.figures),
                "missed": list(result.missed),
                "reset_s": result.reset_s,
            }
            for result in results
        },
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, json_bytes(told))
