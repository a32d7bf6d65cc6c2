"""What the switch needs of the world: small protocols; `infra/switching/aws/` answers them on AWS, tests with doubles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from infra.errors import KitError
from infra.switching.record import Event, Record
from infra.switching.verdict import Figures
from infra.switching.weights import Weights


class Unreachable(KitError):
    """The world did not answer: it may or may not have done what it was asked. Worth asking again."""


class Superseded(KitError):
    """Somebody else has written the record since it was read."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Said:
    """What a gate answered: whether it lets the step pass, and its words, or why there was no answer."""

    passes: bool
    words: str = ""


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None: ...


class Store(Protocol):
    """The record of a stage, and its history. Writes are conditional: `Superseded` where the version is not the one read."""

    def load(self) -> Record | None: ...

    def save(self, record: Record) -> Record:
        """Write over the version that the record carries (0: there was none, or it had ended); returns it with the next one."""
        ...

    def append(self, event: Event) -> None: ...

    def history(self, last: int) -> Sequence[Event]: ...


class Traffic(Protocol):
    """The two places that hold the weights. Each is None where it holds none of the two lanes."""

    def parameter(self) -> Weights | None: ...

    def rule(self) -> Weights | None: ...

    def write(self, weights: Weights) -> None:
        """The parameter first, then the rule: what is deployed meanwhile reads the new weights."""
        ...


class Lanes(Protocol):
    """The lanes themselves."""

    def figures(self, lane: str, since: float) -> Figures:
        """What the lane did since then; what cannot be known is None."""
        ...

    def ready(self, lane: str) -> int | None:
        """Instances or environments that are healthy and warmed up."""
        ...

    def prewarm(self, lane: str, units: int) -> None:
        """Have at least so many and keep them, whatever the load; never fewer than there are."""
        ...

    def floor(self, lane: str) -> int | None:
        """How many the lane keeps at least, whatever its load."""
        ...

    def release(self, lane: str, units: int) -> None:
        """Keep at least so many only: beyond that the lane follows its load again."""
        ...

    def standing(self, lane: str) -> int | None:
        """How many the lane has been asked to have."""
        ...

    def scale_down(self, lane: str, units: int) -> None:
        """Have so many now: the lane is not asked."""
        ...


class Hooks(Protocol):
    """Gates, hooks and notifications (`infra.switching.calling`). Nothing here raises for what a receiver does."""

    def ask(self, target: str, told: dict[str, Any], timeout_s: float) -> Said:
        """One call of a gate, with an answer after `timeout_s` at the latest."""
        ...

    def send(self, target: str, told: dict[str, Any], timeout_s: float) -> None:
        """Call a hook or notify, beside the switch: returns at once."""
        ...

    def failures(self) -> Sequence[str]:
        """What could not be sent since this was asked last."""
        ...

    def close(self, wait_s: float) -> None:
        """Wait so long for what is still to be sent, then give it up; no process or connection is left."""
        ...


class NoHooks:
    """Of a driver that cannot call any: a gate holds, and what is sent is told as failed."""

    def __init__(self) -> None:
        self._failed: list[str] = []

    def ask(self, target: str, told: dict[str, Any], timeout_s: float) -> Said:
        return Said(passes=False, words="this driver calls no gates")

    def send(self, target: str, told: dict[str, Any], timeout_s: float) -> None:
        self._failed.append(f"{told['event']}: this driver calls no hooks")

    def failures(self) -> Sequence[str]:
        failed, self._failed = self._failed, []
        return failed

    def close(self, wait_s: float) -> None:
        pass
