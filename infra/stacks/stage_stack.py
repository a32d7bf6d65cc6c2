"""What every stack of a stage shares: where it is deployed, and what its description says."""

from __future__ import annotations

from aws_cdk import DefaultStackSynthesizer, Environment, Stack
from constructs import Construct

from infra.config import Stage


class StageStack(Stack):
    """A stack in the stage's region and, where the stage names one, in its account: the CDK CLI then takes the
    credentials of no other."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, about: str) -> None:
        super().__init__(
            scope,
            id,
            env=Environment(account=stage.account, region=stage.region),
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            description=f"Crossover {stage.name}: {about}",
        )
