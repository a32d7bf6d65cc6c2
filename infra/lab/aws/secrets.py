"""Secrets and keys in templates, as CloudFormation handles them and moto does not: generated secrets, the dynamic references
that read them, keys with tags."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.kms.models import Key
from moto.secretsmanager.models import secretsmanager_backends

DYNAMIC_REFERENCE = r"\{\{resolve:secretsmanager:(arn:[^:]+:secretsmanager:([^:]+):([^:]+):secret:[^:]+):SecretString:::\}\}"


class Secret(CloudFormationModel):
    """`AWS::SecretsManager::Secret` with a generated value, kept in moto's Secrets Manager."""

    __module__ = "moto.secretsmanager.models"

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SecretsManager::Secret"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Secret:
        backend = secretsmanager_backends[account_id][region_name]
        wanted = cloudformation_json["Properties"]["GenerateSecretString"]
        answer = backend.get_random_password(
            password_length=wanted.get("PasswordLength", 32),
            exclude_characters=wanted.get("ExcludeCharacters", ""),
            exclude_numbers=wanted.get("ExcludeNumbers", False),
            exclude_punctuation=wanted.get("ExcludePunctuation", False),
            exclude_uppercase=wanted.get("ExcludeUppercase", False),
            exclude_lowercase=wanted.get("ExcludeLowercase", False),
            include_space=wanted.get("IncludeSpace", False),
            require_each_included_type=wanted.get("RequireEachIncludedType", True),
        )
        backend.create_secret(
            name=resource_name,
            secret_string=json.loads(answer)["RandomPassword"],
            secret_binary=None,
            description=cloudformation_json["Properties"].get("Description"),
            tags=None,
            kms_key_id=None,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        return cls(backend.describe_secret(resource_name).arn)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        secretsmanager_backends[account_id][region_name].delete_secret(resource_name, None, True)


def resolving(clean: Any) -> Any:
    """moto's `clean_json`, which leaves dynamic references as they stand, with those to secrets resolved."""

    def value_of(reference: re.Match[str]) -> str:
        arn, region, account = reference.groups()
        return str(secretsmanager_backends[account][region].get_secret_value(arn, "", "")["SecretString"])

    def clean_json(resource_json: Any, resources_map: Any) -> Any:
        cleaned = clean(resource_json, resources_map)
        return re.sub(DYNAMIC_REFERENCE, value_of, cleaned) if isinstance(cleaned, str) else cleaned

    return clean_json


def with_kms_tags(create: Callable[..., Key]) -> Callable[..., Key]:
    """moto makes a key from a template with the tags as templates spell them, and looks for them as KMS's API does."""

    def from_template(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **more: Any) -> Key:
        properties = dict(cloudformation_json["Properties"])
        properties["Tags"] = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
        return create(resource_name, {**cloudformation_json, "Properties": properties}, account_id, region_name, **more)

    return from_template


def install() -> None:
    """Defining `Secret` has told moto of it already."""
    setattr(parsing, "clean_json", resolving(parsing.clean_json))  # noqa: B010 - moto asks for it by that name
    setattr(Key, "create_from_cloudformation_json", with_kms_tags(Key.create_from_cloudformation_json))  # noqa: B010
