"""Pages on which the lab tells what becomes of instances: that one has booted, that a spot instance is to be reclaimed.

    PUT  /_lab/instances           {"i-…": "running"}: a group without a launching hook puts it into service then
    POST /_lab/spot-interruption   {"instance-ids": ["i-…"], "notice-s": 120}: EC2 ends them so many lab seconds later
    GET  /_lab/spot-interruption   {"i-…": {"action": "terminate", "time": "…Z"}}: what the metadata of each says

A group with Capacity Rebalancing launches the replacements as soon as the notice is given.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from infra.errors import InputError
from infra.lab.aws.groups import Groups
from infra.lab.aws.lab_pages import LabPages, entries

NOTICE_S = 120.0


class InstancePages:
    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def tell(self, told: Any) -> dict[str, Any]:
        """Instances that no group has any more are left out of account, and named in the answer."""
        states = entries(told, "instances' ids and their states")
        for instance, state in states.items():
            if state != "running":
                raise InputError(f"{instance}: its state must be running")
        with self._groups.lock:
            members = {instance: self._groups.member(instance) for instance in states}
            for member in members.values():
                if member is not None:
                    member.booted = True
            self._groups.settle_all()
        return {"ignored": [instance for instance, member in members.items() if member is None]}

    def interrupt(self, told: Any) -> dict[str, Any]:
        body = entries(told, "instance-ids and notice-s")
        ids, notice = body.get("instance-ids"), body.get("notice-s", NOTICE_S)
        if not isinstance(ids, list) or not ids or set(body) - {"instance-ids", "notice-s"}:
            raise InputError("the body must be an object of instance-ids, a list, and notice-s")
        if isinstance(notice, bool) or not isinstance(notice, int | float) or notice < 0:
            raise InputError("notice-s must be a number of lab seconds, not below 0")
        with self._groups.lock:
            self._groups.settle_all()
            members = [self._spot(instance) for instance in ids]
            for member in members:
                self._groups.pools.reclaim(member.instance_type, member.zone, self._groups.now())
                self._groups.reclaimed.setdefault(member.instance_id, self._groups.now() + notice)
            self._groups.settle_all()
        return self.interrupted(None)

    def _spot(self, instance: str) -> Any:
        member = self._groups.member(instance)
        if member is None:
            raise InputError(f"{instance} is no instance of a group here")
        if not member.spot:
            raise InputError(f"{instance} is on demand: only spot instances are reclaimed")
        return member

    def interrupted(self, _: Any) -> dict[str, Any]:
        return {
            instance: {"action": "terminate", "time": datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
            for instance, end in list(self._groups.reclaimed.items())
            if self._groups.member(instance) is not None
        }


def install(pages: LabPages, groups: Groups) -> None:
    its = InstancePages(groups)
    pages.add("PUT", "/_lab/instances", its.tell)
    pages.add("POST", "/_lab/spot-interruption", its.interrupt)
    pages.add("GET", "/_lab/spot-interruption", its.interrupted)
