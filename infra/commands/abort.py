"""`crossover abort`: have a switch go back to where it started, whether or not somebody still drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from infra.commands.at_stage import connected, stage_options
from infra.commands.wishes import leave
from infra.switching.record import Wish

if TYPE_CHECKING:
    from infra.switching.aws.control import Control


@click.command("abort")
@stage_options
def command(stage: str, region: str | None, as_json: bool) -> None:
    """Have a switch go back to where it started.

    Its driver does so at its next look, within seconds. Where its driver is gone, this command goes back itself.

    \b
    Examples:
      crossover abort --stage prod
      crossover abort --stage prod --json

    Exit codes: 0 its driver has been told, 3 rolled back by this command, 1 there is no unfinished switch.
    """
    abort(connected(stage, region), as_json=as_json)


def abort(control: Control, *, as_json: bool) -> None:
    from infra.commands.switch_run import run

    record = leave(control, Wish.ABORT, as_json=as_json)
    if record.lease_until <= control.world.clock.now():
        run(control, lambda driver: driver.take_over(), as_json=as_json)
