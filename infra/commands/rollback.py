"""`crossover rollback`: back to where traffic was before the last switch; a running switch is aborted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from infra.commands.at_stage import connected, stage_options
from infra.commands.switch_callouts import callout_options
from infra.commands.switch_plan import plan_options
from infra.errors import KitError
from infra.operating.callouts import callouts_of
from infra.operating.orders import carried_before, where_back
from infra.operating.proposal import propose, request_of


@click.command("rollback")
@stage_options
@click.option("--why", default="", help="Why, for the history.")
@plan_options(steps=(100,))
@callout_options
@click.option("--dry-run", is_flag=True, help="Print the plan and what is against it; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for the stage's name.")
@click.option("--force", is_flag=True, help="Go on although the preflight refuses.")
def command(
    stage: str, region: str | None, as_json: bool, why: str, dry_run: bool, yes: bool, force: bool, **options: Any
) -> None:
    """Go back to where traffic was before the last switch: in one step unless --steps says otherwise.

    It is a switch of its own: checked before, prewarmed, judged after, and in the history, but asks no gate of the settings. A
    switch that has not ended is aborted instead, as by `crossover abort`.

    \b
    Examples:
      crossover rollback --stage prod --why "p99 doubled"
      crossover rollback --stage prod --steps 50,100 --yes
      crossover rollback --stage prod --dry-run
    """
    from infra.commands.abort import abort
    from infra.commands.switch import carry_out, print_plan

    callouts, _ = callouts_of(stage, options, gated=False)
    request, control = replace(request_of(options), callouts=callouts), connected(stage, region)
    back = where_back(control)
    if back is None:
        if dry_run:
            raise KitError("a switch has not ended: `crossover abort` has it go back, and needs no plan")
        abort(control, as_json=as_json)
        return
    goal, reason = back
    request = replace(request, before=carried_before(control))
    proposal = propose(control, goal, request)
    if dry_run:
        print_plan(proposal, as_json=as_json)
        return
    carry_out(control, proposal, why=why or reason, yes=yes, force=force, as_json=as_json)
