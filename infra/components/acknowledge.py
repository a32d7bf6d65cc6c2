"""Records why a finding of the AwsSolutions rules stands: one rule, one construct, one reason."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept `rule` (as `VPC7`, or `IAM4[...]` with the finding's own suffix) on `construct` and what it contains."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason))
