"""`crossover resume`: let a paused switch go on, or drive one whose driver is gone."""

from __future__ import annotations

import click

from infra.commands.at_stage import connected, stage_options
from infra.commands.wishes import telling


@click.command("resume")
@stage_options
@click.option("--take-over", is_flag=True, help="Although its driver may still be at work; that one stops at its next write.")
def command(stage: str, region: str | None, as_json: bool, take_over: bool) -> None:
    """Go on with an unfinished switch, from the step at which it stands.

    A paused one is told to go on, and this command waits until its driver does. One whose driver is gone (a closed laptop, a
    killed job) is driven by this command to its end; nothing is asked again, for the plan is in the record.

    \b
    Examples:
      crossover resume --stage prod
      crossover resume --stage prod --take-over
    """
    from infra.commands.switch_run import run
    from infra.operating.orders import resume

    control = connected(stage, region)
    take = resume(control, telling(as_json=as_json), take_over=take_over)
    if take is not None:
        run(control, take, as_json=as_json)
