"""Autoscaling groups whose instances take their time: they boot, wait for their hooks, drain, and are replaced when they fail.

moto's are in service as soon as they are asked for. Here a group is brought up to date (`settle_all`) before each call that
could see it, so nothing runs by itself. Sources, Amazon EC2 Auto Scaling User Guide: "How lifecycle hooks work", "Health checks
for instances in an Auto Scaling group", "Instance maintenance policies", "Capacity Rebalancing", "Instance refresh".
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.elbv2.models import elbv2_backends

from infra.lab.aws.launches import SpotPools, launch, leave_first, template_version
from infra.lab.aws.members import TERMINATING, Member, begin_waits, members
from infra.lab.aws.targets import Targets
from infra.lab.lab_time import LabTime

NOTICED_AFTER_S = 15.0
"""Until a group sees that EC2 has ended one of its instances."""

LEAST_DRAIN_S = 12.0
"""Real seconds that a terminating hook lasts at least: requests in flight do not end faster because a lab's time is fast."""

REPLACING_PERCENT = 110
"""How far a group without a maintenance policy goes above its size where it launches a replacement first."""


class Groups:
    """Of every account and region. `lock` is held by whoever changes a group or lets it settle."""

    def __init__(self, lab_time: LabTime, targets: Targets) -> None:
        self.lock = threading.RLock()
        self.pools = SpotPools()
        self.reclaimed: dict[str, float] = {}
        self._time, self._targets = lab_time, targets

    def all(self) -> Iterator[Any]:
        for account in list(autoscaling_backends.values()):
            for backend in list(account.values()):
                yield from list(backend.autoscaling_groups.values())

    def member(self, instance_id: str) -> Member | None:
        return next((each for group in self.all() for each in members(group) if each.instance_id == instance_id), None)

    def now(self) -> float:
        return self._time.now()

    def settle_all(self) -> None:
        with self.lock:
            for group in self.all():
                self.settle(group)

    def settle(self, group: Any) -> None:
        now = self.now()
        for member in members(group):
            self._reclaim(group, member, now)
            self._advance(group, member, now)
        self._size(group, now)
        if all(each.version == template_version(group) for each in members(group)):
            group.refreshing = False

    def leave(self, group: Any, member: Member) -> None:
        """Out of its target groups first; its hooks begin when it has drained."""
        if not member.leaving:
            self._deregister(group, member)
            member.enter("Terminating", self.now())

    def end(self, group: Any, member: Member) -> None:
        if member.instance.state != "terminated":
            group.ec2_backend.terminate_instances([member.instance_id])
        self._deregister(group, member)
        group.instance_states = [each for each in group.instance_states if each is not member]

    def _reclaim(self, group: Any, member: Member, now: float) -> None:
        if now >= self.reclaimed.get(member.instance_id, math.inf) and member.instance.state != "terminated":
            group.ec2_backend.terminate_instances([member.instance_id])
            member.instance.state_reason.code = "Server.SpotInstanceTermination"
            member.instance.state_reason.message = "Server.SpotInstanceTermination: Instance was terminated by Amazon EC2"
            self._deregister(group, member)

    def _advance(self, group: Any, member: Member, now: float) -> None:
        if member.instance.state != "running":
            self._lost(group, member, now)
            return
        match member.lifecycle_state:
            case "Pending" if member.booted:
                self._serve(group, member, now)
            case "Pending:Wait" if outcome := member.outcome(now):
                if outcome == "CONTINUE":
                    self._serve(group, member, now)
                else:
                    self.leave(group, member)
            case "InService":
                self._check(group, member, now)
            case "Standby" if member.registered:
                self._deregister(group, member)
            case "Terminating" if self._drained(group, member):
                member.waits = begin_waits(_hooks(group), TERMINATING, now, self._time.speed * LEAST_DRAIN_S)
                member.enter("Terminating:Wait", now)
        if member.lifecycle_state == "Terminating:Wait" and member.outcome(now):
            self.end(group, member)

    def _serve(self, group: Any, member: Member, now: float) -> None:
        member.enter("InService", now)
        for balancer_group in self._target_groups(group):
            balancer_group.register([{"Id": member.instance_id, "Port": balancer_group.port}])
        member.registered = True

    def _check(self, group: Any, member: Member, now: float) -> None:
        if not member.registered:  # back from standby
            self._serve(group, member, now)
        grace_over = now >= member.since + float(group.health_check_grace_period or 0)
        if "ELB" in group.health_check_type and grace_over:
            states = {self._targets.state(each.arn, member.instance_id) for each in self._target_groups(group)}
            if "unhealthy" in states:
                member.health_status = "Unhealthy"

    def _lost(self, group: Any, member: Member, now: float) -> None:
        member.lost_at = now if member.lost_at is None else member.lost_at
        if member.leaving or now >= member.lost_at + NOTICED_AFTER_S:
            self.end(group, member)

    def _size(self, group: Any, now: float) -> None:
        staying = [each for each in members(group) if not each.leaving and each.lifecycle_state != "Standby"]
        worn = [each for each in staying if self._worn(group, each)]
        fit = [each for each in staying if each not in worn]
        if not _launches_first(group):
            for member in [each for each in worn if each.health_status == "Unhealthy"]:
                self.leave(group, member)
                worn.remove(member)
                staying.remove(member)
        room = max(group.desired_capacity, _most(group) if worn else 0) - len(staying)
        for _ in range(min(group.desired_capacity - len(fit), room)):
            one = launch(group, fit, _hooks(group), self.pools, now)
            group.instance_states.append(one)
            fit.append(one)
        serving = [each for each in fit if each.lifecycle_state == "InService" and self._found_well(group, each)]
        for member in worn[: max(len(serving) + len(worn) - group.desired_capacity, 0)]:
            self.leave(group, member)
        for member in leave_first(group, fit, len(fit) - group.desired_capacity):
            self.leave(group, member)

    def _worn(self, group: Any, member: Member) -> bool:
        """To be replaced: unhealthy, about to be reclaimed, or of an older launch template while a refresh goes on."""
        if member.health_status == "Unhealthy":
            return True
        if getattr(group, "capacity_rebalance", False) and member.instance_id in self.reclaimed:
            return True
        return bool(getattr(group, "refreshing", False)) and member.version != template_version(group)

    def _found_well(self, group: Any, member: Member) -> bool:
        """Whether it may stand in for another: in service alone it may still have its first health check before it. Of target
        groups of which nothing is told, every target is well."""
        if "ELB" not in group.health_check_type:
            return True
        arns = [each.arn for each in self._target_groups(group) if self._targets.knows(each.arn)]
        return all(self._targets.state(arn, member.instance_id) == "healthy" for arn in arns)

    def _deregister(self, group: Any, member: Member) -> None:
        for balancer_group in self._target_groups(group):
            balancer_group.deregister([{"Id": member.instance_id}])
        member.registered = False

    def _drained(self, group: Any, member: Member) -> bool:
        return not any(member.instance_id in self._targets.draining(each.arn) for each in self._target_groups(group))

    def _target_groups(self, group: Any) -> list[Any]:
        known = elbv2_backends[group.account_id][group.region].target_groups
        return [known[arn] for arn in group.target_group_arns or [] if arn in known]


def _hooks(group: Any) -> list[Any]:
    found: list[Any] = group.autoscaling_backend.describe_lifecycle_hooks(group.name)
    return found


def _launches_first(group: Any) -> bool:
    """Whether the group's maintenance policy has a replacement serve before what it replaces goes."""
    policy = getattr(group, "instance_maintenance_policy", None) or {}
    return int(policy.get("MinHealthyPercentage", 0)) >= 100


def _most(group: Any) -> int:
    """Instances at once while some are being replaced: one more than asked for, at least."""
    policy = getattr(group, "instance_maintenance_policy", None) or {}
    percent = int(policy.get("MaxHealthyPercentage", REPLACING_PERCENT))
    if getattr(group, "refreshing", False):
        percent = int(group.refresh_percent)
    desired: int = group.desired_capacity
    return max(desired + 1, math.floor(desired * percent / 100))
