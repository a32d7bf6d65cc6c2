"""`crossover resume`: let a paused switch go on, or drive one whose driver is gone."""

from __future__ import annotations

import click

from infra.commands.at_stage import connected, stage_options
from infra.commands.wishes import leave
from infra.errors import KitError
from infra.switching.record import Wish


@click.command("resume")
@stage_options
@click.option("--take-over", is_flag=True, help="Although its driver may still be at work; that one stops at its next write.")
def command(stage: str, region: str | None, as_json: bool, take_over: bool) -> None:
    """Go on with an unfinished switch, from the step at which it stands.

    A paused one is told to go on. One whose driver is gone (a closed laptop, a killed job) is driven by this command to its
    end; nothing is asked again, for the plan is in the record.

    \b
    Examples:
      crossover resume --stage prod
      crossover resume --stage prod --take-over
    """
    from infra.commands.switch_run import run

    control = connected(stage, region)
    record = control.store.load()
    if record is None or record.ended:
        raise KitError("there is no unfinished switch")
    driven = record.lease_until > control.world.clock.now() and not take_over
    if record.wish is Wish.PAUSE:
        leave(control, Wish.GO_ON, as_json=as_json)
        if driven:
            return
    run(control, lambda driver: driver.take_over(force=take_over), as_json=as_json)
