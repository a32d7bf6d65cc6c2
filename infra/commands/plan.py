"""`crossover plan`: what a switch would do and what is against it; reads only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from infra.commands.at_stage import connected, stage_options
from infra.commands.switch_callouts import callout_options
from infra.commands.switch_plan import plan_options
from infra.operating.callouts import callouts_of
from infra.operating.proposal import propose, request_of
from infra.switching.weights import parse_goal


@click.command("plan")
@click.argument("goal", nargs=-1, required=True)
@stage_options
@plan_options()
@callout_options
def command(goal: tuple[str, ...], stage: str, region: str | None, as_json: bool, **options: Any) -> None:
    """Print what `crossover switch GOAL` would do, and what is against it; change nothing.

    \b
    Examples:
      crossover plan container --stage prod
      crossover plan split 70/30 --stage prod --json

    Exit codes: 0 the switch would begin, 1 it would be refused, 2 usage.
    """
    from infra.commands.switch import print_plan

    callouts, _ = callouts_of(stage, options)
    weights, request = parse_goal(goal), replace(request_of(options), callouts=callouts)
    print_plan(propose(connected(stage, region), weights, request), as_json=as_json)
