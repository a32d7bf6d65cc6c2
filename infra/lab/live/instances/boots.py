"""How long an instance takes until its own programs run, and what may go wrong until it serves."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class BootDelay:
    """Lab seconds from launch to user data: half of the instances take no longer than `median_s`, 95 of 100 no longer than
    `p95_s` (log-normal); where both are the same, all take as long. Downloading, unpacking and starting the bundle are done in
    earnest and come on top of it, in real time."""

    median_s: float = 40.0
    p95_s: float = 40.0

    def draw(self, chance: random.Random) -> float:
        sigma = math.log(self.p95_s / self.median_s) / 1.645 if self.p95_s > self.median_s else 0.0
        return self.median_s * math.exp(chance.gauss(0, sigma)) if sigma else self.median_s


class BootFault(StrEnum):
    """What keeps an instance from serving."""

    HANGS = "hangs"
    """The machine never gets to its user data, and nobody tells of it: the group's hook runs out."""

    NO_PACKAGES = "no-packages"
    """The package mirror is away: `dnf` fails, five times."""

    WRONG_DIGEST = "wrong-digest"
    """What comes from S3 is not what was deployed."""

    WRONG_SETTING = "wrong-setting"
    """The service refuses its environment."""
