"""The cheapest feasible configuration: every instance type × spot share × target utilization, and every Lambda memory, tried on
the simulated traffic at one objective, in each region that has a price book.

Lambda's duration at another memory is derived, not measured again: CPU grows with memory up to 1,769 MB, waiting does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from infra.config import Stage
from infra.cost.capacity import cpu_share, lambda_seconds
from infra.cost.prices.book import PriceBook
from infra.cost.profile import LaneProfile, WorkloadProfile
from infra.cost.simulation.arrivals import Arrivals
from infra.cost.simulation.draws import Draws
from infra.cost.simulation.year import Outcome, Setup, simulate, suitable_types
from infra.errors import InputError
from infra.sizing import FULL_VCPU_MB

SPOT_PERCENT = (0, 25, 50, 80, 100)
TARGETS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
MEMORY_STEP_MB = 64
MEMORY_HEADROOM = 1.2
"""Memory of a function over the measured peak, at least (an assumption, shown in the answer)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One that was tried: medians over the draws, dollars of compute and seconds missed a month. Of Lambda `memory_mb`, of the
    other lanes the rest. `p99_ms` is known of Lambda alone: the fleet's is held by the utilization its objective allows."""

    lane: str
    region: str
    usd_per_month: float
    missed_s_per_month: float
    feasible: bool
    instance_type: str | None = None
    spot_percent: int | None = None
    target_utilization: float | None = None
    memory_mb: int | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Lambda at one memory size: derived milliseconds, dollars of a million searches, and why it cannot be (None: it can)."""

    memory_mb: int
    duration_ms: float
    p99_ms: float
    usd_per_million: float
    refused: str | None


def memory_sizes(
    profile: LaneProfile, book: PriceBook, architecture: str, *, cpu_scale: float, objective_s: float
) -> list[Memory]:
    """Every 64 MB from the least there is to one vCPU, beyond which a single-threaded handler gets no faster."""
    least = math.ceil(profile.memory_mb * MEMORY_HEADROOM)
    gb_s = float(book.price("AWSLambda", f"duration_{architecture}").usd)
    request = float(book.price("AWSLambda", "requests").usd)
    found = []
    for memory in (*range(128, FULL_VCPU_MB, MEMORY_STEP_MB), FULL_VCPU_MB):
        seconds = lambda_seconds(profile, memory, cpu_scale)
        p99_s = p99_at(profile, memory, cpu_scale)
        refused = None
        if memory < least:
            refused = f"less than {least} MB, the measured {profile.memory_mb:g} and a fifth"
        elif p99_s > objective_s:
            refused = f"99th percentile of {p99_s * 1000:,.0f} ms is over the objective"
        found.append(
            Memory(
                memory_mb=memory,
                duration_ms=seconds * 1000,
                p99_ms=p99_s * 1000,
                usd_per_million=1e6 * (request + gb_s * seconds * memory / 1024),
                refused=refused,
            )
        )
    return found


def p99_at(profile: LaneProfile, memory_mb: int, cpu_scale: float) -> float:
    """The measured 99th percentile, its CPU part stretched by the share of a vCPU that the memory brings."""
    cpu_ms = profile.cpu_ms_per_search
    return (profile.duration_p99_ms + cpu_ms * (cpu_scale / cpu_share(memory_mb) - 1)) / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is searched: the traffic, the worlds, and the share of the month that may miss the objective."""

    arrivals: Arrivals
    profile: WorkloadProfile
    draws: Draws
    setup: Setup
    budget: float
    cpu_scale: float

    def run(self, books: Sequence[PriceBook], types: Sequence[str] | None = None) -> list[Configuration]:
        """Everything tried, the cheapest feasible first; `InputError` where nothing can be tried."""
        found = [each for book in books for each in (*self._functions(book), *self._fleets(book, types))]
        if not found:
            raise InputError("optimize: nothing to try; give price books and types")
        return sorted(found, key=_order)

    def _functions(self, book: PriceBook) -> Iterator[Configuration]:
        lane, stage = self.profile.lambda_lane, self.setup.stage
        sizes = memory_sizes(lane, book, stage.architecture, cpu_scale=self.cpu_scale, objective_s=self.setup.objective_s)
        possible = [each for each in sizes if each.refused is None]
        if not possible:
            return
        best = min(possible, key=lambda each: (each.usd_per_million, each.memory_mb))
        changed = replace(stage, region=book.region, lambda_lane=replace(stage.lambda_lane, memory_mb=best.memory_mb))
        (outcome,) = simulate(self.arrivals, self.draws, book, (), replace(self.setup, stage=changed), lanes=("lambda",))
        yield replace(self._judged(outcome, book), memory_mb=best.memory_mb, p99_ms=best.p99_ms)

    def _fleets(self, book: PriceBook, types: Sequence[str] | None) -> Iterator[Configuration]:
        stage = replace(self.setup.stage, region=book.region)
        names = list(types) if types is not None else suitable_types(book, stage, self.profile.container_lane)
        for target in TARGETS:
            for spot in SPOT_PERCENT:
                lane = replace(stage.container_lane, target_utilization=target, spot_percent=spot)
                setup = replace(self.setup, stage=replace(stage, container_lane=lane), hybrid_target=target)
                for outcome in simulate(self.arrivals, self.draws, book, names, setup, lanes=("mixed", "hybrid")):
                    yield replace(self._judged(outcome, book), spot_percent=spot, target_utilization=target)

    def _judged(self, outcome: Outcome, book: PriceBook) -> Configuration:
        missed = float(np.median(outcome.missed_s))
        return Configuration(
            lane=outcome.lane,
            region=book.region,
            usd_per_month=float(np.median(outcome.usd)),
            missed_s_per_month=missed,
            feasible=missed <= self.budget * self.setup.month_hours * 3600,
            instance_type=outcome.instance_type,
        )


def _order(each: Configuration) -> tuple[object, ...]:
    """Feasible ones by price, then the others by how little they miss; ties by name, on demand before spot."""
    by = (each.usd_per_month,) if each.feasible else (each.missed_s_per_month, each.usd_per_month)
    named = (each.lane, each.region, each.instance_type or "", each.spot_percent or 0, each.target_utilization or 0.0)
    return (not each.feasible, by, named)


def settings_of(each: Configuration, stage: Stage) -> dict[str, object]:
    """The stage's settings that make it so, as `--set` takes them."""
    if each.lane == "lambda":
        return {"lambda_lane.memory_mb": each.memory_mb}
    changed: dict[str, object] = {
        "container_lane.target_utilization": each.target_utilization,
        "container_lane.spot_percent": each.spot_percent,
    }
    if each.instance_type not in stage.container_lane.instance_types[:1]:
        changed["container_lane.instance_types"] = each.instance_type
    return changed
