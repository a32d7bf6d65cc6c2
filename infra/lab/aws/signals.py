"""SignalResource, which moto lacks. A stack here waits for no signal: it is made at once, and refuses one as AWS does then."""

from __future__ import annotations

from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.responses import CloudFormationResponse


def signal_resource(response: Any) -> Any:
    stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))
    raise ValidationError(message=f"Stack {stack.stack_id} is in {stack.status} state and cannot be signaled")


def install() -> None:
    setattr(CloudFormationResponse, "signal_resource", signal_resource)  # noqa: B010
