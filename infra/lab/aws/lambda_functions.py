"""Lambda functions that can be run as deployed: the architecture and reservation of their templates, and each version's code,
where moto keeps the first, forgets the second in an update, and names an address outside the machine for the third."""

from __future__ import annotations

import copy
from typing import Any

from moto.awslambda.models import LambdaFunction, LambdaStorage

_create = LambdaFunction.create_from_cloudformation_json
_update = LambdaFunction.update_from_cloudformation_json
_get_code = LambdaFunction.get_code
_publish_version = LambdaStorage.publish_version


def create(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **more: Any) -> Any:
    function = _create(resource_name, cloudformation_json, account_id, region_name, **more)
    _complete(function, cloudformation_json["Properties"])
    return function


def update(original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> Any:
    function = _update(original_resource, new_resource_name, cloudformation_json, account_id, region_name)
    _complete(function, cloudformation_json["Properties"])
    return function


def _complete(function: Any, properties: dict[str, Any]) -> None:
    function.architectures = properties.get("Architectures", ["x86_64"])
    function.reserved_concurrency = properties.get("ReservedConcurrentExecutions")


def publish_version(storage: Any, name_or_arn: str, description: str = "") -> Any:
    """A version's code stays its own: moto's shares the place where it stands with the unpublished function."""
    version = _publish_version(storage, name_or_arn, description)
    if version is not None:
        version.code = copy.copy(version.code)
    return version


def install(url: str) -> None:
    """`url` is the server's own: code that was deployed from S3 is fetched from the bucket there, under a signed URL as on AWS;
    moto looks for a signature and not at it."""

    def get_code(function: Any) -> dict[str, Any]:
        answer: dict[str, Any] = _get_code(function)
        if "S3Bucket" in function.code:
            answer["Code"]["Location"] = f"{url}/{function.code['S3Bucket']}/{function.code['S3Key']}?Signature=local"
        return answer

    replacements: tuple[tuple[Any, str, Any], ...] = (
        (LambdaFunction, "create_from_cloudformation_json", staticmethod(create)),
        (LambdaFunction, "update_from_cloudformation_json", staticmethod(update)),
        (LambdaFunction, "get_code", get_code),
        (LambdaStorage, "publish_version", publish_version),
    )
    for owner, name, ours in replacements:
        setattr(owner, name, ours)
