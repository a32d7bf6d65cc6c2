"""The stack in front: the load balancer and the split between the lanes. What a switch between lanes works on."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CfnOutput
from constructs import Construct

from infra.components.network import Network
from infra.components.traffic import LoadBalancing
from infra.config import Stage
from infra.stacks.stage_stack import StageStack


class TrafficStack(StageStack):
    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network, target_groups: Mapping[str, str]) -> None:
        super().__init__(scope, id, stage=stage, about="load balancer")
        self.balancing = LoadBalancing(self, "Traffic", stage=stage, network=network, target_groups=target_groups)
        scheme = "https" if stage.traffic.certificate_arn else "http"
        host = stage.traffic.domain or self.balancing.load_balancer.load_balancer_dns_name
        CfnOutput(self, "Url", value=f"{scheme}://{host}")
        CfnOutput(self, "SplitRule", value=self.balancing.split.ref)
        if self.balancing.token is not None:
            CfnOutput(self, "LaneTokenSecret", value=self.balancing.token.secret.secret_arn)
