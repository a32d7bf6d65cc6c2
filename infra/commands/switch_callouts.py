"""Gates, hooks and notifications on the command line: their options, and how a plan shows them."""

from __future__ import annotations

import click

from infra.commands.at_stage import Command
from infra.switching.hooks import shown
from infra.switching.plan import Callouts


def callout_options(command: Command) -> Command:
    """`--gate`, `--hook`, `--notify`; `infra.operating.callouts` reads them."""
    for option in (
        click.option("--notify", multiple=True, metavar="TARGET", help="Tell what the switch does.  [default: switch.notify]"),
        click.option("--hook", "hooks", multiple=True, metavar="TARGET", help="Call after each step.  [default: switch.hooks]"),
        click.option(
            "--gate",
            "gates",
            multiple=True,
            metavar="TARGET",
            help="Ask before each step; `none` asks nobody.  [default: switch.gates]",
        ),
    ):
        command = option(command)
    return command


def lines(callouts: Callouts) -> list[str]:
    """As an operator reads them in a plan."""
    said = []
    if callouts.gates:
        said.append(
            f"  gates    {', '.join(map(shown, callouts.gates))} before each step, which waits up to {callouts.hold_s:g} s"
        )
    if callouts.hooks:
        said.append(f"  hooks    {', '.join(map(shown, callouts.hooks))} after each step")
    if callouts.notify:
        said.append(f"  told     {', '.join(map(shown, callouts.notify))}")
    return said
