"""What a lane's role needs to read the one secret that the stage names: nothing where it names none."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

SUFFIX = "-??????"
"""Secrets Manager ends every secret's ARN with a hyphen and six characters of its own."""


def reading_policy(scope: Construct, secret: str | None) -> dict[str, iam.PolicyDocument]:
    """Inline policies of a role by name. A name means the secret of this account and region."""
    if secret is None:
        return {}
    arn = secret
    if not secret.startswith("arn:"):
        arn = Stack.of(scope).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{secret}{SUFFIX}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
    reads = iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[arn])
    return {"secret": iam.PolicyDocument(statements=[reads])}
