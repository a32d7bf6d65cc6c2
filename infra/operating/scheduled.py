"""Scheduled switches as an operator sees them and holds them; what they are made from is the command's alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.errors import KitError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.switching.aws.schedules import Listed, Schedules


def document(listed: Listed, now: float) -> dict[str, Any]:
    """`next` is in its own zone,  None for one that is paused, or that this tool did not write."""
    from infra.switching.aws.schedules import ON
    from infra.switching.schedule import next_at

    entry = listed.entry
    due = None
    if entry is not None and listed.state == ON:
        due = next_at(entry.days, entry.minute, listed.timezone, now).isoformat()
    return {
        "name": listed.name,
        "to": None if entry is None else entry.to,
        "expression": listed.expression,
        "timezone": listed.timezone,
        "state": listed.state.lower(),
        "next": due,
        "saves_usd_per_month": None if entry is None else entry.saves_usd,
        "saving_by": None if entry is None else entry.saving_by,
    }


def chosen(schedules: Schedules, names: Sequence[str]) -> list[Listed]:
    """All, where none is named. `KitError` for a name that is not there."""
    there = {each.name: each for each in schedules.all()}
    unknown = [name for name in names if name not in there]
    if unknown:
        raise KitError(f"there is no scheduled switch {', '.join(unknown)}; there are {', '.join(there) or 'none'}")
    return [there[name] for name in names or there]


def set_states(schedules: Schedules, names: Sequence[str], *, on: bool, told: Callable[[str], None]) -> None:
    """Pause or resume those named, or all. `told` hears of each that is changed."""
    from infra.switching.aws.schedules import OFF, ON

    state = ON if on else OFF
    for each in chosen(schedules, names):
        if each.state != state:
            schedules.set_state(each, state)
            told(f"{'resumed' if on else 'paused'}: {each.name}")
