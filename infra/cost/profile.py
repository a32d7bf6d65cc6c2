"""The measured workload profile: what one search needs on each lane, written by `crossover measure` to one JSON file.

Every figure is per successful search unless its name says otherwise, measured on the machine named in `machine`.
Nothing here is a default: a figure that could not be measured is `None` (unknown), and what depends on it is listed as
not priced, never priced at 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from infra.documents import json_bytes, read_bytes, write_whole
from infra.errors import InputError

NEVER_ZERO = ("cpu_ms_per_search", "memory_mb")
MOST = {"_ms": 3.6e6, "_ms_per_search": 3.6e6, "memory_mb": 1e8, "_bytes": 1e12, "bytes_in": 1e12, "bytes_out": 1e12}
"""By a field's ending: an hour of one search or start, 100 TB of memory, a terabyte of one search; far beyond what can be, so
that a slip of units or a corrupt file is said where it stands."""
MOST_ELSE = 1e15
MOST_WORDS = 2_000


class LaneProfile(Struct, frozen=True, forbid_unknown_fields=True):
    """One lane's figures.

    `cpu_ms_per_search` is user + system CPU of the lane's processes over the load, divided by searches. On Lambda it
    includes the runtime client, on the container lane the uvicorn workers; the load balancer is in neither.
    `wait_ms` is the mean time of one search in which the lane was not on the CPU: its mean duration minus its CPU.
    `duration_p50_ms` and `duration_p99_ms` are of the search as the lane's process sees it (Lambda: without Init).
    `memory_mb` is the peak resident memory of one environment (Lambda) or of one worker (container), in MiB.
    `cold_start_ms` is process spawn to first `/next` poll (Lambda: Init Duration) or to ready (container).
    `bare_cold_start_ms` is the same for an empty handler on the bare runtime client, measured in the same run.
    `request_bytes`/`response_bytes` are HTTP message sizes between caller and load balancer;
    `upstream_bytes_in`/`_out` are sizes received from and sent to all suppliers together, `None` for a service of the
    user's own, whose upstreams nobody counts. A scenario that is typed in may leave all four unknown.
    """

    searches: int
    errors: int
    cpu_ms_per_search: float
    wait_ms: float
    duration_p50_ms: float
    duration_p99_ms: float
    memory_mb: float
    cold_start_ms: float
    cold_start_samples: int
    request_bytes: float | None
    response_bytes: float | None
    upstream_bytes_in: float | None
    upstream_bytes_out: float | None
    log_bytes_per_search: float | None = None
    bare_cold_start_ms: float | None = None


class Distribution(Struct, frozen=True, forbid_unknown_fields=True):
    """What one figure was over its samples; of a live deployment percentiles are to half a percent of what was read."""

    samples: int
    mean: float
    p5: float
    p50: float
    p95: float
    p99: float
    highest: float


def distribution(values: Iterable[float]) -> Distribution | None:
    """Of samples at hand, percentiles exactly (the nearest rank); None of none."""
    ordered = sorted(values)
    if not ordered:
        return None

    def at(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 3)

    mean = round(math.fsum(ordered) / len(ordered), 3)
    return Distribution(len(ordered), mean, p5=at(0.05), p50=at(0.5), p95=at(0.95), p99=at(0.99), highest=at(1))


class Conditions(Struct, frozen=True, forbid_unknown_fields=True):
    """Under what load the figures were taken: offered rate, supplier count, simulated latency, concurrency.
    A service of the user's own has no simulated suppliers: both are `None`."""

    searches_per_second: float
    suppliers: int | None
    supplier_latency: str | None
    duration_s: float
    container_workers: int
    lambda_environments: int


class MeasuredBundle(Struct, frozen=True, forbid_unknown_fields=True):
    """Which bytes were measured."""

    sha256: str
    architecture: str
    python: str
    zip_bytes: int
    unzipped_bytes: int


class WorkloadProfile(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole measurement. `measured_at` is ISO 8601 UTC; `machine` says on what, for the reader. Of a workload that a
    scenario types in, `machine` says so, and the other three are None. `live` holds, by lane and figure, what a live deployment
    told (`crossover measure --from-logs`, `--from-cloudwatch`); None: the lab alone. `lab` holds the lab's own: a sample is a
    search (`duration_ms`, `wait_ms`, `request_bytes`, `response_bytes`), a start (`cold_start_ms`), an environment or a worker
    (`memory_mb`), or a tenth of the run (`cpu_ms`, `upstream_bytes_in`, `upstream_bytes_out`)."""

    measured_at: str | None
    machine: str
    bundle: MeasuredBundle | None
    conditions: Conditions | None
    lambda_lane: LaneProfile
    container_lane: LaneProfile
    schema: int = 1
    live: dict[str, dict[str, Distribution]] | None = None
    lab: dict[str, dict[str, Distribution]] | None = None


def read_profile(path: Path) -> WorkloadProfile:
    """Read and validate a profile; raises `InputError` naming the file and the field."""
    data = read_bytes(path, besides="; run `crossover measure` to make one")
    try:
        profile = msgspec.json.decode(data, type=WorkloadProfile)
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: not a workload profile: {error}") from None
    try:
        _check(profile)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return profile


def check_measured(lane: LaneProfile, name: str) -> None:
    """Refuse figures that no measurement can give; `InputError` names lane and field."""
    for field in lane.__struct_fields__:
        value = getattr(lane, field)
        if value is not None:
            _check_figure(value, f"{name}.{field}", zero=field not in NEVER_ZERO)


def _check_figure(value: float, where: str, *, zero: bool = True) -> None:
    most = next((most for ending, most in MOST.items() if where.endswith(ending)), MOST_ELSE)
    if not (math.isfinite(value) and 0 <= value <= most) or (value == 0 and not zero):
        least = "0" if zero else "above 0"
        raise InputError(f"{where}: {value:g} is not a measured figure; must be {least} to {most:,.0f}")


def _check(profile: WorkloadProfile) -> None:
    """What the types cannot tell: figures that can be, and words that can be printed."""
    check_measured(profile.lambda_lane, "lambda_lane")
    check_measured(profile.container_lane, "container_lane")
    for name, part in (("bundle", profile.bundle), ("conditions", profile.conditions)):
        for field in () if part is None else part.__struct_fields__:
            value = getattr(part, field)
            if isinstance(value, str):
                _check_words(value, f"{name}.{field}")
            elif value is not None:
                _check_figure(value, f"{name}.{field}")
    for name, lanes in (("live", profile.live), ("lab", profile.lab)):
        for lane, figures in (lanes or {}).items():
            for figure, told in figures.items():
                for field in told.__struct_fields__:
                    _check_figure(getattr(told, field), f"{name}.{lane}.{figure}.{field}")
    _check_words(profile.machine, "machine")
    if profile.measured_at is not None:
        try:
            datetime.fromisoformat(profile.measured_at)
        except ValueError:
            said = repr(profile.measured_at[:40])
            raise InputError(f"measured_at: {said} must be a time in ISO 8601, as 2026-11-20T10:00:00+00:00") from None


def _check_words(text: str, where: str) -> None:
    if not text.isprintable() or len(text) > MOST_WORDS:
        raise InputError(f"{where}: must be words on one line, {MOST_WORDS:,} characters at most")


def write_profile(profile: WorkloadProfile, path: Path) -> None:
    """Raises `InputError` where the path cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json_bytes(profile))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
