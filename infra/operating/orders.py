"""What an operator may ask of a switch that has begun, and when the one who asks must drive it.

Each returns how a driver takes the switch, or None where a driver is at work that will see to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.errors import KitError
from infra.operating.stage import who
from infra.switching.driver import Driver, wish
from infra.switching.moves import LOOK_S
from infra.switching.observe import unless_unreachable
from infra.switching.plan import Need
from infra.switching.ports import Clock
from infra.switching.preflight import left_at
from infra.switching.record import Event, Phase, Record, Wish
from infra.switching.weights import Weights, parse_weights

if TYPE_CHECKING:
    from infra.switching.aws.control import Control

Take = Callable[[Driver], Record]
MEANINGS = {
    Wish.PAUSE: "holds at its step; a lane that falls sick is left all the same",
    Wish.GO_ON: "goes on",
    Wish.PROMOTE: "takes its next step now",
    Wish.ABORT: "goes back to where it started",
    Wish.OVERRULE: "goes over the gate that holds it",
}


@dataclass(frozen=True, slots=True)
class Left:
    """A wish left with an unfinished switch. `driven`: somebody's lease runs, who will read it at the next look; else whoever
    asked drives it, where `stands_in` names it."""

    asked: Wish
    record: Record
    driven: bool
    stands_in: str = ""

    @property
    def words(self) -> str:
        its, stage = f"{self.record.owner}'s switch, at {self.record.where}", self.record.plan.stage
        if not self.driven and not self.stands_in:
            alone = "its driver is gone: nothing happens, nor is a sick lane left, until"
            return f"{its}: {self.asked} is noted, but {alone} `crossover resume --stage {stage}`"
        gone = "" if self.driven else f"; its driver is gone: {self.stands_in} drives it"
        return f"{its}, {MEANINGS[self.asked]}{gone}"


Told = Callable[[Left], None]


def leave(control: Control, asked: Wish, *, stands_in: str = "", step: int | None = None) -> Left:
    """`KitError` where there is no unfinished switch, it is at another step, or its phase would not regard the wish."""
    record = wish(control.store, asked, lambda record: _heed(record, asked, step))
    now = control.world.clock.now()
    control.store.append(Event(at=now, switch=record.id, who=who(), what=f"{asked} asked", phase=record.phase))
    return Left(asked, record, record.lease_until > now, stands_in)


def _heed(record: Record, asked: Wish, step: int | None = None) -> None:
    """`KitError` for a wish that this phase would pass over, or that was meant for another step."""
    stage, at = record.plan.stage, f"{record.owner}'s switch is at {record.where}"
    back = record.phase is Phase.ROLL_BACK or (record.phase is Phase.RELEASE and record.outcome is not Phase.DONE)
    if asked is Wish.ABORT and not back and record.phase in (Phase.SCALE_DOWN, Phase.RELEASE):
        raise KitError(f"{at}: it ends within minutes; then `crossover rollback --stage {stage}`")
    if asked is Wish.PAUSE and record.phase in (Phase.ROLL_BACK, Phase.SCALE_DOWN, Phase.RELEASE):
        raise KitError(f"{at}: it {'goes back' if back else 'ends'}, and is not held there")
    if asked is Wish.PROMOTE and record.phase is Phase.GATE:
        raise KitError(f"{at}: a gate has this step; `crossover promote --over-gate --stage {stage}` goes over it")
    if asked is Wish.PROMOTE and record.phase not in (Phase.SHIFT, Phase.VERIFY):
        raise KitError(f"{at}: there is no step to promote; it goes on by itself")
    if asked is Wish.OVERRULE and record.phase is not Phase.GATE:
        raise KitError(f"{at}: no gate holds it")
    if step not in (None, record.step):
        raise KitError(f"{at}: it has gone on by itself meanwhile; look at it again")


def look_at_promotion(control: Control, *, over_gate: bool = False) -> tuple[int, str]:
    """The step at which the switch stands, and in words what `promote` would do; `KitError` where it would refuse."""
    record = control.store.load()
    if record is None or record.ended:
        raise KitError("there is no unfinished switch")
    _heed(record, Wish.OVERRULE if over_gate else Wish.PROMOTE)
    steps = [parse_weights(step.weights).words for step in record.plan.steps]
    if over_gate:
        held = record.held or "it has not answered"
        return record.step, f"This moves live traffic to {steps[record.step]} now, over its gate ({held})."
    following = [f"moves live traffic to {words}" for words in steps[record.step + 1 :]]
    pause = "; the pause ends" if record.wish is Wish.PAUSE else ""
    return record.step, f"This {[*following, 'takes the last step for well'][0]} now, without waiting for more requests{pause}."


def promote(control: Control, *, step: int, over_gate: bool = False) -> Left:
    """Its next step now, or over the gate that holds it. `step` is where it stood when that was looked at: of one that has gone
    on by itself since, another step would be cut short."""
    return leave(control, Wish.OVERRULE if over_gate else Wish.PROMOTE, step=step)


def abort(
    control: Control,
    told: Told,
    *,
    here: str = "this command",
    clock: Clock | None = None,
    waits: Callable[[Record], None] = lambda record: None,
) -> Take | None:
    """Its driver goes back at its next look; where the driver is gone, whoever asks goes back. Waits until the driver has taken
    up the wish, or its lease has ended, for one that died a moment ago still has a lease. `told` hears of the wish when it
    is left, naming `here` where that drives it; `waits` hears the record whose lease is waited for, at each look; `clock` is
    the stage's unless another sleeps."""
    left = leave(control, Wish.ABORT, stands_in=here)
    told(left)
    if left.driven and not _nobody_obeys(control, left.record, clock or control.world.clock, waits):
        return None
    return lambda driver: driver.take_over()


