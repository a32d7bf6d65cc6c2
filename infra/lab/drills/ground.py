"""The stage as it is before each drill: weights, sizes, no switch, every instance healthy; and again after it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from infra.errors import KitError
from infra.lab.live.as_deployed import AsDeployed
from infra.lab.live.front.balancer import LAGS_S
from infra.lab.live.front.front import FOLLOW_EVERY_S
from infra.lab.live.lab import Lab
from infra.lab.operator import LabClock
from infra.switching.aws.calls import Aws
from infra.switching.aws.lanes import AwsLanes
from infra.switching.aws.resources import find
from infra.switching.aws.store import DynamoStore
from infra.switching.weights import Weights

SERVICES = ("autoscaling", "cloudformation", "cloudwatch", "dynamodb", "ec2", "elbv2", "scheduler", "sqs", "ssm")
SETTLED_S = 90.0
LAG_S = 60.0
SPARE_S = 0.3
"""For the load balancer to read what it follows, beside other work."""


@functools.cache
def ground_of(lab: Lab) -> Ground:
    """Of a lab that has just come up; the same one each time."""
    return Ground(lab)


class Ground(AsDeployed):
    """Read from a lab that has just come up. Raises `KitError` where the stage does not become well."""

    def __init__(self, lab: Lab) -> None:
        aws = Aws(lab.stage.region, {service: lab.aws.client(service) for service in SERVICES})
        super().__init__(aws, find(aws, lab.stage.name))
        self._lab = lab
        self.aws, self.store = aws, DynamoStore(aws, self.resources.table)

    def reset(self) -> float:
        """Everything as it was; real seconds that it took."""
        began = time.monotonic()
        self._lab.repair()
        self.restore()
        self.await_whole()
        return time.monotonic() - began

    def put(self, weights: Weights) -> bool:
        """Returns when the load balancer's nodes follow: what a drill's callers ask first is no part of a move."""
        written = super().put(weights)
        if written:
            time.sleep(FOLLOW_EVERY_S + self._lab.time.real_s(max(LAGS_S)) + SPARE_S)
        return written

    def await_whole(self) -> None:
        """Until as many instances as are wanted are in service and healthy, and none comes or leaves."""
        self.until(self._whole, SETTLED_S, "the stage has not become well")

    def await_loop_lag(self) -> None:
        """Until the instances' first figures are in CloudWatch: before, no switch to them begins."""
        self.until(self._lag_told, LAG_S, "no instance has told its event-loop lag")

    def standing(self) -> list[dict[str, Any]]:
        """The group's instances, whatever their state."""
        found: list[dict[str, Any]] = self.fleet.group()["Instances"]
        return found

    def _whole(self) -> bool:
        return len(self.standing()) == self.sizes["DesiredCapacity"] == self.fleet.ready()

    def _lag_told(self) -> bool:
        return AwsLanes(self._aws, self.resources, LabClock(self._lab.time)).load().lag_told

    @staticmethod
    def until(so: Callable[[], bool], limit_s: float, wrong: str) -> None:
        """`KitError` that says `wrong` where it is not so after so many real seconds."""
        end = time.monotonic() + limit_s
        while not so():
            if time.monotonic() > end:
                raise KitError(f"{wrong} after {limit_s:g} s")
            time.sleep(0.2)
