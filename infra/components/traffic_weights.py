"""How requests are split between the lanes: one Systems Manager parameter, `<lambda weight>:<container weight>`.

One value for both weights, so that no reader ever sees half of a change. The stacks set it at first deployment; the
load balancer's rule reads it whenever its stack is deployed, so a later deployment keeps what a switch has written.
"""

from __future__ import annotations

from aws_cdk import CfnParameter, Fn, Token
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.config import Stage

WEIGHTS_PATTERN = r"^[0-9]{1,3}:[0-9]{1,3}$"


def weights_parameter_name(stage: Stage) -> str:
    """Name of the parameter, known without looking anything up: `/crossover/<stage>/traffic-weights`."""
    return f"/crossover/{stage.name}/traffic-weights"


class TrafficWeights(Construct):
    """Owns the parameter, holding the stage's weights until someone writes others."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id)
        lambda_weight, container_weight = stage.initial_weights
        self.parameter = ssm.CfnParameter(
            self,
            "Parameter",
            type="String",
            name=weights_parameter_name(stage),
            value=f"{lambda_weight}:{container_weight}",
            allowed_pattern=WEIGHTS_PATTERN,
            description="Weights of the load balancer's rule, <lambda>:<container>, 0 to 999 each",
        )


class DeployedWeights(Construct):
    """Reads the parameter at deployment: `lambda_weight` and `container_weight` resolve to its two numbers."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id)
        parameter = CfnParameter(
            self,
            "Parameter",
            type="AWS::SSM::Parameter::Value<String>",
            default=weights_parameter_name(stage),
            description="Weights <lambda>:<container>, read at deployment",
        )
        parts = Fn.split(":", parameter.value_as_string)
        self.lambda_weight = Token.as_number(Fn.select(0, parts))
        self.container_weight = Token.as_number(Fn.select(1, parts))
