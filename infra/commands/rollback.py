"""`crossover rollback`: back to where traffic was before the last switch; a running switch is aborted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from infra.commands.at_stage import connected, stage_options
from infra.commands.switch_callouts import callout_options, callouts_of
from infra.commands.switch_plan import plan_options, propose, request_of
from infra.errors import KitError
from infra.switching.record import Phase
from infra.switching.weights import parse_weights


@click.command("rollback")
@stage_options
@click.option("--why", default="", help="Why, for the history.")
@plan_options(steps=(100,))
@callout_options
@click.option("--yes", is_flag=True, help="Do not ask for the stage's name.")
@click.option("--force", is_flag=True, help="Go on although the preflight refuses.")
def command(stage: str, region: str | None, as_json: bool, why: str, yes: bool, force: bool, **options: Any) -> None:
    """Go back to where traffic was before the last switch: in one step unless --steps says otherwise.

    It is a switch of its own: checked before, prewarmed, judged after, and in the history, but asks no gate of the settings. A
    switch that has not ended is aborted instead, as by `crossover abort`.

    \b
    Examples:
      crossover rollback --stage prod --why "p99 doubled"
      crossover rollback --stage prod --steps 50,100 --yes
    """
    from infra.commands.abort import abort
    from infra.commands.switch import carry_out

    callouts, _ = callouts_of(stage, options, gated=False)
    request, control = replace(request_of(options), callouts=callouts), connected(stage, region)
    last = control.store.load()
    if last is None:
        raise KitError(f"there has been no switch of {stage} to go back from: say where to, with `crossover switch`")
    if not last.ended:
        abort(control, as_json=as_json)
        return
    if last.phase is not Phase.DONE:
        raise KitError(f"the last switch of {stage} ended {last.phase}: traffic is where it was before it")
    proposal = propose(control, parse_weights(last.plan.start), request)
    carry_out(control, proposal, why=why or f"rollback of {last.id}", yes=yes, force=force, as_json=as_json)
