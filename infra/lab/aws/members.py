"""An instance of an autoscaling group, as the group sees it, and the lifecycle hooks that hold it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from moto.autoscaling.models import InstanceState

LAUNCHING, TERMINATING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"


@dataclass(slots=True)
class Wait:
    """One hook's action. `result` is CONTINUE or ABANDON once it is completed; `deadline` is in lab time."""

    hook: Any
    token: str
    deadline: float
    result: str | None = None

    def outcome(self, now: float) -> str | None:
        """None as long as it is waited for."""
        if self.result is None and now >= self.deadline:
            self.result = self.hook.default_result
        return self.result

    def extend(self, now: float) -> None:
        self.deadline = now + float(self.hook.heartbeat_timeout)


def begin_waits(hooks: Iterable[Any], transition: str, now: float, least_s: float = 0.0) -> list[Wait]:
    its = [hook for hook in hooks if hook.lifecycle_transition == transition]
    return [Wait(hook, str(uuid.uuid4()), now + max(float(hook.heartbeat_timeout), least_s)) for hook in its]


class Member(InstanceState):
    """`since` is when it came into its lifecycle state, `lost_at` when EC2 ended it; both in lab time. `registered`: the group
    has put it into its target groups, and not taken it out."""

    def __init__(self, instance: Any, group: Any, *, spot: bool, version: int | None, now: float, waits: list[Wait]) -> None:
        instance.autoscaling_group = group
        protected = group.new_instances_protected_from_scale_in
        super().__init__(instance, "Pending:Wait" if waits else "Pending", protected_from_scale_in=protected)
        self.spot = spot
        self.version = version
        self.since = now
        self.waits = waits
        self.booted = False
        self.registered = False
        self.lost_at: float | None = None

    @property
    def launch_template(self) -> dict[str, Any] | None:
        """With the version it was launched from, whatever the group's is by now."""
        template = self.auto_scaling_group.ec2_launch_template
        if template is None:
            return None
        return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": str(self.version)}

    @property
    def leaving(self) -> bool:
        return str(self.lifecycle_state).startswith("Terminating")

    @property
    def zone(self) -> str:
        return str(self.instance.placement.zone)

    def enter(self, state: str, now: float) -> None:
        self.lifecycle_state, self.since = state, now

    def outcome(self, now: float) -> str | None:
        """Of all the hooks that hold it: ABANDON as soon as one says so, CONTINUE when all do, else None."""
        outcomes = [wait.outcome(now) for wait in self.waits]
        if "ABANDON" in outcomes:
            return "ABANDON"
        return None if None in outcomes else "CONTINUE"


def members(group: Any) -> list[Member]:
    return [each for each in group.instance_states if isinstance(each, Member)]
