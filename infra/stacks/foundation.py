"""The stack that the others stand on: the network, and the weights that the load balancer reads."""

from __future__ import annotations

from aws_cdk import CfnOutput, DefaultStackSynthesizer, Environment, Stack
from constructs import Construct

from infra.components.network import Network
from infra.components.traffic_weights import TrafficWeights
from infra.config import Stage


class FoundationStack(Stack):
    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id,
            env=Environment(region=stage.region),
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            description=f"Crossover {stage.name}: network and traffic weights",
        )
        self.network = Network(self, "Network", stage=stage)
        weights = TrafficWeights(self, "TrafficWeights", stage=stage)
        CfnOutput(self, "TrafficWeightsParameter", value=weights.parameter.ref)
