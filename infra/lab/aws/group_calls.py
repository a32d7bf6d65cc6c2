"""Auto Scaling's calls on the lab's groups (groups.py), and what moto lacks of them: completing a lifecycle action."""

from __future__ import annotations

from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    TerminateInstanceActivity,
)
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from infra.lab.aws.group_templates import put_hooks
from infra.lab.aws.groups import Groups
from infra.lab.aws.members import Wait, members

SEEING = ("autoscaling", "ec2", "elbv2")
"""moto's names of the services whose answers show a group's state."""

RESULTS = ("CONTINUE", "ABANDON")

_call_action = BaseResponse.call_action
_create_over_api = AutoScalingResponse.create_auto_scaling_group


def set_desired(group: Any, wanted: int | None) -> None:
    """moto launches and ends instances here; the next call that could see them does."""
    group.desired_capacity = int(group.min_size if wanted is None else wanted)


def set_desired_capacity(backend: Any, group_name: str, desired_capacity: int) -> None:
    """Refused outside the group's sizes (SetDesiredCapacity, Amazon EC2 Auto Scaling API reference)."""
    group = _group(backend, group_name)
    if desired_capacity < group.min_size:
        raise ValidationError(
            f"New SetDesiredCapacity value {desired_capacity} is below min value {group.min_size} for the AutoScalingGroup."
        )
    if desired_capacity > group.max_size:
        raise ValidationError(
            f"New SetDesiredCapacity value {desired_capacity} is above max value {group.max_size} for the AutoScalingGroup."
        )
    group.set_desired_capacity(desired_capacity)


def create_over_api(response: Any) -> ActionResult:
    result: ActionResult = _create_over_api(response)
    group = _group(response.autoscaling_backend, response._get_param("AutoScalingGroupName"))
    group.health_check_grace_period = response._get_int_param("HealthCheckGracePeriod", 0)
    group.instance_maintenance_policy = response._get_param("InstanceMaintenancePolicy")
    put_hooks(group, response._get_param("LifecycleHookSpecificationList", []))
    return result


def _group(backend: Any, name: str) -> Any:
    if name not in backend.autoscaling_groups:
        raise ValidationError("AutoScalingGroup name not found - null")
    return backend.autoscaling_groups[name]


class Calls:
    """Those of Auto Scaling's that need the groups."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def complete(self, response: Any) -> ActionResult:
        result = response._get_param("LifecycleActionResult")
        if result not in RESULTS:
            raise ValidationError(f"Lifecycle action result '{result}' must be one of {', '.join(RESULTS)}")
        self._wait(response).result = result
        self._groups.settle_all()
        return EmptyResult()

    def heartbeat(self, response: Any) -> ActionResult:
        self._wait(response).extend(self._groups.now())
        return EmptyResult()

    def _wait(self, response: Any) -> Wait:
        """What waits of the hook for the instance or under the token."""
        name, hook = response._get_param("AutoScalingGroupName"), response._get_param("LifecycleHookName")
        instance, token = response._get_param("InstanceId"), response._get_param("LifecycleActionToken")
        for member in members(_group(response.autoscaling_backend, name)):
            for wait in member.waits:
                its = token == wait.token if token else instance == member.instance_id
                if its and wait.hook.name == hook and wait.result is None and str(member.lifecycle_state).endswith(":Wait"):
                    return wait
        raise ValidationError(
            f"No active Lifecycle Action found with {f'token {token}' if token else f'instance ID {instance}'}"
        )

    def terminate(self, backend: Any, instance_id: str, should_decrement: bool) -> Any:
        member = self._groups.member(instance_id)
        if member is None or member.auto_scaling_group.autoscaling_backend is not backend:
            raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")
        group = member.auto_scaling_group
        before = group.desired_capacity
        if should_decrement:
            if before <= group.min_size:
                raise ValidationError(
                    f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance without replacement will "
                    "violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower "
                    "group's min size."
                )
            group.desired_capacity = before - 1
        self._groups.leave(group, member)
        return TerminateInstanceActivity(member.instance, before)

    def delete(self, backend: Any, group_name: str) -> None:
        """All of its instances at once, as with ForceDelete; CloudFormation too waits for none of their hooks here."""
        with self._groups.lock:
            group = _group(backend, group_name)
            for member in members(group):
                self._groups.end(group, member)
            group.desired_capacity = group.min_size = 0
            backend.autoscaling_groups.pop(group_name)
            for key in [key for key, hook in backend.lifecycle_hooks.items() if hook.auto_scaling_group_name == group_name]:
                del backend.lifecycle_hooks[key]

    def lost(self, backend: Any, instance_ids: list[str]) -> None:
        """EC2 was told to end them."""
        for instance_id in instance_ids:
            member = self._groups.member(instance_id)
            if member is not None and member.lost_at is None:
                member.lost_at = self._groups.now()

    def register_members(self, backend: Any, group_name: str) -> None:
        """A target group was attached: those that serve are put into it."""
        group = backend.autoscaling_groups[group_name]
        for member in members(group):
            if member.lifecycle_state == "InService":
                member.registered = False  # the next look puts it in

    def see(self, response: Any) -> Any:
        if response.service_name not in SEEING:
            return _call_action(response)
        with self._groups.lock:
            self._groups.settle_all()
            return _call_action(response)


def install(groups: Groups) -> None:
    calls = Calls(groups)
    replacements: tuple[tuple[Any, str, Any], ...] = (
        (BaseResponse, "call_action", lambda response: calls.see(response)),
        (AutoScalingResponse, "complete_lifecycle_action", lambda response: calls.complete(response)),
        (AutoScalingResponse, "record_lifecycle_action_heartbeat", lambda response: calls.heartbeat(response)),
        (AutoScalingResponse, "create_auto_scaling_group", create_over_api),
        (AutoScalingBackend, "set_desired_capacity", set_desired_capacity),
        (AutoScalingBackend, "terminate_instance", lambda backend, *given: calls.terminate(backend, *given)),
        (AutoScalingBackend, "delete_auto_scaling_group", lambda backend, group_name: calls.delete(backend, group_name)),
        (AutoScalingBackend, "notify_terminate_instances", lambda backend, instance_ids: calls.lost(backend, instance_ids)),
        (AutoScalingBackend, "update_attached_target_groups", lambda backend, name: calls.register_members(backend, name)),
        (FakeAutoScalingGroup, "set_desired_capacity", set_desired),
    )
    for owner, name, ours in replacements:
        setattr(owner, name, ours)
