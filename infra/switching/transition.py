"""The one place that decides: a record and what is seen now go in; the next record, one action and what to say of it come out.

Pure, and looked at anew each time: a phase is left when what it brings about is so, whoever brought it about. So a switch that
was killed between any two lines continues from its record, and doing an action twice does no harm.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from infra.switching.hooks import shown
from infra.switching.moves import Look, Move, Prewarm, Release, ScaleDown, Seen, Write
from infra.switching.plan import Plan
from infra.switching.record import Phase, Record, Wish
from infra.switching.verdict import Health, Verdict, judge, less_sick, split_is_seen, uncompared
from infra.switching.weights import Weights, all_on, parse_weights

NEVER_QUIET_S = 3_600.0
"""After so long the falling lane is left running: something still asks it."""


def advance(record: Record, seen: Seen) -> Move:
    """The next move of a record that has not ended."""
    if record.wish is Wish.ABORT and record.phase in (Phase.PREWARM, Phase.GATE, Phase.SHIFT, Phase.VERIFY, Phase.COOL):
        return _back(replace(record, wish=Wish.GO_ON), seen, "aborted by an operator", to_start=True)
    steps = {
        Phase.PREWARM: _prewarm,
        Phase.GATE: _gate,
        Phase.SHIFT: _shift,
        Phase.VERIFY: _verify,
        Phase.COOL: _cool,
        Phase.SCALE_DOWN: _scale_down,
        Phase.RELEASE: _release,
        Phase.ROLL_BACK: _roll_back,
    }
    return steps[record.phase](record, seen)


def _enter(record: Record, phase: Phase, now: float, **more: Any) -> Record:
    return replace(record, phase=phase, since=now, unattended_s=0.0, **more)


def _end(record: Record, seen: Seen, outcome: Phase, **more: Any) -> Record:
    """Ended, where a lane's floor was raised by way of letting it down again."""
    if record.plan.floor is None and record.plan.keep is None:
        return _enter(record, outcome, seen.now, **more)
    return _enter(record, Phase.RELEASE, seen.now, outcome=outcome, **more)


def _held(record: Record) -> bool:
    return record.wish is Wish.PAUSE


def _prewarm(record: Record, seen: Seen) -> Move:
    need, keep = record.plan.need, record.plan.keep
    late = record.driven_s(seen.now) > record.plan.prewarm_s
    if keep is not None and not late and (seen.kept is None or seen.kept < keep):
        return Move(record, Prewarm(record.plan.falling, keep))
    if need is None or (seen.ready is not None and seen.ready >= need.units):
        if _held(record):
            return Move(record)
        ready = "nothing to prepare" if need is None else f"{seen.ready} ready, {need.units} needed"
        return _to_step(record, seen, 0, f"{record.plan.rising} lane: {ready}")
    if late:
        have = "an unknown number" if seen.ready is None else str(seen.ready)
        reason = (
            f"{record.plan.rising} lane: {have} of {need.units} ready after {record.plan.prewarm_s:g} s; no traffic was moved"
        )
        return Move(_end(record, seen, Phase.REFUSED, reason=reason), say=reason)
    return Move(record, Prewarm(record.plan.rising, need.units))


def _to_step(record: Record, seen: Seen, step: int, because: str) -> Move:
    moved = replace(record, step=step, gates_passed=0, held="", wish=_obeyed(record))
    gates = record.plan.callouts.gates
    if not gates:
        return _write_step(moved, seen, because)
    before = f"step {step + 1} of {len(record.plan.steps)}"
    asked = f"{because}; asking {' and '.join(map(shown, gates))} before {before}"
    return Move(_enter(moved, Phase.GATE, seen.now), Look(0.0), asked, _figures(record.plan, seen))


def _write_step(record: Record, seen: Seen, because: str) -> Move:
    weights = parse_weights(record.plan.steps[record.step].weights)
    moved = _enter(record, Phase.SHIFT, seen.now, held="", wish=_obeyed(record))
    return Move(moved, Write(weights), f"{because}; now {weights.words}", _figures(record.plan, seen))


def _obeyed(record: Record) -> Wish:
    """What asks for one step only is done with once it is taken."""
    return Wish.GO_ON if record.wish in (Wish.PROMOTE, Wish.OVERRULE) else record.wish


