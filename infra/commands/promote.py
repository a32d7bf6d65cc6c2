"""`crossover promote`: a wish that the driver of a running switch reads at its next look."""

from __future__ import annotations

import click

from infra.commands.at_stage import connected, stage_options
from infra.commands.wishes import telling
from infra.operating.orders import leave
from infra.switching.record import Wish


@click.command("promote")
@stage_options
def command(stage: str, region: str | None, as_json: bool) -> None:
    """Have a switch take its next step now, without waiting for more requests.

    Skips the rest of this step's time only. A lane that is known to be sick is not promoted.

    \b
    Examples:
      crossover promote --stage prod
      crossover promote --stage prod --json
    """
    telling(as_json=as_json)(leave(connected(stage, region), Wish.PROMOTE))
