"""What a drill is: one thing that happens to a live stage under load, and what must become of the requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from infra.lab.drills.criteria import Criteria
from infra.lab.drills.figures import Figures
from infra.lab.live.lab import Lab

__all__ = ["Criteria", "Drill", "Figures"]


@dataclass(frozen=True, slots=True)
class Drill:
    """`run` takes the lab, which is as it was deployed, and how much longer than the short form it shall be (1: as in tests).
    `runbook` is its page in docs/runbooks/, `criteria` what must come of it."""

    name: str
    about: str
    runbook: str
    run: Callable[[Lab, int], Figures]
    criteria: Criteria = field(default_factory=Criteria)
