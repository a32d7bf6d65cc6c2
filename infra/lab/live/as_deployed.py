"""What a live stage goes back to: the weights and sizes that it was deployed with, and no switch that anybody remembers."""

from __future__ import annotations

from infra.switching.aws.calls import Aws
from infra.switching.aws.fleet import Fleet
from infra.switching.aws.resources import Resources
from infra.switching.aws.store import RECORD_KEY
from infra.switching.aws.traffic import AwsTraffic
from infra.switching.weights import Weights, parse_weights

SIZES = ("MinSize", "MaxSize", "DesiredCapacity")


class AsDeployed:
    """Reads, on being made, what `restore` brings back. All of it blocks."""

    def __init__(self, aws: Aws, resources: Resources) -> None:
        self._aws, self.resources = aws, resources
        self.traffic, self.fleet = AwsTraffic(aws, resources), Fleet(aws, resources)
        self.sizes = self._sizes()
        self.weights = self.traffic.rule() or parse_weights("0:100")

    def restore(self) -> None:
        """At once: instances that are missing then take their time to come."""
        self.forget()
        self.put(self.weights)
        if self._sizes() != self.sizes:
            self._aws.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=self.resources.group, **self.sizes)

    def put(self, weights: Weights) -> bool:
        """Traffic at once, by no switch; the record must be forgotten, or the next one asks who did it. False: it is so."""
        if self.traffic.rule() == self.traffic.parameter() == weights:
            return False
        self.traffic.write(weights)
        return True

    def forget(self) -> None:
        """The last switch, ended or not; its history stays."""
        self._aws.client("dynamodb").delete_item(TableName=self.resources.table, Key=RECORD_KEY)

    def _sizes(self) -> dict[str, int]:
        group = self.fleet.group()
        return {name: group[name] for name in SIZES}
