"""What is so now: how traffic is split, how both lanes are, and who is switching. A figure that is not known is None."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from infra.switching.observe import unless_unreachable
from infra.switching.record import Record
from infra.switching.verdict import Figures
from infra.switching.weights import Weights

if TYPE_CHECKING:
    from infra.switching.aws.control import Control
    from infra.switching.aws.resources import Resources

RECENT_S = 300.0


def look(control: Control) -> dict[str, Any]:
    """Weights and record must answer; what else does not is not known, and `unknown` says why."""
    unknown: list[str] = []
    clock, record = control.world.clock, control.store.load()
    now = clock.now()
    parameter, rule = control.traffic.parameter(), control.traffic.rule()
    figures, ready = {}, {}
    for lane in control.resources.target_groups:
        figures[lane] = unless_unreachable(partial(control.lanes.figures, lane, now - RECENT_S), unknown.append) or Figures()
        ready[lane] = unless_unreachable(partial(control.lanes.ready, lane), unknown.append)
    seen = told(control.resources, now=now, record=record, parameter=parameter, rule=rule, figures=figures, ready=ready)
    return {**seen, "unknown": list(dict.fromkeys(unknown))}


def told(
    resources: Resources,
    *,
    now: float,
    record: Record | None,
    parameter: Weights | None,
    rule: Weights | None,
    figures: Mapping[str, Figures],
    ready: Mapping[str, int | None],
) -> dict[str, Any]:
    """What was seen, for programs and for whoever draws it."""
    lanes = {
        lane: {**msgspec.to_builtins(figures.get(lane, Figures())), "ready": ready.get(lane)}
        for lane in resources.target_groups
    }
    return {
        "stage": resources.stage,
        "region": resources.region,
        "at": now,
        "rule": None if rule is None else str(rule),
        "parameter": None if parameter is None else str(parameter),
        "split": None if rule is None else {lane: rule.share(lane) for lane in lanes},
        "lanes": lanes,
        "switch": None if record is None else _switch(record, now),
        "deploying": list(resources.changing),
    }


def _switch(record: Record, now: float) -> dict[str, Any]:
    return {
        "id": record.id,
        "phase": record.phase,
        "at": record.where,
        "ended": record.ended,
        "goal": record.plan.goal,
        "owner": record.owner,
        "why": record.why,
        "started": record.started,
        "since": record.since,
        "wish": record.wish,
        "reason": record.reason,
        "forced": record.forced,
        "driven": not record.ended and record.lease_until > now,
    }
