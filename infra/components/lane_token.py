"""The token that a request must carry to choose its lane: a secret that only who may read it can send."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.components.acknowledge import acknowledge
from infra.settings.edge import TOKEN_HEADER

# Letters and digits only: in a rule's condition * and ? stand for any characters. A condition's value may have 128
# characters and is compared without regard to case (HttpHeaderConditionConfig, Elastic Load Balancing API reference).
TOKEN_LENGTH = 48


class LaneToken(Construct):
    """Owns `secret`. `value` is what CloudFormation resolves when it makes or changes a rule, so that no template, event
    or output holds the token.

    The secret's name is generated: taking the header away and giving it back makes a new token.
    """

    def __init__(self, scope: Construct, id: str, *, stage_name: str) -> None:
        super().__init__(scope, id)
        self.secret = secretsmanager.Secret(
            self,
            "Secret",
            description=f"Crossover {stage_name}: sent as {TOKEN_HEADER}, lets a request choose its lane",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                exclude_punctuation=True, include_space=False, password_length=TOKEN_LENGTH
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(
            self.secret,
            "SMG4",
            "A rotated secret would not reach the listener rules, which CloudFormation fills in at deployment.",
        )

    @property
    def value(self) -> str:
        """A dynamic reference, `{{resolve:secretsmanager:…}}`."""
        return self.secret.secret_value.unsafe_unwrap()
