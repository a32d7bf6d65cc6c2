"""From what an operator asks to a plan and its refusals: reads only. Every way to begin a switch goes through here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.errors import InputError, KitError
from infra.switching.need import Measured, need_of
from infra.switching.plan import Limits, Need, Plan, make_plan
from infra.switching.preflight import Facts, Refusal, refusals
from infra.switching.weights import Weights

if TYPE_CHECKING:
    from infra.switching.aws.control import Control
    from infra.switching.driver import Driver
    from infra.switching.record import Record


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

    def in_the_way(self, *, force: bool) -> list[Refusal]:
        """What keeps the switch from beginning, with or without force."""
        return [each for each in self.refusals if not (force and each.forcible)]

    def needed(self) -> Plan | None:
        """The plan, None where there is nothing to do; `KitError` where nothing moves and yet something is not right."""
        if self.plan is None and self.facts.rule != self.facts.parameter:
            raise KitError(f"the rule splits so already and the parameter holds {self.facts.parameter}: see `crossover doctor`")
        return self.plan

    def begin(self, driver: Driver, *, why: str) -> Record:
        """Take the lock. Whatever was against it stands in the record and the history as gone over."""
        assert self.plan is not None, "there is nothing to begin"
        return driver.begin(
            self.plan,
            why=why or "no reason given",
            digests=(self.facts.digests.get("lambda"), self.facts.digests.get("container")),
            forced=tuple(map(str, self.refusals)),
        )


def request_of(options: dict[str, Any]) -> Request:
    """From the texts and numbers of `infra.commands.switch_plan.plan_options`, under its names."""
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
    )


def measured(path: Path, lane: str) -> Measured:
    from infra.cost.profile import read_profile

    profile = read_profile(path)
    told = profile.container_lane if lane == "container" else profile.lambda_lane
    return Measured(cpu_ms=told.cpu_ms_per_search, wait_ms=told.wait_ms)


def document(proposal: Proposal) -> dict[str, Any]:
    """For programs."""
    import msgspec

    return {
        "plan": None if proposal.plan is None else msgspec.to_builtins(proposal.plan),
        "refusals": [
            {"check": each.check, "seen": each.seen, "right": each.right, "forcible": each.forcible}
            for each in proposal.refusals
        ],
    }
