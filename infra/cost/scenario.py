"""A scenario: one TOML file with everything a report is made of, so that it can be made again, reviewed and compared.

    name, about                  what it is
    [stage]                      any key of `crossover settings`
    [workload] profile = FILE    what was measured; or typed in, `source` and the tables [workload.lambda], [workload.container]
    [traffic]                    rps, or file, or shape; peak_rps; [traffic.burst] factor, share
    [options]                    as the options of `crossover cost report`
    [objective] p99_ms           what both lanes must hold

What is typed in says so in every report: `machine` is then "typed in: " and the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from infra.config import DEFAULT_STAGE, Stage
from infra.cost.lane import CostOptions
from infra.cost.profile import LaneProfile, WorkloadProfile, check_measured, read_profile
from infra.cost.simulation.arrivals import Burst
from infra.cost.traffic.file import load_traffic
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.cost.traffic.shape import generate_bursty_fortnight, load_shape
from infra.documents import read_toml
from infra.errors import InputError
from infra.overrides import flat_keys, override


class _TypedLane(Struct, frozen=True, forbid_unknown_fields=True):
    """What must be known of a lane, and what may be unknown."""

    cpu_ms_per_search: float
    wait_ms: float
    duration_p99_ms: float
    memory_mb: float
    cold_start_ms: float
    request_bytes: float | None = None
    response_bytes: float | None = None
    upstream_bytes_in: float | None = None
    upstream_bytes_out: float | None = None
    log_bytes_per_search: float | None = None


class _Workload(Struct, frozen=True, forbid_unknown_fields=True):
    profile: str | None = None
    source: str | None = None
    lambda_lane: _TypedLane | None = msgspec.field(name="lambda", default=None)
    container_lane: _TypedLane | None = msgspec.field(name="container", default=None)


class _Burst(Struct, frozen=True, forbid_unknown_fields=True):
    factor: float = 1.0
    share: float = 0.1


class _Traffic(Struct, frozen=True, forbid_unknown_fields=True):
    rps: float | None = None
    file: str | None = None
    shape: str | None = None
    peak_rps: float | None = None
    burst: _Burst = _Burst()


class _Options(Struct, frozen=True, forbid_unknown_fields=True):
    month_hours: str = "730"
    cpu_scale: float = 1.0
    free_tier: bool = False
    account_concurrency: int = 1_000
    requests_per_connection: float = 1.0


class _Objective(Struct, frozen=True, forbid_unknown_fields=True):
    p99_ms: float = 2_500.0


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    workload: _Workload
    traffic: _Traffic
    about: str = ""
    stage: dict[str, Any] = {}
    options: _Options = _Options()
    objective: _Objective = _Objective()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario read: everything validated."""

    name: str
    about: str
    profile: WorkloadProfile
    traffic: TrafficProfile
    burst: Burst
    stage: Stage
    options: CostOptions
    objective_s: float


def load_scenario(path: Path, *, report_date: date, profile: Path | None = None) -> Scenario:
    """Read a scenario; `profile` goes before the file's workload. `InputError` names the file and the field."""
    try:
        file = msgspec.convert(read_toml(path), _File)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: not a scenario: {error}") from None
    try:
        return Scenario(
            name=file.name,
            about=" ".join(file.about.split()),
            profile=read_profile(profile) if profile is not None else _workload(file, path),
            traffic=_traffic(file.traffic, path.parent),
            burst=Burst(factor=file.traffic.burst.factor, share=file.traffic.burst.share),
            stage=override(flat_keys(file.stage), DEFAULT_STAGE),
            options=_options(file.options, report_date),
            objective_s=_objective(file.objective),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _workload(file: _File, path: Path) -> WorkloadProfile:
    given = file.workload
    if given.profile is not None:
        if given.lambda_lane is not None or given.container_lane is not None:
            raise InputError("workload: give profile, or the tables [workload.lambda] and [workload.container], not both")
        return read_profile(path.parent / given.profile)
    if given.lambda_lane is None or given.container_lane is None or not given.source:
        raise InputError("workload: needs profile, or source and both [workload.lambda] and [workload.container]")
    return WorkloadProfile(
        measured_at=None,
        machine=f"typed in: {given.source}",
        bundle=None,
        conditions=None,
        lambda_lane=_typed(given.lambda_lane, "lambda_lane"),
        container_lane=_typed(given.container_lane, "container_lane"),
    )


def _typed(lane: _TypedLane, name: str) -> LaneProfile:
    typed = LaneProfile(
        searches=0,
        errors=0,
        duration_p50_ms=lane.cpu_ms_per_search + lane.wait_ms,
        cold_start_samples=0,
        **{field: getattr(lane, field) for field in lane.__struct_fields__},
    )
    check_measured(typed, name)
    return typed


def _traffic(given: _Traffic, folder: Path) -> TrafficProfile:
    if sum(each is not None for each in (given.rps, given.file, given.shape)) != 1:
        raise InputError("traffic: give exactly one of rps, file and shape")
    if given.rps is not None:
        if given.peak_rps is not None:
            raise InputError("traffic.peak_rps: a steady rate has no peak to scale; use rps alone")
        return flat_rate(given.rps)
    if given.shape is not None:
        return generate_bursty_fortnight(load_shape(given.shape), peak_rps=given.peak_rps)
    if str(given.file).startswith("cloudwatch:"):
        raise InputError(
            "traffic.file: what a stage was asked changes from day to day; write it to a file with "
            "`crossover measure --from-cloudwatch --traffic-out FILE` and name that"
        )
    profile = load_traffic(folder / str(given.file))
    return profile if given.peak_rps is None else profile.scaled_to_peak(given.peak_rps)


def _options(given: _Options, report_date: date) -> CostOptions:
    try:
        month_hours = Decimal(given.month_hours)
    except ArithmeticError:
        raise InputError(f"options.month_hours: {given.month_hours!r} is not a number") from None
    return CostOptions(
        report_date=report_date,
        month_hours=month_hours,
        cpu_scale=given.cpu_scale,
        free_tier=given.free_tier,
        account_concurrency=given.account_concurrency,
        requests_per_connection=given.requests_per_connection,
    )


def _objective(given: _Objective) -> float:
    if not 1 <= given.p99_ms <= 900_000:
        raise InputError(f"objective.p99_ms: must be 1 to 900000, not {given.p99_ms:g}")
    return given.p99_ms / 1000