def _gate(record: Record, seen: Seen) -> Move:
    """Traffic stays as the step before left it, and both lanes are judged on, until every gate has let the step pass."""
    plan, before = record.plan, parse_weights(record.plan.start)
    if record.step:
        before = parse_weights(plan.steps[record.step - 1].weights)
        verdict = _rising(plan, seen)
        if verdict.health is Health.SICK:
            return _back(record, seen, verdict.words)
        if _changed(seen, before):
            return Move(record, Write(before), f"{_holds(seen)}: somebody changed them; {before} is written again")
    gates, step = plan.callouts.gates, f"step {record.step + 1} of {len(plan.steps)}"
    gate = shown(gates[record.gates_passed])
    if _held(record):
        return Move(record)
    if record.wish is Wish.OVERRULE:
        return _write_step(record, seen, f"{step} goes over {gate} by an operator's word ({record.held or 'not answered yet'})")
    if seen.gate is not None and seen.gate.passes:
        passed = record.gates_passed + 1
        if passed == len(gates):
            return _write_step(replace(record, gates_passed=passed), seen, f"{gate} lets {step} pass")
        moved = replace(record, gates_passed=passed, held="", since=seen.now, unattended_s=0.0)
        return Move(moved, Look(0.0), f"{gate} lets {step} pass")
    held = record.held if seen.gate is None else seen.gate.words or "it did not say why"
    if record.driven_s(seen.now) > plan.callouts.hold_s:
        reason = f"{gate} held {step} for {plan.callouts.hold_s:g} s: {held or 'it was not asked'}"
        if record.step:
            return _back(record, seen, reason, to_start=True)
        reason = f"{reason}; no traffic was moved"
        return Move(_end(record, seen, Phase.REFUSED, reason=reason), say=reason)
    return Move(replace(record, held=held), say=f"{gate} holds {step}: {held}" if held and not record.held else "")


def _shift(record: Record, seen: Seen) -> Move:
    weights = parse_weights(record.plan.steps[record.step].weights)
    if seen.at(weights):
        return Move(_enter(record, Phase.VERIFY, seen.now), say=f"{weights.words}: read back")
    if record.driven_s(seen.now) > record.plan.write_s:
        reason = f"weights {weights} could not be written and read back within {record.plan.write_s:g} s"
        return _back(record, seen, reason, to_start=True)
    return Move(record, Write(weights))


def _verify(record: Record, seen: Seen) -> Move:
    plan, limits = record.plan, record.plan.limits
    weights = parse_weights(plan.steps[record.step].weights)
    if _changed(seen, weights):
        say = f"{_holds(seen)}: somebody changed them; {weights} is written again"
        return Move(_enter(record, Phase.SHIFT, seen.now), Write(weights), say)
    verdict = _rising(plan, seen)
    if verdict.health is Health.SICK:
        return _back(record, seen, verdict.words)
    elapsed = seen.now - record.since
    if record.wish is Wish.PROMOTE:
        return _next(record, seen, f"promoted by an operator after {elapsed:.0f} s")
    if elapsed < limits.bake_s:
        return Move(record)
    split = split_is_seen(seen.lately(plan.rising), seen.lately(plan.falling), weights.share(plan.rising))
    if verdict.health is Health.WELL and split.health is Health.WELL:
        well = f"{plan.rising} lane is well after {elapsed:.0f} s ({seen.of(plan.rising).words})"
        return Move(record) if _held(record) else _next(record, seen, well)
    if record.driven_s(seen.now) >= limits.max_bake_s:
        unknown = verdict if verdict.health is Health.UNKNOWN else split
        return _back(record, seen, f"{unknown.words} after {elapsed:.0f} s: what is not known is not promoted", to_start=True)
    return Move(record)


def _changed(seen: Seen, weights: Weights) -> bool:
    """Whether parameter or rule was read, and holds something else."""
    return seen.strange or (None not in (seen.parameter, seen.rule) and not seen.at(weights))


def _holds(seen: Seen) -> str:
    return f"parameter holds {seen.parameter or 'no weights'}, rule {seen.rule or 'no weights of the two lanes'}"


def _next(record: Record, seen: Seen, because: str) -> Move:
    if record.step + 1 < len(record.plan.steps):
        return _to_step(record, seen, record.step + 1, because)
    moved = replace(record, wish=_obeyed(record))
    goal = parse_weights(record.plan.goal)
    if not goal.same_split(all_on(record.plan.rising)):
        return Move(_end(moved, seen, Phase.DONE), say=f"{because}; done: {goal.words}", figures=_figures(record.plan, seen))
    say = f"{because}; {goal.words}, waiting for the {record.plan.falling} lane to fall quiet"
    return Move(_enter(moved, Phase.COOL, seen.now, quiet_since=None), say=say, figures=_figures(record.plan, seen))


