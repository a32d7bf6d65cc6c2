"""Finds the highest rate a service holds, and measures it at rates it may not hold.

    a low rate tells CPU per search -> first rate to try -> up in steps while held, down while not -> the last rate held

A rate counts as too much only when it is not held twice running, so that a noisy second of the machine ends nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.load import NOT_SENT, Window
from benchmarks.rounds import MAX_P99_MS, Rig, figures, is_held

LOW_RPS = 4.0
FIRST_SHARE = 0.6
"""Of what CPU per search at the low rate allows on one core; supplier latency and bursts take the rest."""

ESTIMATED_SHARE = 0.7
"""Of what is answered without supplier latency, where no rate is tried."""

IN_FLIGHT = 4

STEP = 1.2
MOST_RPS = 400.0
"""No service is asked more; suppliers and generator share one core."""

LEAST_RPS = 0.5
DELAYED_MS = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Seconds: of warm-up, of a window on the way to the capacity, of one whose figures are quoted, and of one in which
    every hundredth search blocks, which takes longer to be seen."""

    warmup_s: float = 1.5
    climb_s: float = 4.0
    quoted_s: float = 8.0
    blocking_s: float = 16.0


Ask = Callable[[float], bool]
"""Offers a rate to a fresh service; whether it was held."""


def highest_held(ask: Ask, first: float, *, step: float = STEP) -> float | None:
    """The highest rate of first × step^n that is held; `None` when none is."""

    def held(rps: float) -> bool:
        return ask(rps) or ask(rps)

    rps = min(first, MOST_RPS)
    if held(rps):
        while rps * step <= MOST_RPS and held(rps * step):
            rps *= step
        return rps
    while rps / step >= LEAST_RPS:
        rps /= step
        if held(rps):
            return rps
    return None


def capacity(rig: Rig, windows: Windows, *, seed: int, known: float | None = None) -> dict[str, Any]:
    """`rps` (searches/s, `None` when nothing is held) and every rate tried. `known` is what an earlier round found."""
    tried: list[dict[str, Any]] = []

    def ask(rps: float) -> bool:
        found = at_rate(rig, windows.warmup_s, windows.climb_s, rps, seed=seed + len(tried))
        tried.append({key: found[key] for key in ("rps", "held", "p99_ms", "failed", "offers_share", "cores_used")})
        return bool(found["held"])

    first = known / STEP if known else None
    if first is None:
        low = at_rate(rig, windows.warmup_s, windows.climb_s, LOW_RPS, seed=seed)
        spent = low["cpu_ms_per_search"]
        first = LOW_RPS if spent is None else FIRST_SHARE * 1000 / spent
    rps = highest_held(ask, first)
    return {"rps": None if rps is None else round(rps, 2), "tried": tried}


def saturated(rig: Rig, windows: Windows) -> float:
    """Searches/s that a fresh service answers with a few always in flight and suppliers that answer at once."""
    window, _ = rig.saturated(IN_FLIGHT, warmup_s=windows.warmup_s, window_s=windows.climb_s)
    return round(window.completed / window.seconds, 2)


def estimated_capacity(rig: Rig, windows: Windows) -> dict[str, Any]:
    """The same as `capacity`, but from saturation alone: for a look in passing."""
    return {"rps": round(ESTIMATED_SHARE * saturated(rig, windows), 2) or None, "tried": []}


def at_rate(rig: Rig, warmup_s: float, window_s: float, rps: float, *, seed: int, latency: bool = True) -> dict[str, Any]:
    """One window at a rate on a fresh service, whether it holds it or not; without `latency` suppliers answer at once."""
    window, memory = rig.at_rate(rps, warmup_s=warmup_s, window_s=window_s, seed=seed, latency=latency)
    return {
        "rps": round(rps, 2),
        **figures(window, is_held(window)),
        **memory,
        "errors_share": errors_share(window),
        "delayed_share": delayed_share(window),
        "answered_per_s": round(window.completed / window.seconds, 2),
        "good_per_s": round(in_time(window) / window.seconds, 2),
    }


def in_time(window: Window) -> int:
    """How many of the searches due in the window were answered within 2.5 s."""
    return sum(latency <= MAX_P99_MS for latency in window.latencies_ms)


def errors_share(window: Window) -> float | None:
    """Share of the searches due in the window that failed, or were not answered within 2.5 s; `None` when none was due."""
    due = window.due + window.failures[NOT_SENT]
    return round(1 - in_time(window) / due, 4) if due else None


def delayed_share(window: Window) -> float | None:
    """Share of the answers that took over 25 ms longer than the median; tells something where suppliers answer at once."""
    p50 = window.latency_ms(0.5)
    if p50 is None:
        return None
    return round(sum(latency > p50 + DELAYED_MS for latency in window.latencies_ms) / len(window.latencies_ms), 4)
