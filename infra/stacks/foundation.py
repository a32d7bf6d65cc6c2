"""The stack that the others stand on: the network, and the weights that the load balancer reads."""

from __future__ import annotations

from aws_cdk import CfnOutput
from constructs import Construct

from infra.components.network import Network
from infra.components.switch_state import SwitchState
from infra.components.traffic_weights import TrafficWeights
from infra.config import Stage
from infra.stacks.stage_stack import StageStack


class FoundationStack(StageStack):
    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id, stage=stage, about="network and traffic weights")
        self.network = Network(self, "Network", stage=stage)
        SwitchState(self, "SwitchState")
        weights = TrafficWeights(self, "TrafficWeights", stage=stage)
        CfnOutput(self, "TrafficWeightsParameter", value=weights.parameter.ref)
