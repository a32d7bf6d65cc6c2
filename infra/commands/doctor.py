"""`crossover doctor`: what is not as the last switch left it, and how to mend it; reads only."""

from __future__ import annotations

import sys

import click

from infra.commands.at_stage import connected, stage_options
from infra.errors import KitError
from infra.operating.stage import asked_weights


@click.command("doctor")
@stage_options
def command(stage: str, region: str | None, as_json: bool) -> None:
    """Compare parameter, rule, the switch's record, deployed templates and stages.toml, and say how to mend what differs.

    \b
    Examples:
      crossover doctor --stage prod
      crossover doctor --stage prod --json

    Exit codes: 0 nothing differs, 1 something does.
    """
    import msgspec
    from rich.console import Console
    from rich.markup import escape

    from infra.switching.doctor import diagnose

    findings = diagnose(connected(stage, region).places(asked_weights(stage)))
    if as_json:
        found = [{"what": each.what, "mend": each.mend} for each in findings]
        sys.stdout.write(msgspec.json.encode({"stage": stage, "findings": found}).decode() + "\n")
    else:
        console = Console(highlight=False, soft_wrap=True)
        for each in findings:
            console.print(f"[red]✗[/red] {escape(each.what)}\n  mend: {escape(each.mend)}")
        if not findings:
            console.print("Parameter, rule, record and template agree.")
    if findings:
        raise KitError(f"{len(findings)} found on {stage}")
