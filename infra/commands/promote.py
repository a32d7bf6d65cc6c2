"""`crossover promote`: a wish that the driver of a running switch reads at its next look."""

from __future__ import annotations

import click

from infra.commands.at_stage import confirm, connected, stage_options
from infra.commands.wishes import telling
from infra.operating.orders import look_at_promotion, promote


@click.command("promote")
@stage_options
@click.option("--over-gate", is_flag=True, help="Take the step although a gate holds it; stands in the history.")
@click.option("--yes", is_flag=True, help="Do not ask for the stage's name.")
def command(stage: str, region: str | None, as_json: bool, over_gate: bool, yes: bool) -> None:
    """Have a switch take its next step now, without waiting for more requests.

    Skips the rest of this step's time only. A lane that is known to be sick is not promoted; nor does it go over a gate, unless
    told to.

    \b
    Examples:
      crossover promote --stage prod
      crossover promote --stage prod --over-gate --yes
    """
    control = connected(stage, region)
    step, words = look_at_promotion(control, over_gate=over_gate)
    confirm(stage, words, yes=yes)
    telling(as_json=as_json)(promote(control, step=step, over_gate=over_gate))
