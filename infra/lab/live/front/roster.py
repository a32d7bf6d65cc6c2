"""Who may be given requests: registered targets, those that have left and are still asked for a while, and their health.

A target that is deregistered goes on getting new requests for some seconds, until every node knows (about 17 s are reported in
kubernetes-sigs/aws-load-balancer-controller#2366); what it has in flight may end until the group's deregistration delay is
over, here never before the last node knows, and is cut off then. All moments are lab seconds since 1970.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.lab.live.front.followed import Snapshot
from infra.lab.live.front.groups import Group, HealthCheck, Target
from infra.lab.live.front.health import HEALTHY, NOT_CHECKED, REGISTERED, UNHEALTHY, Result, Status, after

LEAK_S = 17.0


@dataclass(slots=True)
class Member:
    """`left_at`: when it was deregistered; `ends_at`: when what it still has in flight is cut off. `ramps_from`: since when it
    is in slow start."""

    registered_at: float
    status: Status
    left_at: float = math.inf
    ends_at: float = math.inf
    ramps_from: float | None = None


class Roster:
    """The members of every target group, one for all nodes of a load balancer."""

    def __init__(self, first: Snapshot, *, leak_s: float = LEAK_S) -> None:
        self._leak_s = leak_s
        self._groups: dict[str, Group] = {}
        self._members: dict[str, dict[Target, Member]] = {}
        self.learn(first, -math.inf)

    def learn(self, snapshot: Snapshot, now: float) -> None:
        """Compare with what was known, at the moment it was read."""
        self._groups |= snapshot.groups
        self._named = snapshot.groups.keys()
        for arn in {*self._members, *snapshot.members}:
            known, registered = self._members.setdefault(arn, {}), snapshot.members.get(arn, frozenset())
            for target in registered:
                if target not in known or known[target].left_at < math.inf:
                    known[target] = Member(now, NOT_CHECKED if self._groups[arn].health is None else REGISTERED)
            for target, member in known.items():
                if target not in registered and member.left_at == math.inf:
                    delay_s = self._groups[arn].deregistration_delay_s
                    member.left_at, member.ends_at = now, now + max(delay_s, self._leak_s)

    def checked(self) -> Iterator[tuple[Group, HealthCheck, Target]]:
        """Each registered target that is to be checked."""
        for arn, members in self._members.items():
            group = self._groups[arn]
            if group.health is not None:
                yield from ((group, group.health, t) for t, member in members.items() if member.left_at == math.inf)

    def result(self, arn: str, target: Target, result: Result, now: float) -> bool:
        """Note how a check ended; whether that changed what is told of the target."""
        group, members = self._groups[arn], self._members[arn]
        member = members.get(target)
        if member is None or group.health is None or member.left_at < math.inf:
            return False
        before, member.status = member.status, after(member.status, result, group.health, now)
        if member.status.state != HEALTHY:
            member.ramps_from = None
        elif before.state != HEALTHY and group.slow_start_s and self._others_serve(group, target, now):
            member.ramps_from = now
        return before.told() != member.status.told()

    def _others_serve(self, group: Group, target: Target, now: float) -> bool:
        """Slow start needs another healthy target that is not in it ("Slow start mode" in the target groups' attributes)."""
        return any(
            member.status.state == HEALTHY and self._share(group, member, now) == 1.0
            for each, member in self._members[group.arn].items()
            if each != target and member.left_at == math.inf
        )

    def candidates(self, group: Group, now: float, lag_s: float) -> list[Target]:
        """Whom a node that learns of changes `lag_s` late may ask: the healthy ones, or all of them when too few are. Empty
        where nothing is registered."""
        members = self._members.get(group.arn, {})
        asked = [
            (target, member)
            for target, member in members.items()
            if member.registered_at + lag_s <= now < member.left_at + self._leak_s
        ]
        if group.health is None:
            return [target for target, _ in asked]
        healthy = [target for target, member in asked if member.status.state == HEALTHY]
        return [target for target, _ in asked] if group.fails_open(len(healthy), len(asked)) else healthy

    def share(self, group: Group, target: Target, now: float) -> float:
        """What a target is given of a full share: less than 1 in slow start, linear in time."""
        member = self._members.get(group.arn, {}).get(target)
        return 1.0 if member is None else self._share(group, member, now)

    def _share(self, group: Group, member: Member, now: float) -> float:
        if member.ramps_from is None or not group.slow_start_s:
            return 1.0
        return min(1.0, (now - member.ramps_from) / group.slow_start_s)

    def over(self, now: float) -> list[tuple[str, Target, float]]:
        """Those whose deregistration delay is over, and how long it was; they are forgotten."""
        all_of_them = [(arn, t, member) for arn, members in self._members.items() for t, member in members.items()]
        gone = [(arn, t, member.ends_at - member.left_at) for arn, t, member in all_of_them if member.ends_at <= now]
        for arn, target, _ in gone:
            del self._members[arn][target]
        return gone

    def hosts(self) -> Mapping[str, tuple[int, int]]:
        """Healthy and unhealthy registered targets of each group that is checked and has any."""
        counts = {}
        for arn, members in self._members.items():
            states = [member.status.state for member in members.values() if member.left_at == math.inf]
            if states and self._groups[arn].health is not None:
                counts[arn] = (states.count(HEALTHY), states.count(UNHEALTHY))
        return counts

    def told(self) -> dict[str, dict[str, dict[str, str] | None]]:
        """What DescribeTargetHealth is to say, by target group and target; None for one that has left, of which AWS itself
        knows whether it drains. Groups that no rule names any more may be deleted, and are left out."""
        return {
            arn: {t.id: m.status.told() if m.left_at == math.inf else None for t, m in members.items()}
            for arn, members in self._members.items()
            if arn in self._named
        }
