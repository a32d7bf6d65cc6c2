"""What goes into a decision and what comes out of it: what is seen, and the next record with the one thing to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infra.switching.ports import Said
from infra.switching.record import Record
from infra.switching.verdict import Figures
from infra.switching.weights import Weights

LOOK_S = 5.0
"""Pause between two looks at a phase that takes its time."""


@dataclass(frozen=True, slots=True)
class Write:
    """Write these weights into the parameter, then into the rule."""

    weights: Weights


@dataclass(frozen=True, slots=True)
class Prewarm:
    """Have so many instances or environments ready on the lane, at least."""

    lane: str
    units: int


@dataclass(frozen=True, slots=True)
class ScaleDown:
    """Let the lane go down to its standby size."""

    lane: str
    units: int


@dataclass(frozen=True, slots=True)
class Release:
    """Let the lane follow its load again, down to so many."""

    lane: str
    units: int


@dataclass(frozen=True, slots=True)
class Look:
    """Nothing to do but look again after so many seconds."""

    after_s: float = LOOK_S


Action = Write | Prewarm | ScaleDown | Release | Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is so at `now`. `figures` are each lane's since the record's `since`, of a long phase its last minutes
    (`infra.switching.observe`); None stands for what is not known; `recent` are those of the last minutes in which the step's
    weights were everywhere. `strange`: the parameter or the rule was read,
    and holds no weights of the two lanes.

    `ready` are the rising lane's instances or environments that are healthy and warmed up, `floor` is how many it keeps at
    least; `standing` how many the falling lane is asked to have, `kept` how many it keeps at least. `gate` is what the next
    gate answered, None where none was asked.
    """

    now: float
    parameter: Weights | None = None
    rule: Weights | None = None
    figures: dict[str, Figures] = field(default_factory=dict)
    recent: dict[str, Figures] = field(default_factory=dict)
    ready: int | None = None
    standing: int | None = None
    floor: int | None = None
    gate: Said | None = None
    kept: int | None = None
    strange: bool = False

    def of(self, lane: str) -> Figures:
        return self.figures.get(lane, Figures())

    def lately(self, lane: str) -> Figures:
        return self.recent.get(lane, Figures()) if self.recent else self.of(lane)

    def at(self, weights: Weights) -> bool:
        """Whether parameter and rule both hold these weights."""
        return self.parameter == weights and self.rule == weights


@dataclass(frozen=True, slots=True)
class Move:
    """The next record, what to do once it is written, what to say (empty: nothing new), and the figures it rests on."""

    record: Record
    action: Action = field(default_factory=Look)
    say: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
