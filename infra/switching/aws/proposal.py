"""From what is asked for to a plan and what is against it: reads only. The commands share it with the scheduled switch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.errors import KitError
from infra.switching.need import Load, Measured, few_samples, given, need_of
from infra.switching.plan import DEFAULT_STEPS, Callouts, Limits, Need, Plan, make_plan
from infra.switching.ports import Unreachable
from infra.switching.preflight import Facts, Refusal, refusals
from infra.switching.weights import Weights

if TYPE_CHECKING:
    from infra.switching.aws.control import Control


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for beside the goal. `measured` tells of a lane what one request needs there; `before` is the need where
    nothing tells it. `blind`: what CloudWatch does not answer is not known, for the preflight to refuse and a person to force;
    else it is an error, after which to ask again."""

    steps: tuple[int, ...] = DEFAULT_STEPS
    limits: Limits = field(default_factory=Limits)
    units: int | None = None
    measured: Callable[[str], Measured] | None = None
    standby: int | None = None
    quiet_s: float = 120.0
    allow_version_skew: bool = False
    smoke_path: str | None = None
    callouts: Callouts = field(default_factory=Callouts)
    before: Need | None = None
    blind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """`plan` is None where traffic is split so already. `doubts` say what will not go well and keeps nobody from trying."""

    plan: Plan | None
    facts: Facts
    refusals: tuple[Refusal, ...]
    doubts: tuple[str, ...] = ()


def propose(control: Control, goal: Weights, request: Request) -> Proposal:
    """Look at the stage, and make the plan of a switch to `goal`. Changes nothing."""
    rule, parameter = control.traffic.rule(), control.traffic.parameter()
    start = rule or parameter
    if start is None:
        raise KitError(
            "neither the rule nor the parameter holds weights of the two lanes: `crossover doctor` says how to mend it"
        )
    rising = "lambda" if goal.share("lambda") > start.share("lambda") else "container"
    try:
        load = control.load()
    except Unreachable:
        if not request.blind:
            raise
        load = Load(rps=None, requests={})
    need: Need | str
    if request.units is not None:
        need = given(request.units)
    else:
        one = None if request.measured is None else request.measured(rising)
        need = need_of(rising, goal.share(rising), load, control.machines(rising), one)
        if isinstance(need, str) and request.before is not None:
            need = request.before
    facts = control.facts(
        rising, need=need, load=load, limits=request.limits, smoke_path=request.smoke_path, blind=request.blind
    )
    plan = _plan(control, start, goal, rising, need, request)
    found = refusals(facts, allow_version_skew=request.allow_version_skew) if plan is not None else []
    if plan is not None:
        right = "each gate must be callable from here; --gate none asks nobody"
        found += [Refusal("gates", each, right, forcible=False) for each in control.hooks.problems(plan.callouts.gates)]
    doubts = () if plan is None else tuple(few_samples(plan, load.rps))
    return Proposal(plan=plan, facts=facts, refusals=tuple(found), doubts=doubts)


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
        callouts=request.callouts,
    )
