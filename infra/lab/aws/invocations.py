"""Asynchronous invocations: what is asked of a function in templates, and events that wait for whoever runs functions here.

    POST /_lab/invocations   takes what has been accepted since: [{"function": arn, "event": text, "request_id": id}]

Lambda answers `Invoke` with the type `Event` at once with 202 and puts the event into a queue of its own; moto would run it,
in a container.
"""

from __future__ import annotations

import threading
import uuid
from typing import Any

from moto.awslambda.models import LambdaBackend
from moto.awslambda.utils import get_backend
from moto.core.common_models import CloudFormationModel

from infra.lab.aws.lab_pages import LabPages

PAGE = "/_lab/invocations"
SETTINGS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")

_invoke = LambdaBackend.invoke


class EventInvokeConfig(CloudFormationModel):
    """`AWS::Lambda::EventInvokeConfig`, kept in moto's Lambda backend, which knows one a function and no qualifier."""

    __module__ = "moto.awslambda.models"  # moto files its models by the service in their module's name

    def __init__(self, function: str) -> None:
        self.physical_resource_id = function

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Lambda::EventInvokeConfig"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> EventInvokeConfig:
        asked = cloudformation_json["Properties"]
        function = asked["FunctionName"]
        config = {name: asked[name] for name in SETTINGS if name in asked}
        backend = get_backend(account_id, region_name)
        backend.get_function(function).event_invoke_config.clear()  # moto would put it behind the former one
        backend.put_function_event_invoke_config(function, config)
        return cls(function)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> EventInvokeConfig:
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    def delete(self, account_id: str, region_name: str) -> None:
        get_backend(account_id, region_name).delete_function_event_invoke_config(self.physical_resource_id)


class Accepted:
    """Events that were accepted and not yet taken, oldest first."""

    def __init__(self) -> None:
        self._events: list[dict[str, str]] = []
        self._lock = threading.Lock()

    def add(self, function: str, event: str) -> str:
        """Its request id."""
        request_id = str(uuid.uuid4())
        with self._lock:
            self._events.append({"function": function, "event": event, "request_id": request_id})
        return request_id

    def take(self, _: Any = None) -> list[dict[str, str]]:
        with self._lock:
            taken, self._events = self._events, []
        return taken


def install(pages: LabPages) -> None:
    accepted = Accepted()

    def invoke(backend: Any, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any) -> Any:
        if headers.get("X-Amz-Invocation-Type") != "Event":
            return _invoke(backend, function_name, qualifier, body, headers, response_headers)
        function = backend.get_function(function_name, qualifier)
        text = body.decode() if isinstance(body, bytes) else body
        response_headers["x-amzn-RequestId"] = accepted.add(function.function_arn, text or "{}")
        return ""

    setattr(LambdaBackend, "invoke", invoke)  # noqa: B010
    pages.add("POST", PAGE, accepted.take)
