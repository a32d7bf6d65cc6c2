"""What a driver sees of the world at one moment: the ports are asked, and what does not answer is not known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from infra.switching.hooks import Happened, payload
from infra.switching.moves import Seen
from infra.switching.plan import Plan
from infra.switching.ports import Clock, Hooks, Lanes, NoHooks, Said, Store, Traffic, Unreachable
from infra.switching.record import Phase, Record, Wish
from infra.switching.verdict import Figures
from infra.switching.weights import Weights

Answer = TypeVar("Answer")
SPLIT_S = 180.0
"""How long the split is judged by: what went astray before the load balancer took the weights up must not count for ever."""
SPREAD_S = 30.0
"""How long new weights may take to be those of every node: a minute that begins before is of both splits."""
RECENT_S = 300.0
"""What is called the present while a lane falls quiet: CloudWatch tells whole minutes, some two of them late."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a driver asks and changes."""

    clock: Clock
    store: Store
    traffic: Traffic
    lanes: Lanes
    hooks: Hooks = field(default_factory=NoHooks)


def look(world: World, record: Record) -> Seen:
    """Ask only what the record's phase needs; what does not answer is not known."""
    plan = record.plan
    at_gate = record.phase is Phase.GATE
    judged = record.phase in (Phase.VERIFY, Phase.COOL) or record.wish is Wish.ABORT or (at_gate and record.step > 0)
    keeps = plan.keep is not None and record.phase in (Phase.PREWARM, Phase.RELEASE)
    # A lane that falls sick late in a long step, or in a pause, must not be excused by how well it was before.
    window_s = RECENT_S if record.phase in (Phase.COOL, Phase.GATE) else max(RECENT_S, plan.limits.max_bake_s)
    # At a gate the share is that of the step before, whose minutes count.
    now = world.clock.now()
    since = max(record.started if at_gate else record.since, now - window_s)
    parameter, parameter_strange = _weights(world.traffic.parameter)
    rule, rule_strange = _weights(world.traffic.rule)
    figures = _figures(world, plan, since) if judged else {}
    recent = _figures(world, plan, max(record.since + SPREAD_S, now - SPLIT_S)) if record.phase is Phase.VERIFY else {}
    gate = _gate(world, record, figures) if at_gate and record.wish in (Wish.GO_ON, Wish.PROMOTE) else None
    return Seen(
        now=world.clock.now(),
        parameter=parameter,
        rule=rule,
        strange=parameter_strange or rule_strange,
        figures=figures,
        recent=recent,
        gate=gate,
        ready=unless_unreachable(lambda: world.lanes.ready(plan.rising)) if record.phase is Phase.PREWARM else None,
        standing=unless_unreachable(lambda: world.lanes.standing(plan.falling)) if record.phase is Phase.SCALE_DOWN else None,
        floor=unless_unreachable(lambda: world.lanes.floor(plan.rising)) if record.phase is Phase.RELEASE else None,
        kept=unless_unreachable(lambda: world.lanes.floor(plan.falling)) if keeps else None,
    )


def _figures(world: World, plan: Plan, since: float) -> dict[str, Figures]:
    """Of both lanes; those of a moment that is still to come are not known."""
    if since > world.clock.now():
        return {lane: Figures() for lane in (plan.rising, plan.falling)}
    told: dict[str, Figures] = {}
    for lane in (plan.rising, plan.falling):
        try:
            told[lane] = world.lanes.figures(lane, since)
        except Unreachable:
            continue
    return told


def _gate(world: World, record: Record, figures: dict[str, Figures]) -> Said:
    """One gate a look: each answer is written down before the next is asked, and the lease renewed."""
    callouts = record.plan.callouts
    target = callouts.gates[record.gates_passed]
    told = msgspec.to_builtins(figures)
    return world.hooks.ask(
        target,
        payload(Happened.BEFORE_STEP, record, target=target, at=world.clock.now(), figures=told),
        callouts.timeout_s,
    )


def _weights(ask: Callable[[], Weights | None]) -> tuple[Weights | None, bool]:
    try:
        found = ask()
    except Unreachable:
        return None, False
    return found, found is None


def unless_unreachable(ask: Callable[[], Answer], why: Callable[[str], object] = lambda _: None) -> Answer | None:
    """None, which is unknown, where AWS does not answer; `why` is told."""
    try:
        return ask()
    except Unreachable as error:
        why(str(error))
        return None
