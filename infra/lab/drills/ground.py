"""The stage as it is before each drill: weights, sizes, no switch, every instance healthy; and again after it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from infra.errors import KitError
from infra.lab.live.lab import Lab
from infra.lab.operator import LabClock
from infra.switching.aws.calls import Aws
from infra.switching.aws.fleet import Fleet
from infra.switching.aws.lanes import AwsLanes
from infra.switching.aws.resources import find
from infra.switching.aws.store import RECORD_KEY
from infra.switching.aws.traffic import AwsTraffic
from infra.switching.weights import Weights, parse_weights

SERVICES = ("autoscaling", "cloudformation", "cloudwatch", "dynamodb", "ec2", "elbv2", "ssm")
SETTLED_S = 90.0
LAG_S = 60.0


@functools.cache
def ground_of(lab: Lab) -> Ground:
    """Of a lab that has just come up; the same one each time."""
    return Ground(lab)


class Ground:
    """Reads on making what `reset` brings back. Raises `KitError` where the stage does not become well."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        aws = Aws(lab.stage.region, {service: lab.aws.client(service) for service in SERVICES})
        self.resources = find(aws, lab.stage.name)
        self.traffic, self.fleet = AwsTraffic(aws, self.resources), Fleet(aws, self.resources)
        self._aws = aws
        self.sizes = self._sizes()
        self.weights = self.traffic.rule() or parse_weights("0:100")

    def reset(self) -> float:
        """Everything as it was; real seconds that it took."""
        began = time.monotonic()
        self._lab.repair()
        self.forget()
        self.put(self.weights)
        if self._sizes() != self.sizes:
            names = ("MinSize", "MaxSize", "DesiredCapacity")
            self._scaling.update_auto_scaling_group(
                AutoScalingGroupName=self.resources.group, **dict(zip(names, self.sizes, strict=True))
            )
        self.await_whole()
        return time.monotonic() - began

    def await_whole(self) -> None:
        """Until as many instances as are wanted are in service and healthy, and none comes or leaves."""
        self._await(self._whole, SETTLED_S, "the stage has not become well")

    def put(self, weights: Weights) -> None:
        """Traffic at once, by no switch; the record must be forgotten, or the next one asks who did it."""
        if self.traffic.rule() != weights or self.traffic.parameter() != weights:
            self.traffic.write(weights)

    def forget(self) -> None:
        """The last switch, ended or not; its history stays."""
        self._aws.client("dynamodb").delete_item(TableName=self.resources.table, Key=RECORD_KEY)

    def await_loop_lag(self) -> None:
        """Until the instances' first figures are in CloudWatch: before, no switch to them begins."""
        self._await(self._lag_told, LAG_S, "no instance has told its event-loop lag")

    def standing(self) -> list[dict[str, Any]]:
        """The group's instances, whatever their state."""
        found: list[dict[str, Any]] = self.fleet.group()["Instances"]
        return found

    def _whole(self) -> bool:
        return len(self.standing()) == self.sizes[2] == self.fleet.ready()

    def _lag_told(self) -> bool:
        return AwsLanes(self._aws, self.resources, LabClock(self._lab.time)).load().lag_told

    def _sizes(self) -> tuple[int, int, int]:
        group = self.fleet.group()
        return group["MinSize"], group["MaxSize"], group["DesiredCapacity"]

    @property
    def _scaling(self) -> Any:
        return self._aws.client("autoscaling")

    @staticmethod
    def _await(so: Callable[[], bool], limit_s: float, wrong: str) -> None:
        end = time.monotonic() + limit_s
        while not so():
            if time.monotonic() > end:
                raise KitError(f"{wrong} after {limit_s:g} s")
            time.sleep(0.2)
