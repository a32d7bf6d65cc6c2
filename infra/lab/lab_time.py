"""The lab's clock: minutes of CloudWatch, delays and time-outs may pass faster there than in life; requests never do."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LabTime:
    """`speed` lab seconds pass in each real one, from `origin` on (seconds since 1970), at which both clocks agree. Every
    process of a lab has the same two figures, so all of them tell the same time."""

    speed: float = 1.0
    origin: float = field(default_factory=time.time)

    def now(self) -> float:
        """Lab seconds since 1970."""
        return self.at(time.time())

    def at(self, real: float) -> float:
        return self.origin + (real - self.origin) * self.speed

    def real_at(self, lab: float) -> float:
        """The moment of life, in seconds since 1970, at which the lab's clock says so."""
        return self.origin + (lab - self.origin) / self.speed

    def real_s(self, lab_s: float) -> float:
        """How long so many lab seconds take."""
        return lab_s / self.speed
