"""A workload profile from a live deployment's logs and metrics, on top of one from the lab.

Neither tells a search's CPU time, nor bytes to and from suppliers: these stay as the lab measured them. Of everything that
they do tell, the live figure takes the lab's place, and its distribution stands beside it with the number of samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from msgspec.structs import replace

from infra.cost.capacity import cpu_share
from infra.cost.live.logs import Histogram, LiveLane
from infra.cost.profile import Distribution, LaneProfile, WorkloadProfile
from infra.errors import InputError

FEWEST = 100
"""Samples under which a percentile of one in a hundred says nothing."""


def live_profile(
    lab: WorkloadProfile,
    lanes: Mapping[str, LiveLane],
    *,
    source: str,
    beside: Mapping[str, Mapping[str, Distribution]] | None = None,
) -> WorkloadProfile:
    """The lab's profile with the live figures; `InputError` where they are too few, or cannot be of the same service.
    `beside` are distributions, by place, that stand in `live` and take no figure's place."""
    told = {lane: found for lane, live in lanes.items() if (found := _distributions(live))}
    for place, figures in (beside or {}).items():
        told[place] = {**told.get(place, {}), **figures}
    merged = {
        "lambda": _lane(lab.lambda_lane, lanes["lambda"], "lambda"),
        "container": _lane(lab.container_lane, lanes["container"], "container"),
    }
    for name, lane in merged.items():
        figures = told.get(name, {})
        duration = figures.get("duration_ms", figures.get("target_ms"))
        if duration is not None:
            figures["wait_ms"] = _less(duration, duration.mean - lane.wait_ms)
    return replace(
        lab,
        machine=f"{lab.machine} (CPU); live: {source}",
        lambda_lane=merged["lambda"],
        container_lane=merged["container"],
        live=told,
    )


def _less(told: Distribution, busy_ms: float) -> Distribution:
    """Durations less the CPU of a search, of which no log tells more than the lab's mean."""
    shares = {name: round(max(0.0, getattr(told, name) - busy_ms), 3) for name in told.__struct_fields__ if name != "samples"}
    return replace(told, **shares)


def _distributions(live: LiveLane) -> dict[str, Distribution]:
    found = {}
    for each in fields(live):
        value = getattr(live, each.name)
        if isinstance(value, Histogram) and (told := value.told()) is not None:
            found[each.name] = told
    return found


def _lane(lab: LaneProfile, live: LiveLane, name: str) -> LaneProfile:
    duration = live.duration_ms if live.duration_ms.count else live.target_ms
    if not duration.count:
        return lab
    if duration.count < FEWEST:
        raise InputError(
            f"live figures: {duration.count} searches of the {name} lane; {FEWEST} or more are needed for a 99th percentile"
        )
    mean = duration.sum / duration.count
    busy = lab.cpu_ms_per_search / _share(live, name)
    if mean < busy:
        raise InputError(
            f"live figures: a search of the {name} lane takes {mean:.1f} ms on average, less than the {busy:.1f} ms of CPU in "
            "the profile: give the profile of the bundle that is deployed"
        )
    changes: dict[str, float | int] = {
        "wait_ms": round(mean - busy, 3),
        "duration_p50_ms": round(duration.percentile(0.5), 3),
        "duration_p99_ms": round(duration.percentile(0.99), 3),
        "searches": live.searches or duration.count,
        "errors": live.errors,
    }
    if live.memory_mb.count:
        changes["memory_mb"] = round(live.memory_mb.highest, 1)
    if live.cold_start_ms.count:
        changes["cold_start_ms"] = round(live.cold_start_ms.sum / live.cold_start_ms.count, 3)
        changes["cold_start_samples"] = live.cold_start_ms.count
    for field, histogram in (("request_bytes", live.request_bytes), ("response_bytes", live.response_bytes)):
        if histogram.count:
            changes[field] = round(histogram.sum / histogram.count, 1)
    return replace(lab, **changes)


def _share(live: LiveLane, name: str) -> float:
    """Of a vCPU, at the memory size that the function has."""
    if name == "container" or not live.memory_sizes:
        return 1.0
    if len(live.memory_sizes) > 1:
        sizes = ", ".join(f"{size} MB" for size in sorted(live.memory_sizes))
        raise InputError(f"live figures: REPORT lines of {sizes}; give logs (or --days) of one memory size")
    return cpu_share(next(iter(live.memory_sizes)))
