"""AWS's clock, as far as its answers tell: leases of two laptops and CloudWatch's minutes are then on one clock."""

from __future__ import annotations

import time

NEAR_S = 2.0
"""A difference that whole seconds and the way of an answer explain is none."""


class AwsClock:
    """`served_at` is the moment that an answer of AWS which has just come in carries, if it does."""

    def __init__(self, served_at: float | None) -> None:
        skew = 0.0 if served_at is None else served_at - time.time()
        self.skew_s = skew if abs(skew) > NEAR_S else 0.0

    def now(self) -> float:
        return time.time() + self.skew_s

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
