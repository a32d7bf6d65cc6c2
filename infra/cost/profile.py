"""The measured workload profile: what one search needs on each lane, written by `crossover measure` to one JSON file.

Every figure is per successful search unless its name says otherwise, measured on the machine named in `machine`.
Nothing here is a default: a figure that could not be measured is `None` (unknown), and what depends on it is listed as
not priced, never priced at 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from infra.documents import json_bytes
from infra.errors import InputError


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
    search (`duration_ms`, `request_bytes`, `response_bytes`), a start (`cold_start_ms`), or a tenth of the run (`cpu_ms`)."""

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
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); run `crossover measure` to make one") from None
    try:
        return msgspec.json.decode(data, type=WorkloadProfile)
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: not a workload profile: {error}") from None


def write_profile(profile: WorkloadProfile, path: Path) -> None:
    """Raises `InputError` where the path cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(json_bytes(profile))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
