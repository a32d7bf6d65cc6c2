"""A retry budget: failed calls may be made again only as long as few fail, so that a supplier in trouble gets no more load.

A token bucket as in Finagle's `RetryBudget`: every call puts a tenth of a token in, every retry takes one out; the reserve lets
a rarely asked supplier retry at all.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.telemetry.metrics import Sample

SHARE = 0.1
RESERVE = 3.0
MOST = 20.0


class RetryBudget:
    """One supplier's. `retried` counts retries made, `refused` those that the budget did not allow."""

    def __init__(self, supplier: str) -> None:
        self._supplier = supplier
        self._tokens = RESERVE
        self.retried = 0
        self.refused = 0

    def called(self) -> None:
        self._tokens = min(MOST, self._tokens + SHARE)

    def allows(self) -> bool:
        """Whether a retry may be made; it is then paid for."""
        if self._tokens < 1:
            self.refused += 1
            return False
        self._tokens -= 1
        self.retried += 1
        return True

    def samples(self) -> Iterable[Sample]:
        label = ("supplier", self._supplier)
        about = "Failed calls: made once more, or not because of the budget."
        for made, count in (("yes", self.retried), ("no", self.refused)):
            yield Sample("crossover_retries_total", "counter", about, count, (label, ("made", made)))
