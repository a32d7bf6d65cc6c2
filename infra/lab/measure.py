"""Measures what the bundle needs on each lane under the same load: the profile that the cost model prices.

    cold starts, the bundle's and a bare client's in turn -> the Lambda lane under load
    -> the container lane under the same load

CPU is user + system time of the lane's own processes (never of the load balancer or the simulator) over the measured
searches; a warm-up is not counted, and Lambda environments are started before, so that no cold start is in it.
"""

from __future__ import annotations

import itertools
import os
import platform
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from app.suppliers.content import load_content
from infra.cost.profile import Conditions, Distribution, LaneProfile, MeasuredBundle, WorkloadProfile, distribution
from infra.errors import KitError
from infra.lab.cloud import LocalCloud
from infra.lab.cold_starts import measure_bare_cold_starts, measure_cold_starts
from infra.lab.container_lane import ContainerLane
from infra.lab.load import LoadResult, run_load
from infra.lab.load_balancer import LANE_HEADER
from infra.lab.queries import search_paths
from infra.lab.supplier_counts import control, per_search, supplier_counts
from infra.lab.system_logs import system_logs
from infra.lab.tenths import Tenths

MOST_FAILED = 0.02
"""A run in which more than this share failed measured an overloaded machine, not the bundle."""

LOWEST_RPS = 0.6
"""A machine that cannot hold this much is not measured."""


class Overloaded(KitError):
    """The machine could not hold the offered load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to measure. `rps` is offered to one lane at a time; the first `warm_up` searches are not counted."""

    rps: float = 4.0
    searches: int = 120
    cold_starts: int = 5
    container_starts: int = 3
    warm_up: int = 24
    seed: int = 11


class Lane(Protocol):
    """What both lanes tell of themselves."""

    def cpu_seconds(self) -> float: ...
    def peaks_mb(self) -> list[float]: ...
    def log_bytes(self) -> int: ...


