"""What a switch that has not ended waits for, in words and as how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.switching.hooks import shown
from infra.switching.plan import Plan
from infra.switching.record import Phase, Record, Wish
from infra.switching.transition import NEVER_QUIET_S
from infra.switching.verdict import Figures, Health, judge
from infra.switching.weights import UNITS, parse_weights

HELD = (Phase.PREWARM, Phase.GATE, Phase.VERIFY, Phase.COOL)
ABORTABLE = (*HELD, Phase.SHIFT)


@dataclass(frozen=True, slots=True)
class Waiting:
    """`by` is the moment at which the phase gives up, or None, as where a pause stops its time; `health` what the rising lane's
    figures of this phase say."""

    what: str
    by: float | None = None
    health: str | None = None
    held: bool = False


def waiting(record: Record, now: float, figures: Mapping[str, Figures], ready: int | None) -> Waiting:
    """`figures` are of the whole minutes since the phase began, `ready` the rising lane's units."""
    plan, held = record.plan, record.wish is Wish.PAUSE and record.phase in HELD
    if record.wish is Wish.ABORT and record.phase in ABORTABLE:
        return Waiting("the abort to be taken up")
    if record.phase is Phase.PREWARM:
        due = plan.need is None or (ready is not None and ready >= plan.need.units)
        return Waiting(_prewarm(plan, ready), None if held and due else record.limits_from + plan.prewarm_s, held=held)
    if record.phase is Phase.GATE:
        asked = (
            shown(plan.callouts.gates[record.gates_passed]) if record.gates_passed < len(plan.callouts.gates) else "its step"
        )
        held_by = f", which holds it: {record.held}" if record.held else ""
        return Waiting(f"the gate {asked}{held_by}", None if held else record.limits_from + plan.callouts.hold_s, held=held)
    if record.phase is Phase.SHIFT:
        words = parse_weights(plan.steps[record.step].weights).words
        return Waiting(f"parameter and rule to hold {words}, read back", record.limits_from + plan.write_s)
    if record.phase is Phase.VERIFY:
        return _verify(record, now, figures, held=held)
    if record.phase is Phase.COOL:
        words = f"the {plan.falling} lane to have had no request for {plan.quiet_s:g} s"
        if record.quiet_since is not None:
            words += f"; quiet for {now - record.quiet_since:.0f} s"
        return Waiting(words, record.limits_from + NEVER_QUIET_S, held=held)
    if record.phase is Phase.SCALE_DOWN:
        return Waiting(f"the {plan.falling} lane to be down to {plan.standby or 0}", record.limits_from + plan.write_s)
    if record.phase is Phase.RELEASE:
        words = f"the {plan.rising} lane to follow its load again, from {plan.floor or 0} up"
        return Waiting(words, record.limits_from + plan.write_s)
    if record.phase is Phase.ROLL_BACK:
        return Waiting(f"parameter and rule to hold {parse_weights(record.rollback_to).words} again")
    return Waiting(record.where)


def _prewarm(plan: Plan, ready: int | None) -> str:
    if plan.need is None:
        return "its first step"
    have = "how many are ready is not known" if ready is None else f"{ready} are ready"
    return f"{plan.need.units} {UNITS[plan.rising]} of the {plan.rising} lane ({have})"


def _verify(record: Record, now: float, figures: Mapping[str, Figures], *, held: bool) -> Waiting:
    """As far as this page's own figures tell; the driver's are what decides."""
    plan, limits = record.plan, record.plan.limits
    rising, falling = figures.get(plan.rising, Figures()), figures.get(plan.falling, Figures())
    verdict = judge(plan.rising, rising, falling, limits)
    seen = "its minutes are not known yet" if rising.requests is None else f"{rising.requests:,} seen"
    parts = [f"{limits.min_samples:,} requests on the {plan.rising} lane ({seen})"]
    left = limits.bake_s - record.driven_s(now)
    if left > 0:
        parts.append(f"{left:.0f} s more at this step")
    if verdict.health is Health.UNKNOWN and rising.requests is not None and rising.requests >= limits.min_samples:
        parts.append(verdict.words)
    if verdict.health is Health.SICK:
        parts.append(f"sick: {verdict.words}")
    return Waiting("; ".join(parts), None if held else record.limits_from + limits.max_bake_s, str(verdict.health), held)
