"""`crossover pause`: a wish that the driver of a running switch reads at its next look."""

from __future__ import annotations

import click

from infra.commands.at_stage import connected, stage_options
from infra.commands.wishes import telling
from infra.operating.orders import leave
from infra.switching.record import Wish


@click.command("pause")
@stage_options
def command(stage: str, region: str | None, as_json: bool) -> None:
    """Hold a switch at its step until `crossover resume`.

    Traffic stays split as it is. A lane that falls sick meanwhile is left all the same.

    \b
    Examples:
      crossover pause --stage prod
      crossover pause --stage prod --json
    """
    telling(as_json=as_json)(leave(connected(stage, region), Wish.PAUSE))