async def measure(
    cloud: LocalCloud, plan: Plan, *, step: Callable[[str], None], searched: Callable[[int], None] = lambda _: None
) -> WorkloadProfile:
    """Measure both lanes of a running cloud, at half the rate when this machine cannot hold it (both lanes anew, for they
    must be loaded alike). Raises `Overloaded` when even `LOWEST_RPS` is too much."""
    step("measuring cold starts")
    cold, bare = await _cold_starts(cloud, plan.cold_starts)
    container_starts = await _container_starts(cloud, plan.container_starts)
    await cloud.lambda_lane.prewarm(cloud.options.concurrency)
    while True:
        try:
            step(f"loading the Lambda lane with {plan.rps:g} searches/s")
            lambda_lane, functions = await _measure_lane(cloud, "lambda", plan, cold, searched, bare_ms=statistics.median(bare))
            step(f"loading the container lane with {plan.rps:g} searches/s")
            container_lane, workers = await _measure_lane(cloud, "container", plan, container_starts, searched)
            break
        except Overloaded as overloaded:
            if plan.rps / 2 < LOWEST_RPS:
                raise
            step(f"{overloaded}; measuring both lanes again at half the rate")
            plan = replace(plan, rps=plan.rps / 2, searches=max(10, plan.searches // 2))
    bundle, simulated = cloud.bundle, await supplier_counts(cloud)
    return WorkloadProfile(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        bundle=MeasuredBundle(
            bundle.sha256, bundle.target.architecture, bundle.target.python, bundle.zip_bytes, bundle.unzipped_bytes
        ),
        conditions=Conditions(
            searches_per_second=plan.rps,
            suppliers=None if simulated is None else len(simulated),
            supplier_latency=None if simulated is None else cloud.options.latency,
            duration_s=round(plan.searches / plan.rps, 1),
            container_workers=cloud.container_lane.workers,
            lambda_environments=cloud.options.concurrency,
        ),
        lambda_lane=lambda_lane,
        container_lane=container_lane,
        lab={"lambda": functions, "container": workers},
    )


async def _measure_lane(
    cloud: LocalCloud,
    name: str,
    plan: Plan,
    cold_ms: list[float],
    searched: Callable[[int], None],
    *,
    bare_ms: float | None = None,
) -> tuple[LaneProfile, dict[str, Distribution]]:
    """One lane's figures, and the distributions of those that have samples."""
    lane: Lane = cloud.lambda_lane if name == "lambda" else cloud.container_lane
    paths = request_paths(cloud, seed=plan.seed)
    await _load(cloud, name, paths, rps=plan.rps, requests=plan.warm_up, seed=plan.seed)
    durations = cloud.balancer.groups[name].durations_ms
    seen, cpu, logged = len(durations), lane.cpu_seconds(), lane.log_bytes()
    results = len(cloud.lambda_lane.results)
    if cloud.simulator_url is not None:
        await control(cloud, "POST", "stats/reset")
    tenths = Tenths(lane.cpu_seconds, plan.searches, searched, lambda: supplier_counts(cloud))
    load = await _load(cloud, name, paths, rps=plan.rps, requests=plan.searches, seed=plan.seed + 1, progress=tenths.count)
    cpu_ms = (lane.cpu_seconds() - cpu) * 1000 / load.succeeded
    log_bytes = (lane.log_bytes() - logged) / load.succeeded
    took = durations[seen:]
    if name == "lambda":
        measured = list(itertools.islice(cloud.lambda_lane.results, results, None))
        took = [result.duration_ms for result in measured]
        memory_mb = cloud.lambda_lane.memory_mb
        log_bytes += statistics.fmean(sum(map(len, system_logs(result, memory_mb))) for result in measured)
    counts = await supplier_counts(cloud)
    peaks = lane.peaks_mb()
    if not peaks:
        raise KitError(f"the {name} lane's memory could not be read")
    took.sort()
    samples: dict[str, Sequence[float]] = {
        "duration_ms": took,
        "cpu_ms": tenths.cpu_ms,
        "wait_ms": [max(0.0, each - cpu_ms) for each in took],
        "memory_mb": peaks,
        "cold_start_ms": cold_ms,
        "request_bytes": load.request_bytes,
        "response_bytes": load.response_bytes,
        "upstream_bytes_in": await tenths.upstream("bytes_out"),
        "upstream_bytes_out": await tenths.upstream("bytes_in"),
    }
    measured_lane = LaneProfile(
        searches=load.succeeded,
        errors=load.failed,
        cpu_ms_per_search=round(cpu_ms, 3),
        wait_ms=round(max(0.0, statistics.fmean(took) - cpu_ms), 3),
        duration_p50_ms=round(statistics.median(took), 3),
        duration_p99_ms=round(took[int(0.99 * (len(took) - 1))], 3),
        memory_mb=round(max(peaks), 1),
        cold_start_ms=round(statistics.median(cold_ms), 1),
        cold_start_samples=len(cold_ms),
        bare_cold_start_ms=None if bare_ms is None else round(bare_ms, 1),
        request_bytes=round(load.mean_request_bytes, 1),
        response_bytes=round(load.mean_response_bytes, 1),
        upstream_bytes_in=per_search(counts, "bytes_out", load.succeeded),
        upstream_bytes_out=per_search(counts, "bytes_in", load.succeeded),
        log_bytes_per_search=round(log_bytes, 1),
    )
    return measured_lane, {figure: told for figure, values in samples.items() if (told := distribution(values))}


async def _load(
    cloud: LocalCloud,
    lane: str,
    paths: Iterator[str],
    *,
    rps: float,
    requests: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> LoadResult:
    headers = {LANE_HEADER: lane}
    load = await run_load(cloud.balancer.url, paths, rps=rps, requests=requests, seed=seed, headers=headers, progress=progress)
    if load.failed > MOST_FAILED * load.sent:
        answered = ", ".join(f"{count} × {status}" for status, count in sorted(load.statuses.items()))
        raise Overloaded(
            f"the {lane} lane failed {load.failed} of {load.sent} searches at {rps:g}/s ({answered or 'no answers'}, "
            f"{load.broken} broken): this machine cannot hold that load"
        )
    return load


async def _cold_starts(cloud: LocalCloud, count: int) -> tuple[list[float], list[float]]:
    """Init Durations (ms) of the bundle and of a bare client, in turn, so that a noisy moment hits both."""
    code = cloud.code()
    cold: list[float] = []
    bare: list[float] = []
    for _ in range(count):
        cold += await measure_cold_starts(code, 1)
        bare += await measure_bare_cold_starts(code, 1)
    return cold, bare


async def _container_starts(cloud: LocalCloud, count: int) -> list[float]:
    """Spawn to ready (ms) of the container lane: the running one's, and further ones'."""
    found = [cloud.container_lane.startup_ms]
    while len(found) < count:
        lane = ContainerLane(
            cloud.bundle.tree, cloud.python, cloud.variables("container"), workers=cloud.container_lane.workers
        )
        async with lane:
            found.append(lane.startup_ms)
    return found


def request_paths(cloud: LocalCloud, *, seed: int) -> Iterator[str]:
    """What a lane is asked, without end: seeded searches, or the requests of the user's own service in turn."""
    service = cloud.bundle.service
    if service is not None:
        return itertools.cycle(service.requests)
    return search_paths(place_codes(cloud), seed=seed, today=datetime.now(UTC).date())


def place_codes(cloud: LocalCloud) -> list[str]:
    """The places that the bundle's content knows."""
    return sorted(load_content(cloud.bundle.tree / "app" / "suppliers" / "data" / "content.json").places)


def machine() -> str:
    """What was measured on, for the reader: processor, cores, kernel."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}"
