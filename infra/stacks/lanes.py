"""The two lanes, one stack each: both take the same release, and each brings the target group that leads to it."""

from __future__ import annotations

from aws_cdk import CfnOutput, Tags
from constructs import Construct

from infra.components.cache import Cache
from infra.components.container_lane import ContainerLane
from infra.components.lambda_lane import LambdaLane
from infra.components.network import Network
from infra.components.release import Release
from infra.config import Stage
from infra.stacks.stage_stack import StageStack


class LaneStack(StageStack):
    """A stack whose resources carry the lane's name, so that the bill can be split by lane."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, lane: str) -> None:
        super().__init__(scope, id, stage=stage, about=f"{lane} lane")
        Tags.of(self).add("crossover:lane", lane)


class LambdaStack(LaneStack):
    """Has `target_group` where a load balancer is in front, else the `Url` of its own front among its outputs. `network` is
    needed for Lambda Managed Instances only."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, release: Release, network: Network | None = None) -> None:
        super().__init__(scope, id, stage=stage, lane="lambda")
        self.lane = LambdaLane(self, "Lane", stage=stage, release=release, network=network)
        CfnOutput(self, "FunctionName", value=self.lane.function.function_name)
        self.target_group = self.lane.target_group.ref if self.lane.target_group is not None else None
        if self.target_group is not None:
            CfnOutput(self, "TargetGroup", value=self.target_group)
        if self.lane.url is not None:
            CfnOutput(self, "Url", value=self.lane.url)


class ContainerStack(LaneStack):
    def __init__(self, scope: Construct, id: str, *, stage: Stage, release: Release, network: Network) -> None:
        super().__init__(scope, id, stage=stage, lane="container")
        cache = Cache(self, "Cache", stage=stage, network=network) if stage.cache.kind != "none" else None
        self.lane = ContainerLane(self, "Lane", stage=stage, release=release, network=network, cache=cache)
        self.target_group: str = self.lane.target_group.ref
        CfnOutput(self, "AutoScalingGroupName", value=self.lane.group.auto_scaling_group_name)
        CfnOutput(self, "TargetGroup", value=self.target_group)
