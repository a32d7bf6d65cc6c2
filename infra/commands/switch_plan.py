"""How a switch is asked for on the command line, and how its plan is shown there. `switch`, `plan` and `rollback` share it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from infra.commands.at_stage import Command
from infra.commands.switch_callouts import lines
from infra.operating.proposal import Proposal
from infra.switching.plan import DEFAULT_STEPS
from infra.switching.weights import UNITS, parse_weights


def plan_options(steps: tuple[int, ...] = DEFAULT_STEPS) -> Callable[[Command], Command]:
    """The options that `infra.operating.proposal.request_of` reads."""
    text = ",".join(map(str, steps))

    def add(command: Command) -> Command:
        for option in (
            click.option("--smoke-path", help="What to ask of the target lane first.  [default: a search a month ahead]"),
            click.option("--allow-version-skew", is_flag=True, help="Switch although the lanes run different bundles."),
            click.option(
                "--quiet-s", type=float, default=120.0, show_default=True, help="How long the old lane must be quiet."
            ),
            click.option("--standby", type=click.IntRange(0), help="Size of the old lane at the end.  [default: its minimum]"),
            click.option("--units", type=click.IntRange(1), help="Instances or environments to have ready."),
            click.option("--profile", type=click.Path(path_type=Path), help="Measured profile that says what a request needs."),
            click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", help="A limit that a lane must hold."),
            click.option("--bake-s", type=float, help="Shortest time at each step.  [default: 60]"),
            click.option("--steps", default=text, show_default=True, help="Percent of the way at each step."),
        ):
            command = option(command)
        return command

    return add


def show(proposal: Proposal, console: Console) -> None:
    """The plan as an operator reads it, and what is against it."""
    plan = proposal.plan
    if plan is None:
        console.print(f"Traffic is split so already: {proposal.facts.rule.words if proposal.facts.rule else '?'}")
        return
    goal = parse_weights(plan.goal)
    console.print(f"[bold]{escape(plan.stage)}[/bold]: {parse_weights(plan.start).words} → {goal.words}")
    need = "not known" if plan.need is None else f"{plan.need.units} {UNITS[plan.rising]}: {plan.need.why}"
    console.print(f"  prewarm  {plan.rising} lane, {escape(need)}")
    if plan.keep is not None:
        console.print(f"  keep     {plan.falling} lane, {plan.keep} instances until the end: what going back would need")
    limits = plan.limits
    for step in plan.steps:
        console.print(f"  {step.percent:>6}%  {parse_weights(step.weights).words}, {limits.bake_s:g} s at least")
    own = f"; throttles ≤ {limits.throttle_percent:g}%"
    if plan.rising == "container":
        own = "" if limits.loop_lag_ms is None else f"; loop lag ≤ {limits.loop_lag_ms:g} ms"
    console.print(
        f"  each     errors ≤ {limits.error_percent:g}%, p99 ≤ {limits.p99_ms:g} ms, neither worse than the other lane's{own}; "
        f"on {limits.min_samples:,} requests; up to {limits.max_bake_s:g} s, else back"
    )
    if plan.standby is not None:
        console.print(f"  at last  {plan.falling} lane down to {plan.standby} once it is quiet for {plan.quiet_s:g} s")
    for line in lines(plan.callouts):
        console.print(escape(line))
    for doubt in proposal.doubts:
        console.print(f"  [yellow]doubtful[/yellow]  {escape(doubt)}")
    for refusal in proposal.refusals:
        console.print(f"  [red]against it[/red]  {escape(str(refusal))}")
