"""Errors as AWS's services word them, each in its protocol ("Common Errors" of the API references; Smithy's AWS protocols)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from moto.core.utils import get_service_model

from infra.lab.aws.api_call import ApiCall

REQUEST_ID = "00000000-0000-0000-0000-00000000fa17"


@dataclass(frozen=True, slots=True)
class ApiError:
    status: int
    code: str
    message: str


THROTTLED = "Rate exceeded"
FAILED = "An internal error occurred: the lab was told to fail this call"
# By service where it has its own; others have their protocol's.
THROTTLING: dict[str, ApiError] = {
    "query": ApiError(400, "Throttling", THROTTLED),
    "json": ApiError(400, "ThrottlingException", THROTTLED),
    "rest-json": ApiError(429, "ThrottlingException", THROTTLED),
    "ec2": ApiError(503, "RequestLimitExceeded", "Request limit exceeded."),
    "lambda": ApiError(429, "TooManyRequestsException", THROTTLED),
    "s3": ApiError(503, "SlowDown", "Please reduce your request rate."),
    "service-quotas": ApiError(400, "TooManyRequestsException", THROTTLED),
}
FAILURE: dict[str, ApiError] = {
    "query": ApiError(500, "InternalFailure", FAILED),
    "json": ApiError(500, "InternalServerError", FAILED),
    "rest-json": ApiError(500, "InternalServerException", FAILED),
    "cloudwatch": ApiError(500, "InternalServiceFault", FAILED),
    "ec2": ApiError(500, "InternalError", FAILED),
    "lambda": ApiError(500, "ServiceException", FAILED),
    "s3": ApiError(500, "InternalError", FAILED),
}


def usual(kinds: Mapping[str, ApiError], call: ApiCall) -> ApiError:
    return kinds.get(call.service) or kinds.get(call.protocol) or kinds["query"]


def answer(call: ApiCall, error: ApiError) -> tuple[str, dict[str, str]]:
    """Body and headers."""
    if call.protocol in ("json", "rest-json"):
        return _json(call, error)
    code, message = escape(error.code), escape(error.message)
    fault = "Sender" if error.status < 500 else "Receiver"
    if call.protocol == "ec2":
        told = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        return f"{told}<RequestID>{REQUEST_ID}</RequestID></Response>", {"Content-Type": "text/xml"}
    if call.protocol == "rest-xml":
        told = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{REQUEST_ID}</RequestId></Error>"
        return told, {"Content-Type": "application/xml"}
    told = f"<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return f"{told}<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>", {"Content-Type": "text/xml"}


def _json(call: ApiCall, error: ApiError) -> tuple[str, dict[str, str]]:
    headers = {"X-Amzn-ErrorType": error.code, "x-amzn-RequestId": REQUEST_ID}
    if call.protocol == "rest-json":
        return json.dumps({"message": error.message}), {**headers, "Content-Type": "application/json"}
    if "awsQueryCompatible" in get_service_model(call.service).metadata:
        # What the service was called by before it spoke JSON: the client goes by that code.
        former = THROTTLING["query"].code if error.code == THROTTLING["json"].code else error.code
        headers["x-amzn-query-error"] = f"{former};{'Sender' if error.status < 500 else 'Receiver'}"
    told = {"__type": error.code, "message": error.message}
    return json.dumps(told), {**headers, "Content-Type": "application/x-amz-json-1.0"}
