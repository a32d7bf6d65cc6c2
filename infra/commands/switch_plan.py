"""From what an operator asks to a plan and its refusals: reads only. `switch`, `plan` and `rollback` share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape

from infra.commands.at_stage import Command
from infra.errors import InputError, KitError
from infra.switching.need import Measured, need_of
from infra.switching.plan import DEFAULT_STEPS, Limits, Need, Plan, make_plan
from infra.switching.preflight import Facts, Refusal, refusals
from infra.switching.weights import Weights, parse_weights

if TYPE_CHECKING:
    from infra.switching.aws.control import Control


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an operator asks for beside the goal."""

    steps: tuple[int, ...]
    limits: Limits
    units: int | None
    profile: Path | None
    standby: int | None
    quiet_s: float
    allow_version_skew: bool
    smoke_path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """`plan` is None where traffic is split so already."""

    plan: Plan | None
    facts: Facts
    refusals: tuple[Refusal, ...]


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
        profile=options["profile"],
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


def propose(control: Control, goal: Weights, request: Request) -> Proposal:
    """Look at the stage, and make the plan of a switch to `goal`. Changes nothing."""
    rule, parameter = control.traffic.rule(), control.traffic.parameter()
    start = rule or parameter
    if start is None:
        raise KitError(
            "neither the rule nor the parameter holds weights of the two lanes: `crossover doctor` says how to mend it"
        )
    rising = "lambda" if goal.share("lambda") > start.share("lambda") else "container"
    load = control.load()
    need: Need | str
    if request.units is not None:
        need = Need(units=request.units, why="given as --units")
    else:
        one = None if request.profile is None else measured(request.profile, rising)
        need = need_of(rising, goal.share(rising), load, control.machines(rising), one)
    facts = control.facts(rising, need=need, load=load, limits=request.limits, smoke_path=request.smoke_path)
    plan = _plan(control, start, goal, rising, need, request)
    found = refusals(facts, allow_version_skew=request.allow_version_skew) if plan is not None else []
    return Proposal(plan=plan, facts=facts, refusals=tuple(found))


def _plan(control: Control, start: Weights, goal: Weights, rising: str, need: Need | str, request: Request) -> Plan | None:
    falling = "lambda" if rising == "container" else "container"
    standby = request.standby
    if standby is None and falling == "container":
        standby = control.lanes.floor("container")
    floor = control.lanes.floor(rising)
    keep, keep_floor = (
        (control.lanes.standing(falling), control.lanes.floor(falling)) if falling == "container" else (None, None)
    )
    return make_plan(
        stage=control.resources.stage,
        start=start,
        goal=goal,
        percents=request.steps,
        need=need if isinstance(need, Need) else None,
        limits=request.limits,
        quiet_s=request.quiet_s,
        standby=standby,
        # Where Lambda keeps no environments started, nothing is raised, so nothing is let down again.
        floor=None if (rising, floor) == ("lambda", 0) else floor,
        keep=None if keep == keep_floor else keep,
        keep_floor=keep_floor,
    )


def measured(path: Path, lane: str) -> Measured:
    from infra.cost.profile import read_profile

    profile = read_profile(path)
    told = profile.container_lane if lane == "container" else profile.lambda_lane
    return Measured(cpu_ms=told.cpu_ms_per_search, wait_ms=told.wait_ms)


def document(proposal: Proposal) -> dict[str, Any]:
    """For `--json`."""
    import msgspec

    return {
        "plan": None if proposal.plan is None else msgspec.to_builtins(proposal.plan),
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
    if plan.keep is not None:
        console.print(f"  keep     {plan.falling} lane, {plan.keep} instances until the end: what going back would need")
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
    for refusal in proposal.refusals:
        console.print(f"  [red]against it[/red]  {escape(str(refusal))}")
