"""Lambda in templates, as CloudFormation handles it and moto does not: aliases, function URLs, and versions
that can be asked for."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.awslambda.models import LambdaVersion
from moto.awslambda.utils import get_backend
from moto.core.common_models import CloudFormationModel

from infra.lab.aws.provisioned import Provisioned


class Alias(CloudFormationModel):
    """`AWS::Lambda::Alias`, kept in moto's Lambda backend."""

    __module__ = "moto.awslambda.models"  # moto files its models by the service in their module's name
    provisioned: ClassVar[Provisioned]

    def __init__(self, arn: str, function: str, name: str) -> None:
        self.physical_resource_id = arn
        self._function = function
        self._name = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Lambda::Alias"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Alias:
        properties = cloudformation_json["Properties"]
        function = properties["FunctionName"]
        alias = get_backend(account_id, region_name).create_alias(
            name=resource_name,
            function_name=function,
            function_version=properties["FunctionVersion"],
            description="",
            routing_config="",
        )
        cls._provision(account_id, region_name, properties, resource_name)
        return cls(alias.arn, function, resource_name)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Alias:
        """A new version: the alias is pointed at it."""
        backend, version = get_backend(account_id, region_name), cloudformation_json["Properties"]["FunctionVersion"]
        backend.update_alias(new_resource_name, original_resource._function, version, "", "")
        cls._provision(account_id, region_name, cloudformation_json["Properties"], new_resource_name)
        return cls(original_resource.physical_resource_id, original_resource._function, new_resource_name)

    @classmethod
    def _provision(cls, account_id: str, region_name: str, properties: dict[str, Any], name: str) -> None:
        """As many as the template asks for; what it does not ask for is taken away, as CloudFormation does."""
        backend, function = get_backend(account_id, region_name), properties["FunctionName"]
        asked = properties.get("ProvisionedConcurrencyConfig", {}).get("ProvisionedConcurrentExecutions")
        if asked:
            cls.provisioned.put(backend, function, name, int(asked))
        else:
            cls.provisioned.delete(backend, function, name)

    def delete(self, account_id: str, region_name: str) -> None:
        backend = get_backend(account_id, region_name)
        self.provisioned.delete(backend, self._function, self._name)
        backend.delete_alias(self._name, self._function)


class FunctionUrl(CloudFormationModel):
    """`AWS::Lambda::Url`, kept in moto's Lambda backend, which knows one a function and no qualifier."""

    __module__ = "moto.awslambda.models"

    def __init__(self, function: str, url: str) -> None:
        self.physical_resource_id = function
        self._url = url

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Lambda::Url"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in ("FunctionArn", "FunctionUrl")

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return {"FunctionArn": self.physical_resource_id, "FunctionUrl": self._url}[attribute_name]

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> FunctionUrl:
        properties = cloudformation_json["Properties"]
        function = properties["TargetFunctionArn"]
        config = get_backend(account_id, region_name).create_function_url_config(function, properties)
        return cls(function, config.url)

    def delete(self, account_id: str, region_name: str) -> None:
        get_backend(account_id, region_name).delete_function_url_config(self.physical_resource_id)


def _version_attribute(version: Any, name: str) -> str:
    """What `Fn::GetAtt` reads of an `AWS::Lambda::Version`."""
    return str({"Version": version.version}[name])


def install(provisioned: Provisioned) -> None:
    """Defining `Alias` and `FunctionUrl` has told moto of them already."""
    Alias.provisioned = provisioned
    setattr(LambdaVersion, "get_cfn_attribute", _version_attribute)  # noqa: B010 - moto asks for it by that name