def _nobody_obeys(control: Control, left: Record, clock: Clock, waits: Callable[[Record], None] = lambda record: None) -> bool:
    """Whether the lease ends first: a driver reads the wish before it renews its lease."""
    while True:
        stored = unless_unreachable(control.store.load) or left
        if stored.id != left.id or stored.ended or stored.wish is not left.wish or stored.lease_until > left.lease_until:
            return False
        if stored.lease_until <= clock.now():
            return True
        waits(stored)
        clock.sleep(LOOK_S / 2)


def resume(
    control: Control, told: Told, *, here: str = "this command", take_over: bool = False, awaits: bool = True
) -> Take | None:
    """A paused switch is told to go on; one whose driver is gone, or is to be taken over, is driven by whoever asks. `awaits`:
    as `abort`, until the driver has taken it up, or its lease has ended."""
    record = control.store.load()
    if record is None or record.ended:
        raise KitError("there is no unfinished switch")
    if record.wish is Wish.PAUSE:
        left = leave(control, Wish.GO_ON, stands_in=here)
        told(left)
        if left.driven and not take_over and not (awaits and _nobody_obeys(control, left.record, control.world.clock)):
            return None
    return lambda driver: driver.take_over(force=take_over)


def carried_before(control: Control) -> Need | None:
    """What the lane had that carried the traffic before the last switch: where its own last hour does not tell what it needs,
    going back needs as much. One environment stands for Lambda, which starts the others as requests come."""
    last = control.store.load()
    if last is None or not last.ended:
        return None
    plan = last.plan
    units = (plan.keep or plan.keep_floor) if plan.falling == "container" else 1
    return Need(units=units, why=f"as before switch {last.id}; not known by its last hour") if units else None


def where_back(control: Control) -> tuple[Weights, str] | None:
    """Where traffic was before the last switch, and why one goes there; None for a switch that has not ended, which is
    aborted instead."""
    last = control.store.load()
    stage = control.resources.stage
    if last is None:
        raise KitError(f"there has been no switch of {stage} to go back from: say where to, with `crossover switch`")
    if not last.ended:
        return None
    start = parse_weights(last.plan.start)
    if left_at(last).same_split(start):  # else it stayed on the lane that was less sick
        raise KitError(f"the last switch of {stage} ended {last.phase}: traffic is where it was before it")
    return start, f"rollback of {last.id}"
