"""`AWS::AutoScaling::ScalingPolicy` in templates, which moto leaves out; and a group's warm-up, which moto forgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup, autoscaling_backends
from moto.core.common_models import CloudFormationModel

WARMUP = "default_instance_warmup"
"""The attribute of moto's groups that keeps it, in seconds."""


class ScalingPolicy(CloudFormationModel):
    """Kept in moto's Auto Scaling, as if it had been put over the API."""

    __module__ = "moto.autoscaling.models"  # moto files its models by the service in their module's name

    def __init__(self, name: str, arn: str) -> None:
        self.physical_resource_id = arn
        self._name = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::AutoScaling::ScalingPolicy"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in ("Arn", "PolicyName")

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return {"Arn": self.physical_resource_id, "PolicyName": self._name}[attribute_name]

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> ScalingPolicy:
        properties = cloudformation_json["Properties"]
        tracking = dict(properties.get("TargetTrackingConfiguration", {}))
        if tracking:
            tracking["TargetValue"] = float(tracking["TargetValue"])
        policy = autoscaling_backends[account_id][region_name].put_scaling_policy(
            name=resource_name,
            policy_type=properties.get("PolicyType", "SimpleScaling"),
            metric_aggregation_type=properties.get("MetricAggregationType"),
            adjustment_type=properties.get("AdjustmentType"),
            as_name=properties["AutoScalingGroupName"],
            min_adjustment_magnitude=properties.get("MinAdjustmentMagnitude"),
            scaling_adjustment=properties.get("ScalingAdjustment"),
            cooldown=properties.get("Cooldown"),
            target_tracking_config=tracking,
            step_adjustments=properties.get("StepAdjustments", []),
            estimated_instance_warmup=properties.get("EstimatedInstanceWarmup"),
            predictive_scaling_configuration=properties.get("PredictiveScalingConfiguration", {}),
        )
        return cls(resource_name, policy.arn)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> ScalingPolicy:
        return cls.create_from_cloudformation_json(original_resource._name, cloudformation_json, account_id, region_name)

    def delete(self, account_id: str, region_name: str) -> None:
        autoscaling_backends[account_id][region_name].delete_policy(self._name)


def _with_warmup(make: Callable[..., Any]) -> Callable[..., Any]:
    def make_group(*given: Any, **named: Any) -> Any:
        body = named.get("cloudformation_json") or next(each for each in given if isinstance(each, dict))
        group = make(*given, **named)
        warmup = body["Properties"].get("DefaultInstanceWarmup")
        setattr(group, WARMUP, None if warmup is None else float(warmup))
        return group

    return make_group


def install() -> None:
    """Defining `ScalingPolicy` has told moto of it already. After whatever else changes how groups are made."""
    for name in ("create_from_cloudformation_json", "update_from_cloudformation_json"):
        setattr(FakeAutoScalingGroup, name, staticmethod(_with_warmup(getattr(FakeAutoScalingGroup, name))))
