"""Carbon of each lane's compute, as an option: electricity of its vCPUs, the data centre's overhead, the grid's factor.

Method and figures are those of Cloud Carbon Footprint (github.com/cloud-carbon-footprint, Apache-2.0; packages/aws
AwsFootprintEstimationConstants.ts and core FootprintEstimationConstants): averages over AWS's processors and yearly averages of
the grids, location-based. Memory, storage, network, manufacture and what AWS buys in renewable energy are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.cost.compare import Comparison
from infra.errors import InputError
from infra.sizing import FULL_VCPU_MB

SOURCE = "Cloud Carbon Footprint, coefficients of its AWS package (location-based, compute only)"
MIN_WATTS, MAX_WATTS = 0.74, 3.5
"""Of one vCPU, idle and busy."""
PUE = 1.135
KG_PER_KWH = {
    "us-east-1": 0.379069,
    "us-east-2": 0.410608,
    "us-west-1": 0.322167,
    "us-west-2": 0.322167,
    "af-south-1": 0.928,
    "ap-east-1": 0.81,
    "ap-south-1": 0.708,
    "ap-northeast-1": 0.506,
    "ap-northeast-2": 0.5,
    "ap-northeast-3": 0.506,
    "ap-southeast-1": 0.4085,
    "ap-southeast-2": 0.79,
    "ca-central-1": 0.13,
    "eu-central-1": 0.338,
    "eu-north-1": 0.008,
    "eu-south-1": 0.233,
    "eu-west-1": 0.316,
    "eu-west-2": 0.228,
    "eu-west-3": 0.052,
    "me-south-1": 0.732,
    "sa-east-1": 0.074,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Carbon:
    """One lane's month. `vcpu_hours` are set aside for it, `busy_hours` of them at work."""

    lane: str
    vcpu_hours: float
    busy_hours: float
    kwh: float
    kg_co2e: float


def carbon(comparison: Comparison) -> tuple[Carbon, ...]:
    """Both lanes' months; Lambda Managed Instances, whose instances AWS chooses, are left out. `InputError` for a region of
    which the source has no factor."""
    region = comparison.stage.region
    if region not in KG_PER_KWH:
        raise InputError(f"carbon: {SOURCE} has no factor of {region}; it has: {', '.join(sorted(KG_PER_KWH))}")
    found = []
    scale, stage = comparison.options.cpu_scale, comparison.stage
    if stage.lambda_lane.managed_concurrency is None:
        lane, searches = comparison.lambda_lane, float(comparison.lambda_lane.searches_per_month)
        running_h = searches * lane.capacity["billed_ms_per_search"] / 3.6e6
        busy_h = searches * comparison.profile.lambda_lane.cpu_ms_per_search * scale / 3.6e6
        found.append(_carbon("lambda", region, running_h * stage.lambda_lane.memory_mb / FULL_VCPU_MB, busy_h))
    fleet = comparison.container_lane
    instance = comparison.prices.instance(stage.container_lane.instance_types[0])
    hours = fleet.capacity["mean_instances"] * float(fleet.month_hours) * instance.vcpu
    busy_h = float(fleet.searches_per_month) * comparison.profile.container_lane.cpu_ms_per_search * scale / 3.6e6
    found.append(_carbon("container", region, hours, min(busy_h, hours)))
    return tuple(found)


def _carbon(lane: str, region: str, vcpu_hours: float, busy_hours: float) -> Carbon:
    kwh = (MIN_WATTS * vcpu_hours + (MAX_WATTS - MIN_WATTS) * busy_hours) * PUE / 1000
    return Carbon(lane=lane, vcpu_hours=vcpu_hours, busy_hours=busy_hours, kwh=kwh, kg_co2e=kwh * KG_PER_KWH[region])
