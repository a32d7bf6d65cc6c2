"""An operator's options, and a plan with its refusals as an operator reads it: `switch`, `plan` and `rollback` share them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from infra.commands.at_stage import Command
from infra.commands.switch_callouts import lines
from infra.errors import InputError
from infra.switching.aws.proposal import Proposal, Request, propose
from infra.switching.hooks import shown
from infra.switching.need import Measured
from infra.switching.plan import DEFAULT_STEPS, Limits
from infra.switching.weights import parse_weights

__all__ = ["Proposal", "document", "measured", "plan_options", "propose", "request_of", "show"]


def plan_options(steps: tuple[int, ...] = DEFAULT_STEPS) -> Callable[[Command], Command]:
    """The options that make a `Request`; `request_of` reads them."""
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


def request_of(options: dict[str, Any]) -> Request:
    try:
        steps = tuple(int(part) for part in options["steps"].split(","))
    except ValueError:
        raise InputError(f"--steps {options['steps']!r}: must be whole numbers that rise to 100, as 1,5,25,50,100") from None
    return Request(
        steps=steps,
        limits=_limits(options["limits"], options["bake_s"]),
        units=options["units"],
        measured=None if (path := options["profile"]) is None else lambda lane: measured(path, lane),
        standby=options["standby"],
        quiet_s=options["quiet_s"],
        allow_version_skew=options["allow_version_skew"],
        smoke_path=options["smoke_path"],
    )


def _limits(given: tuple[str, ...], bake_s: float | None) -> Limits:
    values: dict[str, Any] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in Limits.__struct_fields__:
            raise InputError(f"--limit {text!r}: must be NAME=VALUE, NAME one of {', '.join(Limits.__struct_fields__)}")
        try:
            values[name] = None if (name, value) == ("loop_lag_ms", "none") else float(value)
        except ValueError:
            raise InputError(f"--limit {text!r}: {value!r} is no number") from None
    if "min_samples" in values:
        values["min_samples"] = int(values["min_samples"])
    if bake_s is not None:
        values["bake_s"] = bake_s
        values.setdefault("max_bake_s", max(bake_s, Limits().max_bake_s))
    return Limits(**values)


def measured(path: Path, lane: str) -> Measured:
    from infra.cost.profile import read_profile

    profile = read_profile(path)
    told = profile.container_lane if lane == "container" else profile.lambda_lane
    return Measured(cpu_ms=told.cpu_ms_per_search, wait_ms=told.wait_ms)


def document(proposal: Proposal) -> dict[str, Any]:
    """For `--json`. Targets as they may be shown."""
    import msgspec

    plan = None if proposal.plan is None else msgspec.to_builtins(proposal.plan)
    if plan is not None:
        plan["callouts"] |= {name: [*map(shown, plan["callouts"][name])] for name in ("gates", "hooks", "notify")}
    return {
        "plan": plan,
        "refusals": [
            {"check": each.check, "seen": each.seen, "right": each.right, "forcible": each.forcible}
            for each in proposal.refusals
        ],
    }


def show(proposal: Proposal, console: Console) -> None:
    """The plan as an operator reads it, and what is against it."""
    plan = proposal.plan
    if plan is None:
        console.print(f"Traffic is split so already: {proposal.facts.rule.words if proposal.facts.rule else '?'}")
        return
    goal, units = parse_weights(plan.goal), "instances" if plan.rising == "container" else "environments"
    console.print(f"[bold]{escape(plan.stage)}[/bold]: {parse_weights(plan.start).words} → {goal.words}")
    need = "not known" if plan.need is None else f"{plan.need.units} {units}: {plan.need.why}"
    console.print(f"  prewarm  {plan.rising} lane, {escape(need)}")
    limits = plan.limits
    for step in plan.steps:
        console.print(f"  {step.percent:>6}%  {parse_weights(step.weights).words}, {limits.bake_s:g} s at least")
    lag = "" if limits.loop_lag_ms is None else f", loop lag ≤ {limits.loop_lag_ms:g} ms"
    console.print(
        f"  each     errors ≤ {limits.error_percent:g}%, p99 ≤ {limits.p99_ms:g} ms{lag}, not worse than the other lane, on "
        f"{limits.min_samples:,} requests; up to {limits.max_bake_s:g} s, else back"
    )
    if plan.standby is not None:
        console.print(f"  at last  {plan.falling} lane down to {plan.standby} once it is quiet for {plan.quiet_s:g} s")
    for line in lines(plan.callouts):
        console.print(escape(line))
    for refusal in proposal.refusals:
        console.print(f"  [red]against it[/red]  {escape(str(refusal))}")
