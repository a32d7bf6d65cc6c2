"""A secret of AWS Secrets Manager that holds the URL of a webhook."""

from __future__ import annotations

from infra.errors import KitError
from infra.switching.aws.calls import Aws, asked


def secret_text(aws: Aws, name: str) -> str:
    """Its text, by name or ARN. `KitError` where it is not there, may not be read, or is no text."""
    with asked(f"secret {name}"):
        text = aws.client("secretsmanager").get_secret_value(SecretId=name).get("SecretString")
    if not isinstance(text, str):
        raise KitError(f"secret {name}: holds no text")
    return text
