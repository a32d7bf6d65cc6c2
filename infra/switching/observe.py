"""What a driver sees of the world at one moment: the ports are asked, and what does not answer is not known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from infra.switching.moves import Seen
from infra.switching.plan import Plan
from infra.switching.ports import Clock, Lanes, Store, Traffic, Unreachable
from infra.switching.record import Phase, Record, Wish
from infra.switching.verdict import Figures
from infra.switching.weights import Weights

Answer = TypeVar("Answer")
SPLIT_S = 180.0
"""How long the split is judged by: what went astray before the load balancer took the weights up must not count for ever."""
RECENT_S = 300.0
"""What is called the present while a lane falls quiet: CloudWatch tells whole minutes, some two of them late."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a driver asks and changes."""

    clock: Clock
    store: Store
    traffic: Traffic
    lanes: Lanes


def look(world: World, record: Record) -> Seen:
    """Ask only what the record's phase needs; what does not answer is not known."""
    plan = record.plan
    judged = record.phase in (Phase.VERIFY, Phase.COOL) or record.wish is Wish.ABORT
    keeps = plan.keep is not None and record.phase in (Phase.PREWARM, Phase.RELEASE)
    # A lane that falls sick late in a long step, or in a pause, must not be excused by how well it was before.
    window_s = RECENT_S if record.phase is Phase.COOL else max(RECENT_S, plan.limits.max_bake_s)
    since = max(record.since, world.clock.now() - window_s)
    lately = max(record.since, world.clock.now() - SPLIT_S)
    parameter, parameter_strange = _weights(world.traffic.parameter)
    rule, rule_strange = _weights(world.traffic.rule)
    return Seen(
        now=world.clock.now(),
        parameter=parameter,
        rule=rule,
        strange=parameter_strange or rule_strange,
        figures=_figures(world, plan, since) if judged else {},
        recent=_figures(world, plan, lately) if record.phase is Phase.VERIFY and lately > since else {},
        ready=unless_unreachable(lambda: world.lanes.ready(plan.rising)) if record.phase is Phase.PREWARM else None,
        standing=unless_unreachable(lambda: world.lanes.standing(plan.falling)) if record.phase is Phase.SCALE_DOWN else None,
        floor=unless_unreachable(lambda: world.lanes.floor(plan.rising)) if record.phase is Phase.RELEASE else None,
        kept=unless_unreachable(lambda: world.lanes.floor(plan.falling)) if keeps else None,
    )


def _figures(world: World, plan: Plan, since: float) -> dict[str, Figures]:
    """Each lane's; a lane that does not answer is left out."""
    asked = {lane: unless_unreachable(partial(world.lanes.figures, lane, since)) for lane in (plan.rising, plan.falling)}
    return {lane: figures for lane, figures in asked.items() if figures is not None}


def _weights(ask: Callable[[], Weights | None]) -> tuple[Weights | None, bool]:
    try:
        found = ask()
    except Unreachable:
        return None, False
    return found, found is None


def unless_unreachable(ask: Callable[[], Answer]) -> Answer | None:
    try:
        return ask()
    except Unreachable:
        return None
