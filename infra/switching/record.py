"""The switch's memory: one record a stage, written before each mutation, and a history that is only ever added to.

Whoever reads the record knows who switches what, since when, at which step, and can continue it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from infra.switching.plan import Plan


class Phase(StrEnum):
    """Each names what is being brought about; it is left when it is seen to be so."""

    PREWARM = "prewarm"
    GATE = "gate"
    SHIFT = "shift"
    VERIFY = "verify"
    COOL = "cool"
    SCALE_DOWN = "scale-down"
    RELEASE = "release"
    DONE = "done"
    ROLL_BACK = "roll-back"
    ROLLED_BACK = "rolled-back"
    REFUSED = "refused"


ENDED = (Phase.DONE, Phase.ROLLED_BACK, Phase.REFUSED)
EXIT_CODES = {Phase.DONE: 0, Phase.REFUSED: 1, Phase.ROLLED_BACK: 3}


class Wish(StrEnum):
    """What an operator asks of a running switch; the driver obeys at its next look."""

    GO_ON = "go-on"
    PAUSE = "pause"
    PROMOTE = "promote"
    ABORT = "abort"
    OVERRULE = "overrule"


class Record(Struct, frozen=True, kw_only=True):
    """Times are seconds since 1970. `since` is when the phase or the step began; `reason` says why it went back, or was
    refused. `rollback_to` are the weights being gone back to. `outcome` is how it ends once the rising lane is released.
    `gates_passed` is how many gates of this step have let it pass, `held` what the one that holds it said last.
    `unattended_s` is how much of the time since `since` nobody drove it, or it was paused. `version` rises with each write."""

    id: str
    plan: Plan
    phase: Phase
    owner: str
    why: str
    started: float
    since: float
    step: int = 0
    wish: Wish = Wish.GO_ON
    reason: str = ""
    rollback_to: str = ""
    outcome: Phase = Phase.DONE
    quiet_since: float | None = None
    unattended_s: float = 0.0
    gates_passed: int = 0
    held: str = ""
    forced: tuple[str, ...] = ()
    digests: tuple[str | None, str | None] = (None, None)
    lease_until: float = 0.0
    version: int = 0

    @property
    def ended(self) -> bool:
        return self.phase in ENDED

    @property
    def limits_from(self) -> float:
        """The moment from which the phase's time limits count, as if it had been driven without a pause ever since."""
        return self.since + self.unattended_s

    def driven_s(self, now: float) -> float:
        """How long the phase has been driven: what its time limits count."""
        return now - self.limits_from

    @property
    def where(self) -> str:
        """For another operator: `verify, step 2 of 5 (lambda 95%, container 5%)`."""
        if self.phase in (Phase.GATE, Phase.SHIFT, Phase.VERIFY):
            held = f", held: {self.held}" if self.held else ""
            return f"{self.phase}, step {self.step + 1} of {len(self.plan.steps)} ({self.plan.steps[self.step].weights}){held}"
        return str(self.phase)


class Event(Struct, frozen=True, kw_only=True):
    """One line of the history: when, who, what, and by lane every figure that the decision used. `begun` is what a switch
    began with: its plan, both bundles' digests, and what was gone over; only its first event has it."""

    at: float
    switch: str
    who: str
    what: str
    phase: Phase
    figures: dict[str, Any] = {}
    begun: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


def attended(record: Record, now: float) -> Record:
    """As whoever drives it at `now` must take it: the time since its last lease ran out (a closed laptop, a dead network)
    counts for no limit, and a lane that nobody watched was not seen to be quiet."""
    gap_s = now - record.lease_until
    if gap_s <= 0:
        return record
    return replace(record, unattended_s=record.unattended_s + gap_s, quiet_since=None)


def driven_by(record: Record | None, now: float) -> str:
    """Who switches, since when, at which step, for somebody else who would."""
    if record is None:
        return "somebody else is switching this stage"
    minutes = (now - record.started) / 60
    lease = "its driver is at work" if record.lease_until > now else "its driver is gone: `crossover resume` takes it over"
    return f"{record.owner} is switching since {minutes:.0f} min, at {record.where}; {lease}"


def encode(record: Record) -> bytes:
    return msgspec.json.encode(record)


def decode(data: bytes | str) -> Record:
    return msgspec.json.decode(data, type=Record)
