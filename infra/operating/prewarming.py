"""A lane made ready ahead of load that is known to come, or let follow its load again. No traffic moves.

What is asked for stands in the history before anything is raised, and what came of it after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import InputError, KitError
from infra.operating.proposal import measured
from infra.operating.stage import who
from infra.switching.need import given, need_of
from infra.switching.observe import unless_unreachable
from infra.switching.plan import Need
from infra.switching.ports import Clock
from infra.switching.preflight import over_capacity
from infra.switching.record import Event, Phase
from infra.switching.weights import UNITS

if TYPE_CHECKING:
    from infra.switching.aws.control import Control

LOOK_S = 5.0
WAIT_S = 900
PREWARM = "prewarm"
"""In the place of a switch's id in the history, though it is no switch."""


@dataclass(frozen=True, slots=True)
class Prewarming:
    """`units` instances or environments are to be ready on the lane. It keeps `floor` at least and has `ready`, as far as that
    is known, and may have `most`."""

    lane: str
    units: int
    why: str
    ready: int | None
    floor: int | None
    most: int

    @property
    def kind(self) -> str:
        return UNITS[self.lane]

    @property
    def words(self) -> str:
        """What it would change."""
        if self.lane == "lambda" and self.floor == 0:
            return (
                "nothing is raised: the stage keeps no environments started (lambda_lane.provisioned_concurrency is 0), Lambda "
                f"starts them as requests come, up to {self.most:,} at once"
            )
        if self.floor is not None and self.floor >= self.units:
            return f"nothing is raised: the {self.lane} lane keeps {self.floor} {self.kind} at least already"
        before = "how many it keeps now is not known" if self.floor is None else f"{self.floor} before"
        return f"the {self.lane} lane keeps {self.units} {self.kind} at least ({before})"


def propose(control: Control, lane: str, *, units: int | None = None, profile: Path | None = None) -> Prewarming:
    """Reads only. Without `units`, for all traffic of this hour. `KitError` while a switch is under way, where the need cannot
    be told, and for what the preflight of a switch would refuse: more than the lane may have, or than the account's quotas."""
    _nobody_switches(control)
    if units is not None:
        need: Need | str = given(units)
    else:
        told = None if profile is None else measured(profile, lane)
        need = need_of(lane, 1.0, control.load(), control.machines(lane), told)
    most = control.lanes.most(lane)
    against = [*over_capacity(lane, need, most, control.quotas_for(lane, need))]
    if against or isinstance(need, str):
        raise KitError(f"refused, nothing was raised: {'; '.join(map(str, against))}")
    return Prewarming(lane, need.units, need.why, control.lanes.ready(lane), control.lanes.floor(lane), most)


def begin(control: Control, asked: Prewarming) -> None:
    """Never fewer than there are."""
    _nobody_switches(control)
    _write_down(control, f"{asked.units} {asked.kind} of the {asked.lane} lane asked for ahead of load; {asked.words}")
    control.lanes.prewarm(asked.lane, asked.units)


def wait(
    control: Control,
    asked: Prewarming,
    *,
    wait_s: float = WAIT_S,
    clock: Clock | None = None,
    seen: Callable[[int | None], None] = lambda ready: None,
) -> str:
    """Until they are ready; returns what to say of it. `KitError` where they are not after so long: the rest may come yet.
    `seen` hears how many are ready, None where that could not be asked."""
    clock = clock or control.world.clock
    until = clock.now() + wait_s
    while True:
        ready = unless_unreachable(lambda: control.lanes.ready(asked.lane))
        seen(ready)
        if ready is not None and ready >= asked.units:
            said = f"{ready} ready on the {asked.lane} lane, {asked.units} were asked for"
            _write_down(control, said)
            return said
        if clock.now() >= until:
            have = "how many are ready is not known" if ready is None else f"{ready} of {asked.units} are ready"
            said = f"{have} on the {asked.lane} lane after {wait_s:g} s; the rest may come yet"
            _write_down(control, said)
            raise KitError(said)
        clock.sleep(LOOK_S)


def release(control: Control, lane: str) -> str:
    """The container lane follows its load again; returns what to say of it."""
    floor = released_floor(control, lane)
    _write_down(control, f"the {lane} lane is let follow its load again, from {floor} up as its template has it")
    control.lanes.release(lane, floor)
    return f"the {lane} lane follows its load again, from {control.lanes.floor(lane)} up"


def released_floor(control: Control, lane: str) -> int:
    """How many the lane would keep at least. Reads only; refuses where `release` would."""
    _nobody_switches(control)
    if lane != "container":
        raise InputError("--release: for the container lane; what Lambda keeps started is a setting of the stage")
    floor = control.template_floor()
    if floor is None:
        raise KitError("the container stack's template does not say how many instances the group has at least")
    return floor


def _nobody_switches(control: Control) -> None:
    record = control.store.load()
    if record is not None and not record.ended:
        raise KitError(f"{record.owner}'s switch is at {record.where}: it sees to its lanes by itself")


def _write_down(control: Control, said: str) -> None:
    event = Event(at=control.world.clock.now(), switch=PREWARM, who=who(), what=said, phase=Phase.PREWARM)
    control.store.append(event)
