"""Looks at a stage piece by piece. What does not answer keeps what it said last, with its age and what is wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from infra.errors import KitError
from infra.switching.aws.figures import Timeline
from infra.switching.doctor import Finding, diagnose
from infra.switching.ports import Unreachable
from infra.switching.record import Event, Record
from infra.switching.weights import LANES, Weights

if TYPE_CHECKING:
    from infra.switching.aws.control import Control
    from infra.switching.aws.schedules import Listed

EVENTS = 200
PIECES = ("record", "weights", "stacks", "figures", "alarms", "findings", "history", "floors", "schedule")
"""Beside them one for each lane: how many of its units are ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between two looks at the weights and the record, at figures, targets and alarms, and at stacks and templates."""

    look_s: float = 5.0
    figures_s: float = 15.0
    stacks_s: float = 60.0


@dataclass(slots=True)
class Piece:
    """`value` is what was seen at `seen_at`, the stage's time; `wrong` says why it could not be asked since, `refused` that
    asking again does not help by itself, as with credentials that have expired."""

    value: Any = None
    seen_at: float | None = None
    wrong: str = ""
    refused: bool = False
    asked_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Everything that is known at `now`; `pieces` tells how old each part is. None and empty stand for what is not known."""

    now: float
    control: Control
    record: Record | None
    parameter: Weights | None
    rule: Weights | None
    ready: dict[str, int | None]
    floors: dict[str, int | None]
    timeline: Timeline | None
    alarms: dict[str, str | None]
    findings: Sequence[Finding] | None
    events: Sequence[Event] | None
    scheduled: Sequence[Listed] | None
    pieces: dict[str, Piece]


@dataclass
class Watch:
    """`connect` is asked anew with the stacks: credentials may have been renewed, and outputs may have changed. `control` is
    where the console began."""

    connect: Callable[[], Control]
    control: Control
    asked_weights: str | None = None
    pace: Pace = field(default_factory=Pace)
    moment: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._pieces = {name: Piece() for name in (*PIECES, *LANES)}
        self._pieces["stacks"].asked_at = self.moment()
        self._lock = threading.Lock()
        self._read: int | None = None
        self._over = False

    def look(self) -> Sight:
        """Ask what is due. One look at a time, whichever thread asks."""
        with self._lock:
            control = self.control
            self._ask("record", 0.0, lambda: (control.store.load(),))
            self._ask("weights", 0.0, lambda: (control.traffic.parameter(), control.traffic.rule()))
            if self._pieces["record"].wrong and self._pieces["weights"].wrong:
                return self._nobody_answers(control)
            self._ask("stacks", self.pace.stacks_s, self._connect)
            for lane in LANES:
                self._ask(lane, self.pace.figures_s, partial(control.lanes.ready, lane))
            self._ask("floors", self.pace.figures_s, lambda: {lane: control.lanes.floor(lane) for lane in LANES})
            self._ask("figures", self.pace.figures_s, control.lanes.timeline)
            self._ask("alarms", self.pace.figures_s, lambda: {lane: control.alarm(lane) for lane in LANES})
            self._ask("findings", self.pace.stacks_s, lambda: diagnose(control.places(self.asked_weights)))
            self._ask("schedule", self.pace.stacks_s, lambda: _scheduled(control))
            self._history(control)
            return self._sight(control)

    def _nobody_answers(self, control: Control) -> Sight:
        """The rest would each wait for its time-out too. Credentials that have expired are read anew."""
        for piece in self._pieces.values():
            piece.wrong, piece.asked_at = piece.wrong or self._pieces["record"].wrong, None
        self._ask("stacks", 0.0, self._connect)
        return self._sight(control)

    def leave(self) -> None:
        """Nothing more is asked: a look that is under way ends with the piece that it is at."""
        self._over = True

    def soon(self) -> None:
        """Something was done: at the next look nothing is too young to be asked for."""
        for name in (*LANES, "floors", "findings", "history", "schedule"):
            self._pieces[name].asked_at = None

    def _ask(self, name: str, every_s: float, ask: Callable[[], Any]) -> bool:
        piece, now = self._pieces[name], self.moment()
        if self._over or (piece.asked_at is not None and now - piece.asked_at < every_s):
            return False
        piece.asked_at = now
        try:
            piece.value = ask()
        except KitError as error:
            piece.wrong, piece.refused = str(error), not isinstance(error, Unreachable)
            return False
        piece.seen_at, piece.wrong = self.control.world.clock.now(), ""
        return True

    def _connect(self) -> None:
        self.control = self.connect()

    def _history(self, control: Control) -> None:
        """When the record has been written since, and now and then for what is written beside it."""
        (record,) = self._pieces["record"].value or (None,)
        version = None if record is None else record.version
        every = 0.0 if version != self._read else self.pace.figures_s
        if self._ask("history", every, lambda: control.store.history(EVENTS)):
            self._read = version

    def _sight(self, control: Control) -> Sight:
        seen = {name: piece.value for name, piece in self._pieces.items()}
        (record,) = seen["record"] or (None,)
        parameter, rule = seen["weights"] or (None, None)
        return Sight(
            now=control.world.clock.now(),
            control=control,
            record=record,
            parameter=parameter,
            rule=rule,
            ready={lane: seen[lane] for lane in LANES},
            floors=seen["floors"] or {},
            timeline=seen["figures"],
            alarms=seen["alarms"] or {},
            findings=seen["findings"],
            events=seen["history"],
            scheduled=seen["schedule"],
            pieces=self._pieces,
        )


def _scheduled(control: Control) -> tuple[Listed, ...]:
    """None of a stage without its switcher."""
    schedules = control.schedules()
    return () if schedules is None else schedules.all()
