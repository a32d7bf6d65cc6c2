"""What the app may know of the invocation: `scope["aws.context"]`, with the names that AWS's own context object has."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextvars import ContextVar

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the invocation that the running task belongs to; the log lines' `requestId`."""


class Context:
    """One invocation. `client_context` and `identity` are for mobile applications and always `None` here."""

    __slots__ = ("aws_request_id", "deadline_ms", "invocation_id", "invoked_function_arn", "tenant_id", "trace_id")

    function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
    memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
    log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
    client_context = identity = None

    def __init__(self, headers: Mapping[str, str]) -> None:
        """From the header fields of an answer to `/next`, names in lower case. Raises `KeyError` without an id."""
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.deadline_ms = int(headers.get("lambda-runtime-deadline-ms", 0))
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.trace_id = headers.get("lambda-runtime-trace-id")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self.invocation_id = headers.get("lambda-runtime-invocation-id")

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self.deadline_ms - int(time.time() * 1000))
