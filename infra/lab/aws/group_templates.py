"""Autoscaling groups in templates: their hooks and policies, and updates in place, where moto makes the group anew."""

from __future__ import annotations

from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup

_create = FakeAutoScalingGroup.create_from_cloudformation_json
_update = FakeAutoScalingGroup.update


def update(group: Any, **given: Any) -> None:
    """What is not given stays; moto would lose the mixed instances policy. A desired capacity that is not given follows the
    sizes (UpdateAutoScalingGroup, API reference)."""
    least = int(group.min_size if given.get("min_size") is None else given["min_size"])
    most = int(group.max_size if given.get("max_size") is None else given["max_size"])
    desired = given.get("desired_capacity")
    desired = min(max(group.desired_capacity, least), most) if desired is None else int(desired)
    if least > most:
        raise ValidationError(f"Max bound, {most}, must be greater than or equal to min bound, {least}")
    if not least <= desired <= most:
        raise ValidationError(f"Desired capacity:{desired} must be between the specified min size and max size")
    policy = given.get("mixed_instances_policy")
    if policy is None and not (given.get("launch_template") or given.get("launch_config_name")):
        policy = group.mixed_instances_policy
    sizes = {"min_size": least, "max_size": most, "desired_capacity": desired}
    _update(group, **{**given, **sizes, "mixed_instances_policy": None})
    if policy:
        group.mixed_instances_policy = policy
        group._set_launch_configuration("", {}, _by_id(policy))


def _by_id(policy: dict[str, Any]) -> dict[str, Any]:
    """A launch template is named by its id or its name; what moto keeps of a policy has both."""
    spec = policy["LaunchTemplate"]["LaunchTemplateSpecification"]
    if "LaunchTemplateId" in spec:
        spec = {key: value for key, value in spec.items() if key != "LaunchTemplateName"}
    return {**policy, "LaunchTemplate": {**policy["LaunchTemplate"], "LaunchTemplateSpecification": spec}}


def create(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **more: Any) -> Any:
    group = _create(resource_name, cloudformation_json, account_id, region_name, **more)
    _complete(group, cloudformation_json["Properties"])
    return group


def update_in_place(
    original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
) -> Any:
    """moto makes the group anew. A new launch template starts an instance refresh where the update policy asks for one."""
    group, properties = original_resource, cloudformation_json["Properties"]
    update(
        group,
        availability_zones=properties.get("AvailabilityZones", []),
        desired_capacity=properties.get("DesiredCapacity"),
        max_size=properties["MaxSize"],
        min_size=properties["MinSize"],
        launch_config_name=properties.get("LaunchConfigurationName"),
        launch_template=properties.get("LaunchTemplate", {}),
        vpc_zone_identifier=",".join(properties.get("VPCZoneIdentifier", [])) or None,
        health_check_period=properties.get("HealthCheckGracePeriod"),
        health_check_type=properties.get("HealthCheckType"),
        mixed_instances_policy=properties.get("MixedInstancesPolicy"),
    )
    group.target_group_arns = properties.get("TargetGroupARNs", [])
    _complete(group, properties)
    refresh = cloudformation_json.get("UpdatePolicy", {}).get("AutoScalingInstanceRefresh")
    if refresh is not None:
        group.refreshing = True
        group.refresh_percent = refresh.get("Preferences", {}).get("MaxHealthyPercentage", 110)
    return group


def _complete(group: Any, properties: dict[str, Any]) -> None:
    group.min_size, group.max_size = int(group.min_size), int(group.max_size)
    group.health_check_grace_period = int(properties.get("HealthCheckGracePeriod", 0))  # moto takes 0 for none given
    group.capacity_rebalance = str(properties.get("CapacityRebalance", False)).lower() == "true"
    group.instance_maintenance_policy = properties.get("InstanceMaintenancePolicy")
    put_hooks(group, properties.get("LifecycleHookSpecificationList", []))


def put_hooks(group: Any, listed: list[dict[str, Any]]) -> None:
    for each in listed:
        group.autoscaling_backend.create_lifecycle_hook(
            each["LifecycleHookName"],
            group.name,
            each["LifecycleTransition"],
            int(each["HeartbeatTimeout"]) if "HeartbeatTimeout" in each else None,
            each.get("DefaultResult"),
        )


def install() -> None:
    replacements: tuple[tuple[str, Any], ...] = (
        ("update", update),
        ("create_from_cloudformation_json", staticmethod(create)),
        ("update_from_cloudformation_json", staticmethod(update_in_place)),
    )
    for name, ours in replacements:
        setattr(FakeAutoScalingGroup, name, ours)
