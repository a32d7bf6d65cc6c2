"""Elastic Load Balancing where moto takes what AWS refuses, and leaves out of templates what decides how requests are served.

Weights are 0 to 999, and all of an action's may be 0 (TargetGroupTuple, Elastic Load Balancing API reference, says no more of
them). Of target groups in templates moto reads neither targets nor attributes, of load balancers no attributes.
"""

from __future__ import annotations

from typing import Any

from moto.elbv2.exceptions import ValidationError
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer, FakeTargetGroup, elbv2_backends

MOST_GROUPS = 5  # "Listener rule action types", User Guide for Application Load Balancers

_validate = ELBv2Backend._validate_actions
_modify_listener = ELBv2Backend.modify_listener
_create_target_group = FakeTargetGroup.create_from_cloudformation_json
_create_load_balancer = FakeLoadBalancer.create_from_cloudformation_json

# What each health check property of a template is to moto's `modify_target_group`.
HEALTH_CHECK = {
    "HealthCheckProtocol": "health_check_proto",
    "HealthCheckPort": "health_check_port",
    "HealthCheckPath": "health_check_path",
    "HealthCheckIntervalSeconds": "health_check_interval",
    "HealthCheckTimeoutSeconds": "health_check_timeout",
    "HealthyThresholdCount": "healthy_threshold_count",
    "UnhealthyThresholdCount": "unhealthy_threshold_count",
}


def check_forward(action: dict[str, Any]) -> None:
    """Raises ValidationError for a forward action that AWS refuses."""
    groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
    for group in groups:
        weight = str(group.get("Weight", 1))
        if not weight.isdigit() or int(weight) > 999:
            raise ValidationError(f"The weight '{weight}' of a target group must be between 0 and 999")
    if len(groups) > MOST_GROUPS:
        raise ValidationError(f"An action can forward to {MOST_GROUPS} target groups at most")
    named = action.get("TargetGroupArn")
    if named and groups and [group["TargetGroupArn"] for group in groups] != [named]:
        raise ValidationError("With TargetGroupArn a forward action can have one target group in ForwardConfig, the same one")


def validate_actions(backend: Any, actions: list[Any]) -> None:
    _validate(backend, actions)
    for action in actions:
        if action.type == "forward":
            check_forward(action.data)


def modify_listener(backend: Any, *arguments: Any, **named: Any) -> Any:
    actions = named.get("actions", arguments[5] if len(arguments) > 5 else None)
    for action in actions or []:
        if action.get("Type") == "forward":
            check_forward(action)
    return _modify_listener(backend, *arguments, **named)


def create_target_group(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **more: Any) -> Any:
    group = _create_target_group(resource_name, cloudformation_json, account_id, region_name, **more)
    _complete(group, cloudformation_json["Properties"])
    return group


def update_target_group(
    original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
) -> Any:
    """In place: protocol, port, VPC and kind, which replace it in CloudFormation, are not changed by any stage."""
    properties = cloudformation_json["Properties"]
    checks = {name: properties[key] for key, name in HEALTH_CHECK.items() if key in properties}
    codes = properties.get("Matcher", {}).get("HttpCode")
    elbv2_backends[account_id][region_name].modify_target_group(original_resource.arn, http_codes=codes, **checks)
    _complete(original_resource, properties)
    return original_resource


def _complete(group: Any, properties: dict[str, Any]) -> None:
    if "HealthCheckEnabled" in properties:
        group.health_check_enabled = str(properties["HealthCheckEnabled"]).lower() == "true"
    group.attributes.update(_attributes(properties.get("TargetGroupAttributes", [])))
    if group.target_type == "lambda":
        for name in ("deregistration_delay.timeout_seconds", "slow_start.duration_seconds"):
            group.attributes.pop(name, None)  # a function's target group has none
    targets = properties.get("Targets", [])
    group.deregister([{"Id": id} for id in group.targets if id not in {target["Id"] for target in targets}] if targets else [])
    group.register(targets)


def create_load_balancer(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **more: Any) -> Any:
    balancer = _create_load_balancer(resource_name, cloudformation_json, account_id, region_name, **more)
    balancer.attrs.update(_attributes(cloudformation_json["Properties"].get("LoadBalancerAttributes", [])))
    return balancer


def update_load_balancer(
    original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
) -> Any:
    original_resource.attrs.update(_attributes(cloudformation_json["Properties"].get("LoadBalancerAttributes", [])))
    return original_resource


def _attributes(listed: list[dict[str, Any]]) -> dict[str, str]:
    return {each["Key"]: str(each["Value"]) for each in listed}


def install() -> None:
    replacements: tuple[tuple[Any, str, Any], ...] = (
        (ELBv2Backend, "_validate_actions", validate_actions),
        (ELBv2Backend, "modify_listener", modify_listener),
        (FakeTargetGroup, "create_from_cloudformation_json", staticmethod(create_target_group)),
        (FakeTargetGroup, "update_from_cloudformation_json", staticmethod(update_target_group)),
        (FakeLoadBalancer, "create_from_cloudformation_json", staticmethod(create_load_balancer)),
        (FakeLoadBalancer, "update_from_cloudformation_json", staticmethod(update_load_balancer)),
    )
    for owner, name, ours in replacements:
        setattr(owner, name, ours)
