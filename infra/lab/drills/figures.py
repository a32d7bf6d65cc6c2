"""What a drill tells: what became of the requests, and how the switch ended."""

from __future__ import annotations

import math
import time
from typing import Any

from msgspec import Struct, field

from infra.lab.drills.operators import Ended
from infra.lab.drills.requests import Requests


class Figures(Struct, frozen=True, kw_only=True):
    """`p99_ratio` is the p99 from the moment that traffic moved, or a request failed, over the steady one of before its switch
    began, for instances that boot take a lab's CPU (the drill `switches` measures it more closely); None where no request was
    answered before or after it. `outcome` is how the switch
    ended, `said` what its operator was told. `more` are a drill's own figures."""

    drill: str
    requests: int
    failed: int
    seconds: float
    p99_ratio: float | None = None
    outcome: str = ""
    said: str = ""
    reasons: dict[str, int] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, drill: str, requests: Requests, ended: Ended, began: float, **more: Any) -> Figures:
        """Of a drill that began at `began` (seconds since 1970) and ends now, `ended` being its last switch."""
        moved_at = min(filter(None, (ended.first("shift"), requests.moved_at())), default=None)
        return cls(
            drill=drill,
            requests=requests.count,
            failed=requests.failed,
            seconds=time.time() - began,
            p99_ratio=requests.p99_ratio(moved_at, calm_until=min((each.at for each in ended.events), default=math.inf)),
            outcome=ended.outcome,
            said=ended.said,
            reasons=dict(requests.reasons),
            more=more,
        )

    @property
    def line(self) -> str:
        """`switches: 12,408 requests, 0 failed, p99 1.04 of steady, 61 s`"""
        ratio = "" if self.p99_ratio is None else f", p99 {self.p99_ratio:.2f} of steady"
        reasons = f" ({', '.join(f'{name}: {count}' for name, count in self.reasons.items())})" if self.reasons else ""
        more = "".join(f", {name} {value}" for name, value in self.more.items())
        ended = f", {self.outcome}" if self.outcome else ""
        asked = f"{self.requests:,} requests, {self.failed:,} failed{reasons}"
        return f"{self.drill}: {asked}{ratio}{ended}{more}, {self.seconds:.0f} s"
