"""What the page sends with each button: under the names of the commands' options."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from infra.operating.prewarming import WAIT_S

LONGEST = 2_000
Text = Annotated[str, Meta(max_length=LONGEST)]


class PlanOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """`goal` as `crossover switch` takes it; `back` instead of it is `crossover rollback`. The rest are its options."""

    goal: Text = ""
    back: bool = False
    steps: Text | None = None
    bake_s: float | None = None
    limits: tuple[Text, ...] = ()
    units: Annotated[int, Meta(ge=1)] | None = None
    standby: Annotated[int, Meta(ge=0)] | None = None
    quiet_s: float = 120.0
    allow_version_skew: bool = False
    smoke_path: Text | None = None
    gates: tuple[Text, ...] = ()
    hooks: tuple[Text, ...] = ()
    notify: tuple[Text, ...] = ()


class BeginOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """`proposal` is a plan's number. `reason` says why what is against it is gone over."""

    proposal: Text
    why: Text = ""
    typed: Text = ""
    force: bool = False
    reason: Text = ""


class WishOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """Pause, resume, abort."""

    take_over: bool = False


class PromoteOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """`step` is the one at which the page saw the switch."""

    step: int
    typed: Text = ""
    over_gate: bool = False


class PrewarmOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """Without `units`, what all traffic of this hour needs, which only the look before may leave open."""

    lane: Literal["lambda", "container"]
    units: Annotated[int, Meta(ge=1)] | None = None
    wait_s: Annotated[int, Meta(ge=0)] = WAIT_S
    release: bool = False
    typed: Text = ""


class ScheduleOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """`names` of scheduled switches, or none for all."""

    on: bool
    names: tuple[Text, ...] = ()
