"""The container lane's instances: which serve, how many are asked for, and how many are kept at least."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from infra.errors import KitError
from infra.switching.aws.calls import Aws, asked
from infra.switching.aws.resources import Resources

TYPES_AT_ONCE = 100
"""The most that one call takes (DescribeInstanceTypes)."""


def instance_types(group: dict[str, Any]) -> set[str]:
    """Of what a group may launch, else of what runs; all of one size (`container_lane.instance_types`)."""
    overrides = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("Overrides", [])
    return {each["InstanceType"] for each in overrides or group["Instances"] if "InstanceType" in each}


class Fleet:
    """The autoscaling group and its target group."""

    def __init__(self, aws: Aws, resources: Resources) -> None:
        self._aws, self._resources = aws, resources

    def group(self) -> dict[str, Any]:
        name = self._resources.group
        with asked(f"autoscaling group {name}"):
            groups = self._scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        if len(groups) != 1:
            raise KitError(f"autoscaling group {name} is not there: deploy the container stack anew")
        group: dict[str, Any] = groups[0]
        return group

    def healthy(self) -> int:
        """Instances to which the load balancer sends requests, whatever the group says of them."""
        return len(self._healthy_targets())

    def ready(self) -> int:
        """Healthy for the load balancer, and here to stay: one that is leaving may still answer health checks."""
        staying = {each["InstanceId"] for each in self.group()["Instances"] if each["LifecycleState"] == "InService"}
        return len(staying & self._healthy_targets())

    def floor(self) -> int:
        minimum: int = self.group()["MinSize"]
        return minimum

    def standing(self) -> int:
        desired: int = self.group()["DesiredCapacity"]
        return desired

    def most(self) -> int:
        maximum: int = self.group()["MaxSize"]
        return maximum

    def raise_to(self, units: int) -> None:
        """Minimum and desired size, never lowered, at most the group's maximum. The minimum too: the group's own scaling sees
        instances with little to do, and would take them away before their traffic comes."""
        group = self.group()
        units = min(units, group["MaxSize"])
        minimum, desired = max(units, group["MinSize"]), max(units, group["DesiredCapacity"])
        if (minimum, desired) != (group["MinSize"], group["DesiredCapacity"]):
            self._size(MinSize=minimum, DesiredCapacity=desired)

    def release(self, units: int) -> None:
        """The minimum alone: the group's own scaling takes away what is idle."""
        group = self.group()
        if group["MinSize"] > units:
            self._size(MinSize=min(units, group["MaxSize"]))

    def set_to(self, units: int) -> None:
        """Minimum and desired size at most so many, now."""
        group = self.group()
        self._size(MinSize=min(units, group["MinSize"]), DesiredCapacity=min(units, group["DesiredCapacity"]))

    def vcpus(self) -> int | None:
        """Of one instance, the least of its types."""
        return min(self.vcpus_of(instance_types(self.group())).values(), default=None)

    def vcpus_of(self, types: Iterable[str]) -> dict[str, int]:
        """By instance type."""
        names, found = sorted(types), dict[str, int]()
        with asked("instance types"):
            for begin in range(0, len(names), TYPES_AT_ONCE):
                some = names[begin : begin + TYPES_AT_ONCE]
                told = self._aws.client("ec2").describe_instance_types(InstanceTypes=some)["InstanceTypes"]
                found |= {each["InstanceType"]: each["VCpuInfo"]["DefaultVCpus"] for each in told}
        return found

    def target_cpu(self) -> float | None:
        """Share of the CPU that the group's scaling keeps, 0 to 1; None for a group of a fixed size."""
        with asked(f"scaling policies of {self._resources.group}"):
            policies = self._scaling.describe_policies(AutoScalingGroupName=self._resources.group)["ScalingPolicies"]
        for policy in policies:
            tracking = policy.get("TargetTrackingConfiguration", {})
            predefined = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
            if predefined == "ASGAverageCPUUtilization":
                return float(tracking["TargetValue"]) / 100
        return None

    def _healthy_targets(self) -> set[str]:
        arn = self._resources.target_groups["container"]
        with asked("targets of the container lane"):
            targets = self._aws.client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {each["Target"]["Id"] for each in targets if each["TargetHealth"]["State"] == "healthy"}

    def _size(self, **sizes: int) -> None:
        with asked(f"autoscaling group {self._resources.group}"):
            self._scaling.update_auto_scaling_group(AutoScalingGroupName=self._resources.group, **sizes)

    @property
    def _scaling(self) -> Any:
        return self._aws.client("autoscaling")
