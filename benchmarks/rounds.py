"""Measures one variant in one round: a window at the fixed rate with supplier latency, and one at saturation without.

A service that cannot keep up is measured at the highest rate it holds: the rate is lowered until few searches fail, the
answers are whole, and the p99 stays near the deadline; and likewise the number in flight at saturation.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import uvloop

from benchmarks import process_tree
from benchmarks.load import Probe, Target, Window, closed_loop, open_loop
from benchmarks.running import Service, Upstream
from benchmarks.workload import OFFERS_A_SEARCH, search_paths

IN_FLIGHT = 8
"""Searches in flight at saturation; lowered for a service that answers more, or in full, with fewer."""

LOWER = 0.7
"""What the rate is multiplied by when a service does not hold it."""

TRIES = 3
PROBES = 8
PROBE_S = 2.5
SURE, FIRST_TRY = 1.8, 0.7
"""Supplier latency makes a search dearer than it is at saturation: a rate below 1/1.8 of what was answered there is held
without trying; else trying begins at 0.7 of it."""

WORTH_FEWER = 1.05
"""Fewer in flight is taken for saturation only when it answers at least this much more."""

MAX_FAILED = 0.01
MIN_OFFERS = 0.97
"""Share of all offers that the answers must hold: about 0.02% of calls pass the deadline by their latency alone."""

MAX_P99_MS = 2_500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long to look: seconds of warm-up and window for each kind of load, and the rate asked for."""

    rps: float
    fixed_warmup_s: float = 3.0
    fixed_s: float = 10.0
    saturation_warmup_s: float = 1.5
    saturation_s: float = 5.0
    min_searches: int = 40
    longest_s: float = 15.0
    try_fewer: bool = True
    """Whether saturation is also tried with fewer in flight where the first number was held."""
    also_not_held: bool = True
    """Whether a service that does not hold the rate asked for is also measured at it, once."""

    def slow_s(self, rps: float) -> float:
        """Seconds that a low rate needs for `min_searches`, at most `longest_s`."""
        return min(self.longest_s, self.min_searches / rps)


def quick(rps: float) -> Plan:
    """Short windows, for a look in passing."""
    return Plan(
        rps=rps,
        fixed_warmup_s=1.0,
        fixed_s=2.5,
        saturation_warmup_s=0.6,
        saturation_s=1.2,
        min_searches=12,
        longest_s=5.0,
        try_fewer=False,
        also_not_held=False,
    )


@dataclass(slots=True)
class Pace:
    """What a variant was last seen to hold; kept from round to round, so that only the first one searches."""

    rps: float | None = None
    in_flight: int | None = None
    not_held: dict[str, Any] | None = None


Start = Callable[[], AbstractContextManager[Service]]
"""Starts the variant's service; raises `Unavailable`."""

Loaded = tuple[Window, dict[str, float | None]]
"""A window of load, and the service's memory after it by how it was counted."""


class Rig:
    """One variant under load. Every window has a service freshly started, so that what one load left behind (idle
    connections, a starved pool) is not charged to the next."""

    def __init__(self, upstream: Upstream, start: Start) -> None:
        self._upstream = upstream
        self._start = start
        self._paths: Iterator[str] = search_paths()

    def saturated(self, in_flight: int, *, warmup_s: float, window_s: float) -> Loaded:
        """So many searches in flight all the time, and suppliers that answer at once."""
        self._upstream.ask("/none")
        return self._run(
            lambda target, probe: closed_loop(target, in_flight=in_flight, warmup_s=warmup_s, window_s=window_s, probe=probe)
        )

    def at_rate(self, rps: float, *, warmup_s: float, window_s: float, seed: int, latency: bool = True) -> Loaded:
        """Poisson arrivals at a rate; without `latency` suppliers answer at once."""
        self._upstream.ask(f"/lognormal?seed={seed}" if latency else "/none")
        return self._run(
            lambda target, probe: open_loop(target, rps=rps, warmup_s=warmup_s, window_s=window_s, seed=seed, probe=probe)
        )

    def _run(self, load: Callable[[Target, Probe], Coroutine[Any, Any, Window]]) -> Loaded:
        with self._start() as service:
            target = Target("127.0.0.1", service.port, self._paths)

            async def loaded() -> Window:
                try:
                    return await load(target, lambda: self._probe(service))
                finally:
                    target.close()
                    await asyncio.sleep(0)  # closing is done on the loop's next turn

            window = uvloop.run(loaded())
            return window, {
                "peak_rss_mb": round(process_tree.peak_rss_mb(service.pid), 1),
                "pss_mb": _rounded(process_tree.pss_mb(service.pid), 1),
            }

    def _probe(self, service: Service) -> dict[str, float]:
        return {
            "service": process_tree.cpu_s(service.pid),
            "upstream": process_tree.cpu_s(self._upstream.pid),
            "generator": time.process_time(),
            "machine": process_tree.machine_busy_s(),
        }


