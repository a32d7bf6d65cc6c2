"""`python -m infra.lab.drills`: a live stage, every drill on it, a table and `out/drills.json`; exit code 1 where a drill's
criteria are not met."""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from infra.errors import KitError
from infra.lab.drills.catalogue import chosen
from infra.lab.drills.run import Result, drill_lab, run_drills


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=1, show_default=True, help="How many times the short form.")
@click.option("--only", "names", multiple=True, metavar="NAME", help="This drill; may be given again.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/drills.json"), show_default=True)
@click.option("--speed", type=click.FloatRange(1), default=30.0, show_default=True, help="Lab seconds in each real one.")
@click.option("--stage", default="dev", show_default=True)
@click.option("--logs", type=click.Path(path_type=Path), help="Folder for the lab's logs.  [default: gone with the lab]")
@click.option("--list", "listed", is_flag=True, help="Name the drills and end.")
def drills(rounds: int, names: tuple[str, ...], out: Path, speed: float, stage: str, logs: Path | None, listed: bool) -> None:
    """Rehearse what may go wrong while traffic moves, on a stage in a lab, and tell what became of the requests.

    \b
    Examples:
      python -m infra.lab.drills
      python -m infra.lab.drills --only switches --rounds 10
    """
    console = Console(highlight=False, soft_wrap=True)
    wanted = chosen(names)
    if listed:
        for drill in wanted:
            click.echo(f"{drill.name:24} {drill.about}")
        return
    if logs is not None:
        logs.mkdir(parents=True, exist_ok=True)
    results: list[Result] = []
    with drill_lab(stage, speed=speed, logs=logs, progress=_say) as lab:
        for result in run_drills(lab, wanted, rounds=rounds, say=_say):
            click.echo(result.line)
            results.append(result)
    console.print(_table(results))
    _write(out, results, rounds=rounds, speed=speed)
    missed = [result.figures.drill for result in results if result.missed]
    if missed or len(results) < len(wanted):
        raise KitError(f"not as it must be: {', '.join(missed) or 'not every drill was run'}")


def _say(text: str) -> None:
    click.echo(f"lab: {text}", err=True)


def _table(results: list[Result]) -> Table:
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


def _write(out: Path, results: list[Result], *, rounds: int, speed: float) -> None:
    """Under `drills` the figures of each by its name, `missed` and `reset_s` among them."""
    told = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {psutil.cpu_count()} CPUs",
        "rounds": rounds,
        "speed": speed,
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
    out.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")


def main() -> None:
    try:
        drills(standalone_mode=False)
    except KitError as error:
        click.echo(f"drills: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)


if __name__ == "__main__":
    main()
