"""Targets as Elastic Load Balancing reports them: what a load balancer found out, and what is draining.

moto's targets are healthy as soon as they are registered, and gone as soon as they are deregistered. Here the lab's load
balancer tells the state of each (`PUT /_lab/target-health`); a target group of which nothing was told stays as moto has it.
Source of states, reasons and the delay: "Health checks for Application Load Balancer target groups" and "Deregistration
delay", User Guide for Application Load Balancers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup, elbv2_backends

from infra.errors import InputError
from infra.lab.aws.lab_pages import LabPages, entries
from infra.lab.lab_time import LabTime

PAGE = "/_lab/target-health"
STATES = ("initial", "healthy", "unhealthy", "unused", "draining", "unavailable")
DELAY = "deregistration_delay.timeout_seconds"

_register = FakeTargetGroup.register
_health_for = FakeTargetGroup.health_for


@dataclass(frozen=True, slots=True)
class Health:
    """As in the API's TargetHealth."""

    state: str
    reason: str | None = None
    description: str | None = None


REGISTERING = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
UNUSED = Health("unused", "Target.NotRegistered", "Target is not registered to the target group")


class Targets:
    """By target group's ARN and target's id: `told` by the load balancer, `leaving` with the lab time at which it is gone."""

    def __init__(self, lab_time: LabTime) -> None:
        self._time = lab_time
        self._told: dict[str, dict[str, Health]] = {}
        self._leaving: dict[str, dict[str, tuple[Any, float]]] = {}

    def tell(self, told: Any) -> dict[str, Any]:
        """The page. A state of null forgets what was told; a target group with no targets is told of all the same."""
        known = {arn for account in elbv2_backends.values() for region in account.values() for arn in region.target_groups}
        read: dict[str, dict[str, Health | None]] = {}
        for arn, targets in entries(told, "target groups' ARNs and their targets").items():
            if arn not in known:
                raise InputError(f"{arn} is no target group here")
            read[arn] = {id: _health(id, each) for id, each in entries(targets, "targets' ids and their health").items()}
        for arn, states in read.items():
            kept = {id: health for id, health in self._told.get(arn, {}).items() if id not in states}
            self._told[arn] = kept | {id: health for id, health in states.items() if health is not None}
        return {}

    def state(self, arn: str, target: str) -> str | None:
        """What was told of a target; None where nothing was."""
        health = self._told.get(arn, {}).get(target)
        return None if health is None else health.state

    def knows(self, arn: str) -> bool:
        """Whether anything was ever told of its targets."""
        return arn in self._told

    def draining(self, arn: str) -> dict[str, Any]:
        """Ports of what is on its way out of a target group, by id."""
        now, leaving = self._time.now(), dict(self._leaving.get(arn, {}))
        return {id: port for id, (port, end) in leaving.items() if end > now}

    def register(self, group: Any, targets: list[dict[str, Any]]) -> None:
        _register(group, targets)
        for target in targets:
            self._leaving.get(group.arn, {}).pop(target["Id"], None)

    def deregister(self, group: Any, targets: list[dict[str, Any]]) -> None:
        """One that is not registered is no error (DeregisterTargets, Elastic Load Balancing API reference)."""
        for target in targets:
            registered = group.targets.pop(target["Id"], None)
            if registered is not None:
                self._let_go(group, registered)

    def deregister_terminated(self, group: Any, instances: list[str]) -> None:
        self.deregister(group, [{"Id": instance} for instance in instances])

    def _let_go(self, group: Any, target: dict[str, Any]) -> None:
        self._told.get(group.arn, {}).pop(target["Id"], None)
        if group.target_type != "lambda":
            end = self._time.now() + float(group.attributes[DELAY])
            self._leaving.setdefault(group.arn, {})[target["Id"]] = (target["Port"], end)

    def health_for(self, group: Any, target: dict[str, Any], ec2: Any) -> Any:
        """Takes the place of moto's."""
        id, leaving = target["Id"], self.draining(group.arn)
        if id in leaving:
            return _status(group, id, leaving[id], DRAINING)
        if id not in group.targets:
            return _status(group, id, target.get("Port", group.port), UNUSED)
        if group.arn not in self._told:
            return _health_for(group, target, ec2)
        return _status(group, id, group.targets[id]["Port"], self._told[group.arn].get(id, REGISTERING))

    def described(self, backend: Any, arn: str, targets: list[dict[str, Any]]) -> list[Any]:
        """Those asked for, else all that are registered or draining."""
        group = backend.target_groups.get(arn)
        if group is None:
            raise TargetGroupNotFoundError()
        asked = targets or [*group.targets.values(), *({"Id": id} for id in self.draining(arn))]
        return [self.health_for(group, target, backend.ec2_backend) for target in asked]


def _status(group: Any, target: str, port: Any, health: Health) -> Any:
    return FakeHealthStatus(target, port, group.health_check_port, health.state, health.reason, health.description)


def _health(target: str, told: Any) -> Health | None:
    if told is None:
        return None
    if not isinstance(told, dict) or told.get("State") not in STATES or set(told) - {"State", "Reason", "Description"}:
        raise InputError(f"{target}: must have a State of {', '.join(STATES)}, and may have a Reason and a Description")
    return Health(told["State"], told.get("Reason"), told.get("Description"))


def install(pages: LabPages, lab_time: LabTime) -> Targets:
    targets = Targets(lab_time)
    replacements: tuple[tuple[Any, str, Any], ...] = (
        (FakeTargetGroup, "register", lambda group, each: targets.register(group, each)),
        (FakeTargetGroup, "deregister", lambda group, each: targets.deregister(group, each)),
        (FakeTargetGroup, "deregister_terminated_instances", lambda group, ids: targets.deregister_terminated(group, ids)),
        (FakeTargetGroup, "health_for", lambda group, target, ec2_backend: targets.health_for(group, target, ec2_backend)),
        (
            ELBv2Backend,
            "describe_target_health",
            lambda backend, target_group_arn, targets_asked: targets.described(backend, target_group_arn, targets_asked),
        ),
    )
    for owner, name, ours in replacements:
        setattr(owner, name, ours)
    pages.add("PUT", PAGE, targets.tell)
    return targets