class Bench:
    """Measures one variant by a plan."""

    def __init__(self, plan: Plan, rig: Rig, seed: int) -> None:
        self._plan = plan
        self._rig = rig
        self._seed = seed

    def measure(self, pace: Pace) -> dict[str, Any]:
        """Both kinds of load. Saturation comes first: it tells which rate can be held. Where that is not the rate asked for,
        this is measured too, once, and kept in the pace."""
        saturation = self._saturation(pace)
        fixed = self._fixed(pace, capacity=saturation["searches_per_s"])
        if self._plan.also_not_held and pace.not_held is None and fixed["rps_held"] < self._plan.rps:
            window, memory = self._at_rate(self._plan.rps, self._plan.fixed_s)
            pace.not_held = {**figures(window, is_held(window)), **memory}
        return {"fixed_rate": fixed, "saturation": saturation}

    def _saturation(self, pace: Pace) -> dict[str, Any]:
        if pace.in_flight is not None:
            return self._saturate(pace.in_flight)
        best = self._saturate(IN_FLIGHT)
        in_flight = IN_FLIGHT
        while in_flight > 1 and (self._plan.try_fewer or not best["held"]):
            in_flight //= 2
            fewer = self._saturate(in_flight)
            if best["held"] and fewer["searches_per_s"] < best["searches_per_s"] * WORTH_FEWER:
                break
            best = fewer
        pace.in_flight = int(best["in_flight"])
        return best

    def _saturate(self, in_flight: int) -> dict[str, Any]:
        plan = self._plan
        window, memory = self._rig.saturated(in_flight, warmup_s=plan.saturation_warmup_s, window_s=plan.saturation_s)
        rate = round(window.completed / window.seconds, 2)
        return {"in_flight": in_flight, "searches_per_s": rate, **figures(window, is_held(window)), **memory}

    def _fixed(self, pace: Pace, *, capacity: float) -> dict[str, Any]:
        if pace.rps is None:
            pace.rps = self._highest_rate(capacity)
        for attempt in range(TRIES):
            window, memory = self._at_rate(pace.rps, max(self._plan.fixed_s, self._plan.slow_s(pace.rps)))
            held = is_held(window)
            if held or attempt == TRIES - 1:
                break
            pace.rps *= LOWER
        return {"rps_asked": self._plan.rps, "rps_held": round(pace.rps, 2), **figures(window, held), **memory}

    def _highest_rate(self, capacity: float) -> float:
        """The rate asked for, or where short windows say that it is too much, a lower one that they hold."""
        rps = self._plan.rps
        if capacity * SURE >= rps:
            return rps
        rps = min(rps, capacity * FIRST_TRY)
        for _ in range(PROBES):
            window, _memory = self._at_rate(rps, PROBE_S)
            if is_held(window):
                break
            rps *= LOWER
        return rps

    def _at_rate(self, rps: float, window_s: float) -> Loaded:
        return self._rig.at_rate(rps, warmup_s=self._plan.fixed_warmup_s, window_s=window_s, seed=self._seed)


def offers_share(window: Window) -> float | None:
    """Mean share of all offers that the kept answers hold; `None` when there are none."""
    if not window.bodies:
        return None
    counts = [sum(len(hotel["offers"]) for hotel in json.loads(body)["hotels"]) for body in window.bodies]
    return sum(counts) / len(counts) / OFFERS_A_SEARCH


def is_held(window: Window) -> bool:
    """Whether few searches failed, the answers were whole, and the p99 stayed near the deadline."""
    p99, share = window.latency_ms(0.99), offers_share(window)
    return (
        window.completed > 0
        and window.failures.total() <= MAX_FAILED * window.due
        and p99 is not None
        and p99 <= MAX_P99_MS
        and (share is None or share >= MIN_OFFERS)
    )


def figures(window: Window, held: bool) -> dict[str, Any]:
    """A window as the JSON has it."""
    used = window.cpu_s
    other = used["machine"] - used["service"] - used["upstream"] - used["generator"]
    return {
        "held": held,
        "cpu_ms_per_search": _rounded(window.cpu_ms_per_search, 3),
        "p50_ms": _rounded(window.latency_ms(0.5), 1),
        "p99_ms": _rounded(window.latency_ms(0.99), 1),
        "searches": window.completed,
        "failed": window.failures.total(),
        "failures": dict(window.failures),
        "offers_share": _rounded(offers_share(window), 4),
        "cores_used": {
            "service": round(used["service"] / window.seconds, 3),
            "upstream_and_generator": round((used["upstream"] + used["generator"]) / window.seconds, 3),
            "everything_else": round(max(0.0, other) / window.seconds, 3),
        },
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
