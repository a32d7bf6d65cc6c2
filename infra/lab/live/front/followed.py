"""Reads of elbv2, again and again, what a load balancer is to do, and lets what changed take effect late.

What CloudFormation or the switch changes is known to the load balancer's nodes some seconds later, and not to all of them at
once; `Delayed` is one node's view. Rules and registered targets are asked for each time, everything else more rarely, or when
a rule names a target group that is not known yet.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from infra.errors import KitError
from infra.lab.live.front.groups import Group, Target, group
from infra.lab.live.front.listeners import Listener, listener

SETTINGS_EVERY = 10
"""Attributes, health checks and the listener itself are read at every so many readings."""
NOT_REGISTERED = ("draining", "unused")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a load balancer was to do at one moment: `groups` and their registered targets by ARN."""

    listener: Listener
    groups: Mapping[str, Group]
    members: Mapping[str, frozenset[Target]]


class Reader:
    """Asks elbv2; call it from one thread at a time. `listener_port` None takes the listener that forwards to target groups."""

    def __init__(self, elbv2: Any, load_balancer: str, *, listener_port: int | None = None) -> None:
        self._elbv2 = elbv2
        self._load_balancer = load_balancer
        self._listener_port = listener_port
        self._left = 0
        self._attributes: dict[str, str] = {}
        self._described: dict[str, Any] = {}
        self._groups: dict[str, Group] = {}

    def read(self) -> Snapshot:
        """Raises `KitError` where there is no such listener, and what boto3 raises."""
        if self._left == 0:
            self._read_settings()
            self._left = SETTINGS_EVERY
        self._left -= 1
        found = listener(self._described, self._rules(self._described["ListenerArn"]), self._attributes)
        if unknown := found.group_arns() - self._groups.keys():
            self._groups |= self._read_groups(unknown)
        groups = {arn: self._groups[arn] for arn in sorted(found.group_arns())}
        return Snapshot(found, groups, {arn: self._members(each) for arn, each in groups.items()})

    def _read_settings(self) -> None:
        attributes = self._elbv2.describe_load_balancer_attributes(LoadBalancerArn=self._load_balancer)["Attributes"]
        self._attributes = _named(attributes)
        self._described = self._find_listener()
        self._groups |= self._read_groups(self._groups.keys())

    def _find_listener(self) -> dict[str, Any]:
        listeners = self._elbv2.describe_listeners(LoadBalancerArn=self._load_balancer)["Listeners"]
        if self._listener_port is not None:
            found = [each for each in listeners if each["Port"] == self._listener_port]
        else:
            found = [each for each in listeners if self._forwards(each["ListenerArn"])]
        if not found:
            which = "that forwards" if self._listener_port is None else f"on port {self._listener_port}"
            raise KitError(f"the load balancer {self._load_balancer} has no listener {which}")
        first: dict[str, Any] = found[0]
        return first

    def _forwards(self, arn: str) -> bool:
        return any(action["Type"] == "forward" for rule in self._rules(arn) for action in rule["Actions"])

    def _rules(self, arn: str) -> list[dict[str, Any]]:
        pages = self._elbv2.get_paginator("describe_rules").paginate(ListenerArn=arn)
        return [rule for page in pages for rule in page["Rules"]]

    def _read_groups(self, arns: Any) -> dict[str, Group]:
        """One by one: of several, one that has just been deleted would be an error for all."""
        found = {}
        for arn in sorted(arns):
            try:
                (described,) = self._elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
                attributes = self._elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
            except self._elbv2.exceptions.TargetGroupNotFoundException:
                continue
            found[arn] = group(described, _named(attributes))
        return found

    def _members(self, of: Group) -> frozenset[Target]:
        told = self._elbv2.describe_target_health(TargetGroupArn=of.arn)["TargetHealthDescriptions"]
        registered = [each["Target"] for each in told if each["TargetHealth"]["State"] not in NOT_REGISTERED]
        port = 0 if of.kind == "lambda" else of.port
        return frozenset(Target(each["Id"], port and int(each.get("Port") or port)) for each in registered)


def _named(attributes: list[dict[str, str]]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in attributes}


class Delayed(Generic[T]):
    """A value of which each change takes effect at a moment of its own."""

    def __init__(self, first: T) -> None:
        self._current = first
        self._coming: deque[tuple[float, T]] = deque()

    def learn(self, value: T, takes_effect_at: float) -> None:
        self._coming.append((takes_effect_at, value))

    def at(self, now: float) -> T:
        """`now` must never go back."""
        while self._coming and self._coming[0][0] <= now:
            self._current = self._coming.popleft()[1]
        return self._current


class Followed:
    """Reads every `every_s` real seconds in a thread and tells `changed` of each snapshot that is not the last one's equal.
    A reading that fails changes nothing: the load balancer goes on with what it knows, as its nodes do."""

    def __init__(self, reader: Reader, *, every_s: float, problem: Callable[[str], None] = lambda _: None) -> None:
        self._reader = reader
        self._every_s = every_s
        self._problem = problem
        self.readings = 0

    async def first(self) -> Snapshot:
        """Raises what `Reader.read` does: there is nothing to go on with yet."""
        return await asyncio.to_thread(self._reader.read)

    async def follow(self, last: Snapshot, changed: Callable[[Snapshot], None]) -> None:
        """Until cancelled."""
        from botocore.exceptions import BotoCoreError, ClientError

        while True:
            await asyncio.sleep(self._every_s)
            try:
                snapshot = await asyncio.to_thread(self._reader.read)
            except (BotoCoreError, ClientError, KitError, KeyError) as error:
                self._problem(f"elbv2: {error}")
                continue
            self.readings += 1
            if snapshot != last:
                last = snapshot
                changed(snapshot)
