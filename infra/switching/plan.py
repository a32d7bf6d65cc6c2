"""What a switch will do: the steps, what each is held against, and what the lanes must have ready. A dry run prints it."""

from __future__ import annotations

import math

from msgspec import Struct

from infra.errors import InputError
from infra.switching.weights import Weights, all_on, between, other

DEFAULT_STEPS = (1, 5, 25, 50, 100)
PREWARM_S = 900.0
WRITE_S = 120.0


class Limits(Struct, frozen=True, kw_only=True):
    """What a lane must hold, absolutely and against the other lane at the same time. A step is judged on at least
    `min_samples` requests of the rising lane: for fewer the bake is extended, at most to `max_bake_s`. Without `loop_lag_ms`
    event-loop lag is not judged: a service of the user's own need not tell it."""

    error_percent: float = 1.0
    error_times: float = 2.0
    error_floor_percent: float = 0.5
    p99_ms: float = 2_500.0
    p99_times: float = 1.5
    p99_floor_ms: float = 50.0
    throttle_percent: float = 0.1
    loop_lag_ms: float | None = 100.0
    min_samples: int = 200
    bake_s: float = 60.0
    max_bake_s: float = 600.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            # Not infinite either: JSON, which the record is written in, has no such number.
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"limits.{name}: must be more than 0, not {value}")
            if name.endswith("_percent") and value > 100:
                raise InputError(f"limits.{name}: must be at most 100, not {value:g}")
        if self.bake_s > self.max_bake_s:
            raise InputError(f"limits.bake_s: must be at most max_bake_s, {self.max_bake_s:g}")


class Need(Struct, frozen=True, kw_only=True):
    """What the rising lane must have ready: instances (container) or environments (lambda), and why so many."""

    units: int
    why: str


class Step(Struct, frozen=True):
    """`percent` of the way, and the weights (`<lambda>:<container>`) there."""

    percent: int
    weights: str


class Callouts(Struct, frozen=True, kw_only=True):
    """Who is asked before each step (`gates`), called after it (`hooks`), and told (`notify`): targets as
    `infra.settings.switching` has them, secrets by name. They are the plan's, so that whoever resumes asks the same gates.
    `runbooks` is where the pages are that a message names."""

    gates: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    timeout_s: float = 10.0
    hold_s: float = 600.0
    runbooks: str = "docs/runbooks"


class Plan(Struct, frozen=True, kw_only=True):
    """One switch, whole. Weights are text, as the parameter holds them. `standby` is what the falling lane is scaled down to
    once it has had no request for `quiet_s`; None leaves it as it is. `floor` is how many the rising lane kept at least before
    the switch, to which it is let go in the end, whatever the end is; None where the switch raises nothing. `keep` is how many
    the falling lane keeps meanwhile, whatever its load: its own scaling would take away what going back needs. `keep_floor` is
    to it what `floor` is to the rising lane."""

    stage: str
    start: str
    goal: str
    rising: str
    steps: tuple[Step, ...]
    need: Need | None
    limits: Limits
    prewarm_s: float = PREWARM_S
    write_s: float = WRITE_S
    quiet_s: float = 120.0
    standby: int | None = None
    floor: int | None = None
    callouts: Callouts = Callouts()
    keep: int | None = None
    keep_floor: int | None = None

    @property
    def falling(self) -> str:
        return other(self.rising)


def check_steps(percents: tuple[int, ...]) -> None:
    if not percents or list(percents) != sorted(set(percents)) or percents[0] < 1 or percents[-1] != 100:
        raise InputError(f"steps {','.join(map(str, percents))}: must rise from 1 or more to 100, as 1,5,25,50,100")


def make_plan(
    *,
    stage: str,
    start: Weights,
    goal: Weights,
    percents: tuple[int, ...] = DEFAULT_STEPS,
    need: Need | None = None,
    limits: Limits | None = None,
    quiet_s: float = 120.0,
    prewarm_s: float = PREWARM_S,
    standby: int | None = None,
    floor: int | None = None,
    callouts: Callouts | None = None,
    keep: int | None = None,
    keep_floor: int | None = None,
) -> Plan | None:
    """The steps from `start` to `goal`; None where traffic is split so already. Steps that change nothing are left out."""
    check_steps(percents)
    if start.same_split(goal):
        return None
    rising = "lambda" if goal.share("lambda") > start.share("lambda") else "container"
    steps: list[Step] = []
    for percent in percents:
        weights = str(between(start, goal, percent))
        if not steps or steps[-1].weights != weights:
            steps.append(Step(percent, weights))
    return Plan(
        stage=stage,
        start=str(start),
        goal=str(goal),
        rising=rising,
        steps=tuple(steps),
        need=need,
        limits=limits or Limits(),
        quiet_s=quiet_s,
        prewarm_s=prewarm_s,
        # A lane that keeps a share of the traffic is never scaled down.
        standby=standby if goal.same_split(all_on(rising)) else None,
        floor=floor if need is not None else None,
        callouts=callouts or Callouts(),
        keep=keep,
        keep_floor=keep_floor,
    )
