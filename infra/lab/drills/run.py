"""Drills one after the other on one lab: each is run, judged, and followed by a reset."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from infra.errors import KitError
from infra.lab.drills.drill import Drill, Figures
from infra.lab.drills.ground import ground_of
from infra.lab.live.lab import Lab

SETTINGS = ("lambda_lane.provisioned_concurrency=2", "switch.scheduled=true")
"""Of the stage: a switch to Lambda then has environments started before traffic comes. Without, a first step of few requests
shows its cold starts in the p99. EventBridge Scheduler stands still, for a tick in each two seconds costs CPU; the drill of
scheduled switches lets it go."""

log = logging.getLogger("crossover.lab")


def drill_lab(stage: str = "dev", *, speed: float = 30.0, logs: Path | None = None, progress: Callable[[str], None]) -> Lab:
    """Where drills take place."""
    return Lab(stage, context=SETTINGS, speed=speed, logs=logs, schedules=False, progress=progress)


class Result(Struct, frozen=True, kw_only=True):
    """`missed` are the drill's criteria that were not met; `reset_s` how long the stage took to be as before, None where it did
    not."""

    figures: Figures
    missed: tuple[str, ...] = ()
    reset_s: float | None = None

    @property
    def line(self) -> str:
        wrong = "".join(f"\n  ✗ {each}" for each in self.missed)
        return f"{self.figures.line}{wrong}"


def run_drills(lab: Lab, drills: Iterable[Drill], *, rounds: int = 1, say: Callable[[str], None]) -> Iterator[Result]:
    """A stage that cannot be reset ends them; a drill that breaks does not."""
    lab.await_serving()
    ground = ground_of(lab)
    ground.await_loop_lag()
    for drill in drills:
        say(f"{drill.name}: {drill.about}")
        figures, missed = carry_out(lab, drill, rounds)
        try:
            reset_s: float | None = ground.reset()
        except Exception as error:
            reset_s, missed = None, (*missed, f"the stage could not be reset: {_told(error)}")
        yield Result(figures=figures, missed=missed, reset_s=reset_s)
        if reset_s is None:
            return


def carry_out(lab: Lab, drill: Drill, rounds: int) -> tuple[Figures, tuple[str, ...]]:
    """The drill's figures, and what of its criteria they miss. A drill that breaks, be it for AWS, a process or the network, is
    one that missed."""
    began = time.monotonic()
    try:
        figures = drill.run(lab, rounds)
    except Exception as error:
        said = _told(error)
        broken = Figures(drill=drill.name, requests=0, failed=0, seconds=time.monotonic() - began, said=said)
        return broken, (f"it could not be carried out: {said}",)
    return figures, drill.criteria.missed(figures, rounds)


def _told(error: Exception) -> str:
    """In one line. Of what nobody foresaw the whole trace goes to the log."""
    if isinstance(error, KitError):
        return str(error)
    log.error("unforeseen", exc_info=error)
    return repr(error)
