"""`crossover switch`: move live traffic to a lane, or split it, step by step, going back where a lane is not well."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from infra.commands.at_stage import confirm, connected, stage_options
from infra.commands.printing import print_json
from infra.commands.switch_callouts import callout_options
from infra.commands.switch_plan import plan_options, show
from infra.errors import KitError
from infra.operating.callouts import callouts_of, warnings
from infra.operating.proposal import Proposal, beginning, document, in_the_way, needed, propose, request_of
from infra.switching.weights import Weights, parse_goal, parse_weights

if TYPE_CHECKING:
    from infra.switching.aws.control import Control


@click.command("switch")
@click.argument("goal", nargs=-1, required=True)
@stage_options
@click.option("--why", default="", help="Why, for the history.")
@plan_options()
@callout_options
@click.option("--dry-run", is_flag=True, help="Print the plan and what is against it; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for the stage's name.")
@click.option("--force", is_flag=True, help="Go on although the preflight refuses; what was gone over stands in the history.")
def command(
    goal: tuple[str, ...],
    stage: str,
    region: str | None,
    as_json: bool,
    why: str,
    dry_run: bool,
    yes: bool,
    force: bool,
    **options: Any,
) -> None:
    """Move live traffic to GOAL: `container`, `lambda`, or `split LAMBDA/CONTAINER`.

    The target lane is asked, prewarmed, and given its share in steps. After each step both lanes are judged by what
    CloudWatch has of them; a lane that is not well, or not known, is left again. Safe to stop at any moment:
    `crossover resume` goes on from where it stood.

    \b
    Examples:
      crossover switch container --stage prod --why "weekday load"
      crossover switch split 70/30 --stage staging --steps 10,50,100
      crossover switch lambda --stage prod --dry-run
      crossover switch container --stage prod --gate https://freeze.example.com/ok --notify slack:env:SLACK_URL
      crossover switch container --stage prod --profile out/demo/profile.json --yes --json

    \b
    Exit codes: 0 done, 1 refused and no traffic moved, 2 usage, 3 rolled back, 4 unknown state (`crossover status`),
    130 stopped by a signal.
    """
    callouts, left_out = callouts_of(stage, options)
    weights, request = parse_goal(goal), replace(request_of(options), callouts=callouts)
    control = connected(stage, region)
    proposal = propose(control, weights, request)
    if dry_run:
        print_plan(proposal, as_json=as_json)
        return
    carry_out(control, proposal, why=why, yes=yes, force=force, as_json=as_json, left_out=left_out)


def print_plan(proposal: Proposal, *, as_json: bool) -> None:
    """The dry run: refused where the switch would be."""
    from rich.console import Console

    if as_json:
        print_json(document(proposal))
    else:
        show(proposal, Console(highlight=False, soft_wrap=True))
    if proposal.refusals:
        raise KitError(f"the switch would be refused: {'; '.join(map(str, proposal.refusals))}")


def carry_out(
    control: Control,
    proposal: Proposal,
    *,
    why: str,
    yes: bool,
    force: bool,
    as_json: bool,
    left_out: tuple[str, ...] = (),
) -> None:
    """Refuse, ask, and run. `left_out` are gates of the settings that an option went over."""
    import msgspec
    from rich.console import Console

    from infra.commands.switch_run import run

    plan = needed(proposal)
    if plan is None:
        said = f"traffic is split so already: {_words(proposal.facts.rule)}"
        if as_json:
            sys.stdout.write(msgspec.json.encode({"result": "done", "reason": said, "switch": None}).decode() + "\n")
        else:
            click.echo(f"crossover: {said}", err=True)
        return
    against = in_the_way(proposal, force=force)
    if not as_json:
        show(proposal, Console(stderr=True, highlight=False, soft_wrap=True))
    if against:
        if as_json:
            told = {"result": "refused", "reason": "; ".join(map(str, against)), "switch": None, **document(proposal)}
            sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        hint = "" if any(not each.forcible for each in against) else "; --force goes over it"
        raise KitError(f"refused, no traffic was moved: {'; '.join(map(str, against))}{hint}")
    confirm(plan.stage, f"This moves live traffic to {parse_weights(plan.goal).words}.", yes=yes)
    for warning in (*(proposal.doubts if as_json else ()), *warnings(control, plan)):
        click.echo(f"crossover: warning: {warning}", err=True)
    run(control, beginning(proposal, why=why, left_out=left_out), as_json=as_json)


def _words(weights: Weights | None) -> str:
    return "?" if weights is None else weights.words
