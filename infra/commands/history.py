"""`crossover history`: what switches did, when, by whom and why, with the figures that each decision used."""

from __future__ import annotations

import sys
import time

import click

from infra.commands.at_stage import connected, stage_options


@click.command("history")
@stage_options
@click.option("--last", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many events.")
def command(stage: str, region: str | None, as_json: bool, last: int) -> None:
    """List the last events of a stage's switches, oldest first. `--json` has every figure that a decision used.

    \b
    Examples:
      crossover history --stage prod
      crossover history --stage prod --last 500 --json > switches.jsonl
    """
    import msgspec
    from rich.console import Console
    from rich.markup import escape

    events = connected(stage, region).store.history(last)
    if as_json:
        for event in events:
            sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    if not events:
        console.print(f"No switch of {stage} yet.")
    for event in events:
        moment = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(event.at))
        console.print(f"{moment}  {event.switch}  [bold]{event.phase:<11}[/bold] {escape(event.who)}: {escape(event.what)}")
