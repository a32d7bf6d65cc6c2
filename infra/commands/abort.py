"""`crossover abort`: have a switch go back to where it started, whether or not somebody still drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from infra.commands.at_stage import connected, stage_options
from infra.commands.wishes import telling

if TYPE_CHECKING:
    from infra.switching.aws.control import Control


@click.command("abort")
@stage_options
def command(stage: str, region: str | None, as_json: bool) -> None:
    """Have a switch go back to where it started.

    Its driver does so at its next look, within seconds, and this command waits until it has begun to. Where its driver is
    gone, this command goes back itself: at once, or when the driver's lease ends (90 s at most).

    \b
    Examples:
      crossover abort --stage prod
      crossover abort --stage prod --json

    Exit codes: 0 its driver goes back, 3 rolled back by this command, 1 there is no unfinished switch.
    """
    abort(connected(stage, region), as_json=as_json)


def abort(control: Control, *, as_json: bool) -> None:
    from infra.commands.switch_run import run
    from infra.operating.orders import abort as go_back

    take = go_back(control, telling(as_json=as_json))
    if take is not None:
        run(control, take, as_json=as_json)
