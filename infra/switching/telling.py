"""What a driver tells: each event to the history, and to the hooks and notifications that the plan names.

None of it changes a switch: a history that cannot be reached is said, a hook that fails stands in the history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from infra.switching.hooks import TO_HOOKS, Happened, payload, shown
from infra.switching.moves import Move
from infra.switching.observe import World
from infra.switching.ports import Unreachable
from infra.switching.record import Event, Record
from infra.switching.weights import LANES

LAST_WORDS_S = 5.0
"""How long the end waits for what is still to be told."""


class Telling:
    """`say` hears what could not be told, `hear` each event beside the history."""

    def __init__(self, world: World, *, owner: str, say: Callable[[str], None], hear: Callable[[Event], None]) -> None:
        self._world, self._owner, self._say, self._hear = world, owner, say, hear

    def event(self, record: Record, text: str, move: Move | None = None, begun: dict[str, Any] | None = None) -> None:
        """One line of the history, with the figures of the decision it tells of."""
        event = Event(
            at=self._world.clock.now(),
            switch=record.id,
            who=self._owner,
            what=text,
            phase=record.phase,
            figures=move.figures if move is not None else {},
            begun=begun or msgspec.UNSET,
        )
        self._hear(event)
        try:
            self._world.store.append(event)
        except Unreachable as error:
            self._say(f"history: {error}")

    def call_out(self, happened: Happened, record: Record, said: str, move: Move | None = None) -> None:
        """Beside the switch, whose outcome it never changes."""
        callouts, figures = record.plan.callouts, move.figures if move is not None else {}
        for target in (*(callouts.hooks if happened in TO_HOOKS else ()), *callouts.notify):
            told = payload(happened, record, target=target, at=self._world.clock.now(), said=said, figures=figures)
            self._world.hooks.send(target, told, callouts.timeout_s)

    def failures(self, record: Record) -> None:
        """What hooks and notifications could not be told since the last time."""
        for failure in self._world.hooks.failures():
            self.event(record, failure)


def begun_with(record: Record) -> dict[str, Any]:
    """What the history keeps of a plan once the next switch has taken its record. Targets as they may be shown."""
    plan: dict[str, Any] = msgspec.to_builtins(record.plan)
    targets = {name: [shown(each) for each in plan["callouts"][name]] for name in ("gates", "hooks", "notify")}
    plan["callouts"] |= targets
    digests = dict(zip(LANES, record.digests, strict=True))
    return {"plan": plan, "digests": digests, "forced": list(record.forced)}
