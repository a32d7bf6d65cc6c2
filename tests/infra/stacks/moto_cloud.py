"""`python -m tests.infra.stacks.moto_cloud PORT`: moto's server with what its CloudFormation lacks for Lambda aliases.

Ends with the process that started it. moto logs what it skips in a template; the deployment test reads that log.
"""

from __future__ import annotations

import ctypes
import logging
import signal
import sys
from typing import Any

from moto.awslambda.models import LambdaVersion, get_backend
from moto.core.common_models import CloudFormationModel
from moto.server import main

PR_SET_PDEATHSIG = 1


class Alias(CloudFormationModel):
    """`AWS::Lambda::Alias`, kept in moto's Lambda backend."""

    __module__ = "moto.awslambda.models"  # moto files its models by the service in their module's name

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

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
        alias = get_backend(account_id, region_name).create_alias(
            name=resource_name,
            function_name=properties["FunctionName"],
            function_version=properties["FunctionVersion"],
            description="",
            routing_config="",
        )
        return cls(alias.arn)


def version_attribute(version: LambdaVersion, name: str) -> str:
    """What `Fn::GetAtt` reads of an `AWS::Lambda::Version`."""
    return str({"Version": version.version}[name])


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    LambdaVersion.get_cfn_attribute = version_attribute
    logging.basicConfig(level=logging.INFO)
    main(["--host", "127.0.0.1", "--port", sys.argv[1]])
