"""Which instance a group launches next, and which it ends first: purchase option, zone, type, launch template.

On demand are the base and the on-demand share above it, rounded up; zones are kept level. On demand the first of the policy's
types is taken (`prioritized`). Of spot pools, one type in one zone, the one with most capacity in a zone is its own: what
stands in for `price-capacity-optimized`, so that a lost pool takes all of a zone's spot instances. A pool that was reclaimed
has none for a while. Source: "Auto Scaling groups with multiple instance types and purchase options", Amazon EC2 Auto Scaling
User Guide.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from infra.lab.aws.members import LAUNCHING, Member, begin_waits

POOL_DRY_S = 1_800.0


class SpotPools:
    """Which pools were reclaimed, until when in lab time."""

    def __init__(self) -> None:
        self._dry: dict[tuple[str, str], float] = {}

    def reclaim(self, instance_type: str, zone: str, now: float) -> None:
        self._dry[instance_type, zone] = now + POOL_DRY_S

    def best(self, types: Sequence[str], zones: Sequence[str], zone: str, now: float) -> str:
        first = zones.index(zone) % len(types)
        order = [*types[first:], *types[:first]]
        return next((each for each in order if self._dry.get((each, zone), 0.0) <= now), order[0])


def launch(group: Any, beside: Sequence[Member], hooks: Sequence[Any], pools: SpotPools, now: float) -> Member:
    """One more instance beside those that stay."""
    zones = _zones(group)
    counted = Counter(member.zone for member in beside)
    zone = min(zones, key=lambda each: (counted[each], list(zones).index(each)))
    on_demand = sum(not member.spot for member in beside)
    spot = on_demand >= on_demand_share(group, group.desired_capacity)
    types = _types(group)
    instance_type = pools.best(types, list(zones), zone, now) if spot else types[0]
    version = template_version(group)
    instance = _run(group, instance_type, zone, zones[zone], spot=spot, version=version)
    return Member(instance, group, spot=spot, version=version, now=now, waits=begin_waits(hooks, LAUNCHING, now))


def on_demand_share(group: Any, count: int) -> int:
    """How many of so many are on demand."""
    distribution = (group.mixed_instances_policy or {}).get("InstancesDistribution", {})
    base = min(count, int(distribution.get("OnDemandBaseCapacity", 0)))
    percent = int(distribution.get("OnDemandPercentageAboveBaseCapacity", 100))
    return base + math.ceil((count - base) * percent / 100)


def template_version(group: Any) -> int | None:
    """The version that the group launches now; None for a launch configuration."""
    if group.ec2_launch_template is None:
        return None
    number: int = group.ec2_launch_template.get_version(group.launch_template_version).number
    return number


def leave_first(group: Any, candidates: Sequence[Member], count: int) -> list[Member]:
    """So many that end when the group shrinks: the purchase option of which there are too many, the fullest zone, the oldest
    launch template, the oldest instance."""
    left, chosen = [each for each in candidates if not each.protected_from_scale_in], []
    for _ in range(min(count, len(left))):
        on_demand = sum(not each.spot for each in left)
        too_many = on_demand > on_demand_share(group, len(left) - 1)  # on demand, else spot
        pool = [each for each in left if each.spot != too_many] or left
        zones = Counter(each.zone for each in left)
        gone = min(pool, key=lambda each: (-zones[each.zone], each.version or 0, each.since, left.index(each)))
        chosen.append(gone)
        left.remove(gone)
    return chosen


def _zones(group: Any) -> dict[str, str | None]:
    """Subnets by zone, in the group's order."""
    if not group.vpc_zone_identifier:
        return dict.fromkeys(group.availability_zones)
    subnets: dict[str, str | None] = {}
    for subnet in group.vpc_zone_identifier.split(","):
        subnets.setdefault(group.ec2_backend.get_subnet(subnet).availability_zone, subnet)
    return subnets


def _types(group: Any) -> list[str]:
    overrides = (group.mixed_instances_policy or {}).get("LaunchTemplate", {}).get("Overrides", [])
    return [each["InstanceType"] for each in overrides if "InstanceType" in each] or [group.instance_type]


def _run(group: Any, instance_type: str, zone: str, subnet: str | None, *, spot: bool, version: int | None) -> Any:
    template = None
    if group.ec2_launch_template is not None:
        template = {"LaunchTemplateId": group.ec2_launch_template.id, "Version": version}
    reservation = group.ec2_backend.run_instances(
        group.image_id,
        1,
        group.user_data,
        group.security_groups,
        instance_type=instance_type,
        tags={"instance": {**group.get_propagated_tags(), **group.instance_tags, "aws:autoscaling:groupName": group.name}},
        placement=zone,
        launch_config=group.launch_config,
        launch_template=template,
        is_instance_type_default=False,
        subnet_id=subnet,
        region_name=group.region,
        **({"instance_market_options": {"MarketType": "spot"}} if spot else {}),
    )
    return reservation.instances[0]