def _cool(record: Record, seen: Seen) -> Move:
    plan = record.plan
    verdict = _rising(plan, seen)
    if verdict.health is Health.SICK:
        return _back(record, seen, verdict.words)
    if record.driven_s(seen.now) > NEVER_QUIET_S:
        say = f"{plan.falling} lane is still asked after {NEVER_QUIET_S:g} s: it is left as it is"
        return Move(_end(record, seen, Phase.DONE), say=say, figures=_figures(record.plan, seen))
    if seen.of(plan.falling).requests != 0:  # asked, or not known
        return Move(replace(record, quiet_since=None))
    quiet = seen.now if record.quiet_since is None else record.quiet_since
    if seen.now - quiet < plan.quiet_s or _held(record):
        return Move(replace(record, quiet_since=quiet))
    if plan.standby is None:
        return Move(
            _end(record, seen, Phase.DONE), say=f"{plan.falling} lane is quiet; done", figures=_figures(record.plan, seen)
        )
    say = f"{plan.falling} lane has had no request for {plan.quiet_s:g} s: down to {plan.standby}"
    return Move(
        _enter(record, Phase.SCALE_DOWN, seen.now), ScaleDown(plan.falling, plan.standby), say, _figures(record.plan, seen)
    )


def _scale_down(record: Record, seen: Seen) -> Move:
    standby = record.plan.standby or 0
    if seen.standing is not None and seen.standing <= standby:
        return Move(_end(record, seen, Phase.DONE), say=f"{record.plan.falling} lane is at its standby size; done")
    if record.driven_s(seen.now) > record.plan.write_s:
        say = f"{record.plan.falling} lane could not be scaled down to {standby}: it costs more, and serves; done"
        return Move(_end(record, seen, Phase.DONE), say=say)
    return Move(record, ScaleDown(record.plan.falling, standby))


def _release(record: Record, seen: Seen) -> Move:
    """The last thing, after which a record has ended: a lane that keeps more than it needs costs, and serves."""
    plan = record.plan
    raised = [(plan.rising, plan.floor, seen.floor)] if plan.floor is not None else []
    raised += [(plan.falling, plan.keep_floor or 0, seen.kept)] if plan.keep is not None else []
    high = [(lane, floor) for lane, floor, now in raised if now is None or now > floor]
    if not high:
        say = "; ".join(f"{lane} lane follows its load again, from {floor} up" for lane, floor, _ in raised)
        return Move(_enter(record, record.outcome, seen.now), say=say)
    lane, floor = high[0]
    if record.driven_s(seen.now) > plan.write_s:
        say = f"{lane} lane could not be let down to {floor} at least: it costs more, and serves"
        return Move(_enter(record, record.outcome, seen.now), say=say)
    return Move(record, Release(lane, floor))


def _roll_back(record: Record, seen: Seen) -> Move:
    weights = parse_weights(record.rollback_to)
    if seen.at(weights):
        return Move(_end(record, seen, Phase.ROLLED_BACK), say=f"rolled back to {weights.words}: {record.reason}")
    return Move(record, Write(weights))


def _back(record: Record, seen: Seen, reason: str, *, to_start: bool = False) -> Move:
    """Back to where traffic came from, unless that lane is sick and the rising one is not, or less so."""
    plan = record.plan
    start = parse_weights(plan.start)
    verdicts = {plan.rising: _rising(plan, seen), plan.falling: _falling(plan, seen)}
    lane = plan.falling if to_start else less_sick({name: seen.of(name) for name in verdicts}, verdicts, plan.falling)
    if all(verdict.health is Health.SICK for verdict in verdicts.values()):
        reason = (
            f"BOTH LANES ARE SICK, staying on the less sick one: {verdicts[plan.rising].words}; {verdicts[plan.falling].words}"
        )
        lane = less_sick({name: seen.of(name) for name in verdicts}, verdicts, plan.falling)
    elif verdicts[lane].health is Health.SICK:
        reason = f"{reason}; WHERE TRAFFIC GOES BACK TO IS SICK: {verdicts[lane].words}"
    weights = start if lane == plan.falling else all_on(lane)
    moved = _enter(record, Phase.ROLL_BACK, seen.now, reason=reason, rollback_to=str(weights))
    return Move(moved, Write(weights), f"going back to {weights.words}: {reason}", _figures(record.plan, seen))


def _rising(plan: Plan, seen: Seen) -> Verdict:
    return judge(plan.rising, seen.of(plan.rising), seen.of(plan.falling), plan.limits)


def _falling(plan: Plan, seen: Seen) -> Verdict:
    """The falling lane by its own limits alone: a sick rising lane is no measure for it."""
    return judge(plan.falling, seen.of(plan.falling), None, plan.limits)


def _figures(plan: Plan, seen: Seen) -> dict[str, Any]:
    """By lane; `uncompared` are those of the rising lane that its limits alone judge, and why; `lately` is how many requests
    the split was judged by, where it was (`Seen.recent`)."""
    told: dict[str, Any] = {lane: msgspec.to_builtins(figures) for lane, figures in seen.figures.items()}
    if plan.rising in told:
        told[plan.rising]["uncompared"] = uncompared(plan.rising, seen.figures.get(plan.falling), plan.limits)
    for lane, figures in seen.recent.items():
        told.setdefault(lane, {})["lately"] = figures.requests
    return told
