"""What gates, hooks and notifications are told of a switch: which events there are, and the payload of each.

Pure. `infra.switching.calling` calls them. The payload is documented in docs/operate.md; `schema` rises when a field goes.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any

from infra.settings.switching import Target, target_of
from infra.switching.plan import Plan
from infra.switching.record import Phase, Record
from infra.switching.weights import parse_weights

SCHEMA = 1


class Happened(StrEnum):
    """What a payload's `event` says. Gates are sent `before-step` and nothing else, hooks `TO_HOOKS`, notifications all but
    `before-step`."""

    BEFORE_STEP = "before-step"
    BEGUN = "begun"
    STEP_DONE = "step-done"
    HELD = "held"
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"
    DONE = "done"
    REFUSED = "refused"
    TAKEN_OVER = "taken-over"


TO_HOOKS = frozenset({Happened.STEP_DONE, Happened.DONE, Happened.ROLLED_BACK, Happened.REFUSED})
ENDS = {Phase.DONE: Happened.DONE, Phase.ROLLED_BACK: Happened.ROLLED_BACK, Phase.REFUSED: Happened.REFUSED}
_AILMENTS = (
    ("throttled", "throttles"),
    ("event-loop lag", "loop-lag"),
    ("no healthy target", "healthy-hosts"),
    ("p99", "p99"),
    ("errors", "5xx"),
)


def happenings(before: Record, after: Record) -> tuple[Happened, ...]:
    """What there is to tell once `after` has been written over `before`."""
    told: list[Happened] = []
    went_on = after.step > before.step or after.phase not in (Phase.VERIFY, Phase.SHIFT, Phase.ROLL_BACK)
    if before.phase is Phase.VERIFY and went_on:
        told.append(Happened.STEP_DONE)
    if after.held and not before.held:
        told.append(Happened.HELD)
    if after.phase is Phase.ROLL_BACK and before.phase is not Phase.ROLL_BACK:
        told.append(Happened.ROLLING_BACK)
    if after.ended and not before.ended:
        told.append(ENDS[after.phase])
    return tuple(told)


def delivery_id(record: Record, happened: Happened, step: int, target: str) -> str:
    """The same for each attempt, and for the same call of a driver that resumes: a receiver knows it again by it."""
    apart = ""
    if happened in (Happened.BEFORE_STEP, Happened.HELD):
        apart = str(record.gates_passed)
    elif happened is Happened.TAKEN_OVER:
        apart = record.owner
    text = "\0".join((record.id, happened, str(step), apart, target))
    return f"{record.id}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def payload(
    happened: Happened, record: Record, *, target: str, at: float, said: str = "", figures: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The JSON document that a receiver gets. `said` is the line of the history that goes with it."""
    plan, step = record.plan, record.step
    stepped = record.phase not in (Phase.PREWARM, Phase.REFUSED) or happened in (Happened.BEFORE_STEP, Happened.HELD)
    return {
        "schema": SCHEMA,
        "id": delivery_id(record, happened, step, target),
        "event": str(happened),
        "stage": plan.stage,
        "switch": record.id,
        "step": {"number": step + 1, "of": len(plan.steps), "weights": plan.steps[step].weights} if stepped else None,
        "from": plan.start,
        "to": plan.goal,
        "phase": str(record.phase),
        "at": round(at, 3),
        "who": record.owner,
        "why": record.why,
        "said": said,
        "reason": record.reason or record.held or None,
        "figures": figures or {},
        "runbook": f"{plan.callouts.runbooks}/{runbook(plan, record.reason)}.md",
    }


def runbook(plan: Plan, reason: str) -> str:
    """The page of docs/runbooks/ for what the reason names first, else its index."""
    lanes = [lane for lane in (plan.rising, plan.falling) if f"{lane}: " in reason]
    if not lanes:
        return "README"
    lane = min(lanes, key=lambda each: reason.index(f"{each}: "))
    words = reason.partition(f"{lane}: ")[2].partition(";")[0]
    page = next((page for ailment, page in _AILMENTS if ailment in words and "not known" not in words), None)
    known = page is not None and (lane == "container" or page in ("p99", "throttles", "5xx"))
    return f"{lane}-{page}" if known else lane


def slack_message(told: dict[str, Any]) -> dict[str, Any]:
    """`text` is the notification and what clients without blocks show; blocks are Slack's Block Kit, whose texts are cut where
    Slack would refuse them (3,000 characters a section; Slack, "Reference: blocks")."""
    goal = parse_weights(told["to"]).words
    loud = {
        Happened.ROLLING_BACK: ":rotating_light: ROLLING BACK",
        Happened.ROLLED_BACK: ":rotating_light: ROLLED BACK",
        Happened.REFUSED: ":no_entry: REFUSED",
        Happened.HELD: ":hourglass: held",
        Happened.TAKEN_OVER: ":warning: taken over",
        Happened.BEGUN: ":arrow_forward: begun",
        Happened.STEP_DONE: ":heavy_check_mark: step done",
        Happened.DONE: ":white_check_mark: done",
    }[Happened(told["event"])]
    step = f", step {told['step']['number']} of {told['step']['of']}" if told["step"] else ""
    head = f"{loud}: {told['stage']} to {goal}{step}"
    facts = [f"*who* {_escaped(told['who'])}", f"*why* {_escaped(told['why'])}", f"*switch* {told['switch']}"]
    page = told["runbook"]
    facts.append(f"*runbook* <{_escaped(page)}>" if page.startswith("http") else f"*runbook* {page}")
    sections = [f"*{_escaped(head)}*", _escaped(told["said"])]
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text[:3_000]}} for text in sections if text
    ]
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": "  ".join(facts)[:3_000]}]})
    text = head + (f": {told['said']}" if told["said"] else "")
    return {"text": _escaped(text)[:3_000], "blocks": blocks}


def body_of(target: Target, told: dict[str, Any]) -> dict[str, Any]:
    return slack_message(told) if target.slack and told["event"] != Happened.BEFORE_STEP else told


def _escaped(text: str) -> str:
    """The three characters that Slack's text reserves ("Formatting text for app surfaces")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shown(target: str) -> str:
    """A target as the history and a terminal may hold it."""
    return target_of(target).shown
