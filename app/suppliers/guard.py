"""What protects a search from a supplier, and a supplier from us: circuit breaker, concurrency limit, and obeying throttling.

    closed ──half of the recent calls failed, or silence──► open ──after a pause──► half-open ──probes answered──► closed
                                                              ▲──────────a probe failed, the pause doubles──────────┘

Plain arithmetic on a given clock, a microsecond a call; no tasks and no timers. A held-back supplier costs a search nothing
and is reported as `held_back`.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from enum import StrEnum

from app.core.errors import SupplierHeldBack
from app.telemetry.metrics import Sample

RECENT = 20
"""Calls that the failure share is taken of, at most `RECENT_S` old."""

RECENT_S = 10.0
FEWEST = 5
"""With fewer recent calls than this, failures prove nothing."""

OPEN_SHARE = 0.5
SILENCE_S = 0.8
SILENT_CALLS = 10
"""This many calls in flight and not one answered for `SILENCE_S` (or four times its usual latency): the supplier is dead,
though no call has timed out yet."""

NOTICED_S = 0.15

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
PROBES = 2
"""Calls let through at a time while half-open; as many answers in a row close the circuit."""

MAX_IN_FLIGHT = 256
LONGEST_THROTTLE_S = 300.0
"""Longest that a supplier's `Retry-After` is obeyed without asking again."""


OWN_FAULT_SHARE = 0.9
"""A call cancelled after this share of its supplier's own time limit was given up for being slow."""


class State(StrEnum):
    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Guard:
    """One supplier's. Call `admit` before asking, then exactly one of `succeeded`, `failed`, `cancelled` and `ended`."""

    def __init__(
        self,
        supplier: str,
        clock: Callable[[], float],
        *,
        max_in_flight: int = MAX_IN_FLIGHT,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.supplier = supplier
        self.state = State.CLOSED
        self.in_flight = 0
        self.held_back = {"open": 0, "in_flight": 0, "throttled": 0}
        self.opened = 0
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._jitter = jitter
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=RECENT)
        self._pause_s = FIRST_PAUSE_S
        self._probe_at = 0.0
        self._half_open_at = 0.0
        self._probing = 0
        self._answered = 0
        self._throttled_until = 0.0
        self._heard_at = 0.0
        self._silent_since: float | None = None
        self._usual_s = 0.0

    def admit(self) -> float:
        """The time now, to be given back when the call ends; raises `SupplierHeldBack` when it is not to be made."""
        now = self._clock()
        if now < self._throttled_until:
            raise self._hold("throttled", f"asked us to wait, {self._throttled_until - now:.1f} s more")
        if self.in_flight >= self._max_in_flight:
            raise self._hold("in_flight", f"{self.in_flight} calls to it are in flight already")
        if self.state is not State.CLOSED:
            self._admit_probe(now)
        elif self.in_flight >= SILENT_CALLS and self._is_silent(now):
            self._open(now)
            raise self._hold("open", f"{self.in_flight} calls without an answer, the next in {self._pause_s:.1f} s")
        if self.in_flight == 0:
            self._heard_at = now  # silence is counted from the first call that waits
            self._silent_since = None
        self.in_flight += 1
        return now

    def succeeded(self, since: float) -> None:
        """It answered, be it that it has nothing."""
        now = self._end(since, True)
        self._heard_at = now
        self._silent_since = None
        took_s = now - since
        self._usual_s = took_s if not self._usual_s else self._usual_s + 0.1 * (took_s - self._usual_s)
        if self._is_probe(since):
            self._probing -= 1
            self._answered += 1
            if self._answered >= PROBES:
                self.state = State.CLOSED
                self._pause_s = FIRST_PAUSE_S
                self._outcomes.clear()

    def failed(self, since: float) -> None:
        """It did not answer, in time or at all, or not with what it promises."""
        now = self._end(since, False)
        if self._is_probe(since):
            self._probing -= 1
            self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)
            self._open(now)
        elif self.state is State.CLOSED:
            recent = [good for at, good in self._outcomes if now - at <= RECENT_S]
            if len(recent) >= FEWEST and recent.count(False) >= OPEN_SHARE * len(recent):
                self._open(now)

    def ended(self, since: float) -> None:
        """The call ended in a way that says nothing about the supplier: its caller went away, it was throttled."""
        self.in_flight -= 1
        if self._is_probe(since):
            self._probing -= 1

    def cancelled(self, since: float, timeout_s: float) -> None:
        """The call was cancelled: it failed if it had taken most of its time, else its caller went away."""
        if self._clock() - since >= OWN_FAULT_SHARE * timeout_s:
            self.failed(since)
        else:
            self.ended(since)

    def throttled(self, retry_after_s: float) -> None:
        """It asked us to come back after this many seconds."""
        until = self._clock() + min(LONGEST_THROTTLE_S, max(0.0, retry_after_s))
        self._throttled_until = max(self._throttled_until, until)

    def samples(self) -> Iterable[Sample]:
        label = ("supplier", self.supplier)
        for state in State:
            on = int(self.state is state)
            yield Sample(
                "crossover_breaker_state", "gauge", "1 for the state its circuit is in.", on, (label, ("state", state))
            )
        for reason, count in self.held_back.items():
            yield Sample(
                "crossover_held_back_total", "counter", "Calls not made, by reason.", count, (label, ("reason", reason))
            )

    def _admit_probe(self, now: float) -> None:
        if self.state is State.OPEN:
            if now < self._probe_at:
                raise self._hold("open", f"failed too often, the next try is in {self._probe_at - now:.1f} s")
            self.state = State.HALF_OPEN
            self._half_open_at = now
            self._probing = self._answered = 0
        if self._probing >= PROBES:
            raise self._hold("open", f"failed too often, {self._probing} tries are under way")
        self._probing += 1

    def _is_silent(self, now: float) -> bool:
        """Nothing heard for too long, and still nothing a moment after that was noticed: when this process has slept,
        answers lie unread, and are heard in that moment."""
        if now - self._heard_at <= max(SILENCE_S, 4 * self._usual_s):
            return False
        if self._silent_since is None:
            self._silent_since = now
        return now - self._silent_since > NOTICED_S

    def _is_probe(self, since: float) -> bool:
        """Whether a call made then is one of the probes; those made before the circuit opened say nothing new."""
        return self.state is State.HALF_OPEN and since >= self._half_open_at

    def _open(self, now: float) -> None:
        self.state = State.OPEN
        self.opened += 1
        self._probe_at = now + self._pause_s * (0.8 + 0.4 * self._jitter())

    def _end(self, since: float, good: bool) -> float:
        now = self._clock()
        self.in_flight -= 1
        self._outcomes.append((now, good))
        return now

    def _hold(self, reason: str, why: str) -> SupplierHeldBack:
        self.held_back[reason] += 1
        return SupplierHeldBack(f"not asked: {why}")
