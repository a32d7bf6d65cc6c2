"""The account's two quotas on vCPUs in the region: what they allow, what runs by now, and what a larger group would add.

Sources: Amazon EC2 User Guide, "On-Demand Instance quotas" and "Spot Instance quotas" (vCPUs of running instances, by their
type); Amazon EC2 Auto Scaling API Reference, InstancesDistribution.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

from infra.errors import KitError
from infra.switching.aws.calls import Aws, asked
from infra.switching.aws.fleet import Fleet, instance_types
from infra.switching.preflight import Quota
from infra.switching.weights import WHOLE

CODES = {"on demand": "L-1216C47A", "on spot": "L-34B43A08"}
"""Of Standard instances (Amazon EC2 endpoints and quotas, AWS General Reference)."""
STANDARD = re.compile(r"([acdhimrtz]|im|is)\d")
"""How their types begin: families A, C, D, H, I, M, R, T and Z, but not dl1, hpc7g, inf2 or trn1."""
PAGE = 1_000
"""The most that one call tells (DescribeInstances)."""


class VcpuQuotas:
    def __init__(self, aws: Aws, fleet: Fleet) -> None:
        self._aws, self._fleet = aws, fleet

    def for_group_of(self, units: int) -> tuple[Quota, ...]:
        """Both, were the group to have so many instances; none where they, or what runs, cannot be read, or others count."""
        try:
            allowed = {kind: self._allowed(code) for kind, code in CODES.items()}
            running, group = self._running(), self._fleet.group()
            types = instance_types(group)
            vcpus = self._fleet.vcpus_of({*types, *(each["InstanceType"] for each in running)})
        except KitError:
            return ()
        if not all(map(STANDARD.match, types)):
            return ()
        used: Counter[str] = Counter()
        for each in running:
            used[_kind(each)] += vcpus[each["InstanceType"]]
        of_group = {each["InstanceId"] for each in group["Instances"]}
        have = Counter(_kind(each) for each in running if each["InstanceId"] in of_group)
        size = max((vcpus[each] for each in types), default=0)
        wanted = _mixture(group, max(units, group["DesiredCapacity"]))
        return tuple(
            Quota(kind=kind, allowed=allowed[kind], used=used[kind], more=size * max(0, wanted[kind] - have[kind]))
            for kind in CODES
        )

    def _allowed(self, code: str) -> int:
        with asked("quotas"):
            answer = self._aws.client("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode=code)
        return int(answer["Quota"]["Value"])

    def _running(self) -> list[dict[str, Any]]:
        """Standard instances of the whole account, which may be thousands."""
        alive = {"Name": "instance-state-name", "Values": ["pending", "running"]}
        with asked("instances of the account"):
            pages = self._aws.client("ec2").get_paginator("describe_instances")
            return [
                each
                for page in pages.paginate(Filters=[alive], PaginationConfig={"PageSize": PAGE})
                for reservation in page["Reservations"]
                for each in reservation["Instances"]
                if STANDARD.match(each["InstanceType"])
            ]


def _kind(instance: dict[str, Any]) -> str:
    return "on spot" if instance.get("InstanceLifecycle") == "spot" else "on demand"


def _mixture(group: dict[str, Any], units: int) -> dict[str, int]:
    """How many of so many are of each kind; all on demand without a mixture, and the share above its base rounded up to it."""
    told = group.get("MixedInstancesPolicy", {}).get("InstancesDistribution", {})
    base = min(units, told.get("OnDemandBaseCapacity", 0))
    on_demand = base + math.ceil((units - base) * told.get("OnDemandPercentageAboveBaseCapacity", WHOLE) / WHOLE)
    return {"on demand": on_demand, "on spot": units - on_demand}
