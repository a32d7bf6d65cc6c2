"""Refuses calls that were signed by a clock that is wrong, as AWS does.

"In most cases, a request must reach AWS within five minutes of the time stamp in the request" (IAM User Guide, "AWS Signature
Version 4 for API requests"). The signature is by real time, in a lab of any speed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.wrappers import Response

from infra.lab.aws.api_call import identify
from infra.lab.aws.api_errors import ApiError, answer

MOST_S = 300.0
FORM = "%Y%m%dT%H%M%SZ"
# The code is the protocol's; the message begins alike in all of them but S3's.
CODES = {"json": (400, "InvalidSignatureException"), "rest-json": (403, "InvalidSignatureException")}
S3 = ApiError(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")


def refusal(stamp: str, now: float, *, protocol: str, service: str) -> ApiError | None:
    """Of a request with this `X-Amz-Date`; None where it is near enough to `now` (seconds since 1970), or none at all."""
    try:
        signed = datetime.strptime(stamp, FORM).replace(tzinfo=UTC)
    except ValueError:
        return None
    served = datetime.fromtimestamp(now, UTC)
    if abs((signed - served).total_seconds()) <= MOST_S:
        return None
    if service == "s3":
        return S3
    early = signed < served
    edge = served - timedelta(seconds=MOST_S) if early else served + timedelta(seconds=MOST_S)
    told = "Signature expired" if early else "Signature not yet current"
    than = "now earlier" if early else "still later"
    by = f"{served.strftime(FORM)} {'-' if early else '+'} 5 min."
    status, code = CODES.get(protocol, (403, "SignatureDoesNotMatch"))
    return ApiError(status, code, f"{told}: {signed.strftime(FORM)} is {than} than {edge.strftime(FORM)} ({by})")


def install() -> None:
    """Before moto sees the request."""
    to_moto = DomainDispatcherApplication.__call__

    def call(dispatcher: Any, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        stamp = environ.get("HTTP_X_AMZ_DATE", "")
        if refusal(stamp, time.time(), protocol="", service="") is not None:
            made = identify(environ)
            error = made and refusal(stamp, time.time(), protocol=made.protocol, service=made.service)
            if made and error:
                body, headers = answer(made, error)
                return Response(body, status=error.status, headers=headers)(environ, start_response)
        answered: Iterable[bytes] = to_moto(dispatcher, environ, start_response)
        return answered

    setattr(DomainDispatcherApplication, "__call__", call)  # noqa: B010
