"""`crossover abort`: have a switch go back to where it started, whether or not somebody still drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from infra.commands.at_stage import connected, stage_options
from infra.commands.wishes import leave
from infra.switching.record import Wish

if TYPE_CHECKING:
    from infra.switching.aws.control import Control
    from infra.switching.record import Record


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

    record = leave(control, Wish.ABORT, as_json=as_json)
    if _nobody_obeys(control, record):
        run(control, lambda driver: driver.take_over(), as_json=as_json)


def _nobody_obeys(control: Control, record: Record) -> bool:
    """Waits until the driver has taken up the wish, or its lease has ended: a driver that died a moment ago still has one."""
    from infra.switching.moves import LOOK_S
    from infra.switching.observe import unless_unreachable

    while True:
        stored = unless_unreachable(control.store.load)
        if stored is not None:
            if stored.id != record.id or stored.ended or stored.wish is not Wish.ABORT:
                return False
            record = stored
        if record.lease_until <= control.world.clock.now():
            return True
        control.world.clock.sleep(LOOK_S / 2)
