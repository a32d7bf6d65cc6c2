"""From what was seen to the one document that the page draws. Pure; what is not known is None, and the page shows a dash."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from infra.console.waiting import waiting
from infra.console.watch import EVENTS, Piece, Sight
from infra.operating.scheduled import document
from infra.operating.stage import is_production
from infra.operating.status import RECENT_S, told
from infra.switching.aws.figures import MINUTE
from infra.switching.record import Event, Phase, Record
from infra.switching.verdict import Figures
from infra.switching.weights import LANES, parse_weights

if TYPE_CHECKING:
    from infra.switching.aws.schedules import Listed

BEFORE = (Phase.PREWARM, Phase.REFUSED)
AFTER = (Phase.COOL, Phase.SCALE_DOWN, Phase.RELEASE, Phase.DONE)


def picture(sight: Sight) -> dict[str, Any]:
    """`crossover status --json` with what a page has room for beside it."""
    seen = told(
        sight.control.resources,
        now=sight.now,
        record=sight.record,
        parameter=sight.parameter,
        rule=sight.rule,
        figures=_recent(sight),
        ready=sight.ready,
    )
    agree = None if sight.rule is None or sight.parameter is None else sight.rule.same_split(sight.parameter)
    return {
        **seen,
        "account": sight.control.resources.account,
        "production": is_production(seen["stage"]),
        "agree": agree,
        "switch": None if sight.record is None else {**seen["switch"], **_switch(sight, sight.record)},
        "switch_known": sight.pieces["record"].seen_at is not None,
        "recent_s": RECENT_S,
        "timeline": _timeline(sight),
        "alarms": {lane: sight.alarms.get(lane) for lane in LANES},
        "findings": None if sight.findings is None else [{"what": each.what, "mend": each.mend} for each in sight.findings],
        "floors": {lane: sight.floors.get(lane) for lane in LANES},
        "scheduled": None if sight.scheduled is None else _scheduled(sight.scheduled, sight.now),
        "most_events": EVENTS,
        "history": None if sight.events is None else [_event(each) for each in sight.events],
        "pieces": {name: _piece(piece) for name, piece in sight.pieces.items()},
    }


def _recent(sight: Sight) -> dict[str, Figures]:
    if sight.timeline is None:
        return {}
    return {lane: sight.timeline.over(lane, sight.now - RECENT_S, sight.ready.get("container")) for lane in LANES}


def _switch(sight: Sight, record: Record) -> dict[str, Any]:
    plan = record.plan
    figures = {}
    if sight.timeline is not None:
        figures = {lane: sight.timeline.over(lane, record.since, sight.ready.get("container")) for lane in LANES}
    return {
        "start": plan.start,
        "start_words": parse_weights(plan.start).words,
        "goal_words": parse_weights(plan.goal).words,
        "rising": plan.rising,
        "falling": plan.falling,
        "step": record.step,
        "steps": [
            {"percent": step.percent, "weights": step.weights, "words": parse_weights(step.weights).words, "state": state}
            for step, state in zip(plan.steps, _states(record), strict=True)
        ],
        "held": record.held,
        "lease_until": record.lease_until,
        "rollback_to": record.rollback_to,
        "rollback_words": parse_weights(record.rollback_to).words if record.rollback_to else None,
        "digests": record.digests,
        "waits": None if record.ended else waiting(record, sight.now, figures, sight.ready.get(plan.rising)),
        "can_roll_back": record.phase is Phase.DONE,
    }


def _states(record: Record) -> Iterable[str]:
    """Of each step: gone, now, or ahead. A switch that went back has left its steps."""
    for number in range(len(record.plan.steps)):
        if record.phase in BEFORE:
            yield "ahead"
        elif _went_back(record):
            yield "left" if number <= record.step else "ahead"
        elif record.phase in AFTER or number < record.step:
            yield "gone"
        else:
            yield "now" if number == record.step else "ahead"


def _went_back(record: Record) -> bool:
    released = record.phase is Phase.RELEASE and record.outcome is not Phase.DONE
    return released or record.phase in (Phase.ROLL_BACK, Phase.ROLLED_BACK)


def _timeline(sight: Sight) -> dict[str, Any] | None:
    """By lane and minute; rates are per second, errors in percent of the lane's requests."""
    timeline = sight.timeline
    if timeline is None:
        return None
    lanes = {}
    for lane in LANES:
        each = timeline.each(lane)
        lanes[lane] = {
            "requests_per_s": [None if one.requests is None else one.requests / MINUTE for one in each],
            "error_percent": [
                100 * one.errors / one.requests if one.requests and one.errors is not None else None for one in each
            ],
            "p99_ms": [one.p99_ms for one in each],
            "throttled": [one.throttled for one in each],
            "loop_lag_ms": [one.loop_lag_ms for one in each],
            "healthy": [one.healthy for one in each],
        }
    return {"minutes": timeline.minutes, "lanes": lanes}


def _scheduled(found: Sequence[Listed], now: float) -> list[dict[str, Any]]:
    """The next first; those that are not due at the end. Moments are aware, each of its own zone."""
    told = [document(each, now) for each in found]
    return sorted(
        told, key=lambda each: (each["next"] is None, each["next"] and datetime.fromisoformat(each["next"]).timestamp())
    )


def _event(event: Event) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(event)
    return told


def _piece(piece: Piece) -> dict[str, Any]:
    return {"seen_at": piece.seen_at, "wrong": piece.wrong, "refused": piece.refused}
