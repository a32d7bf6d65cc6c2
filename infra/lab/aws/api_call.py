"""Which call of the AWS API a request is: service, action and access key, as its signature and its protocol tell."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

CREDENTIAL = re.compile(r"Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/")
# Where the name that signs is not that of IAM's actions, or not botocore's name of the service.
IAM_NAMES = {"monitoring": "cloudwatch"}
BOTOCORE_NAMES = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
}


@dataclass(frozen=True, slots=True)
class ApiCall:
    """`name` is as IAM's policies have it: `elasticloadbalancing:ModifyRule`. `service` is botocore's name."""

    name: str
    service: str
    protocol: str
    key: str


def identify(environ: dict[str, Any]) -> ApiCall | None:
    """None for a request that is not signed: it is no call of the API. A form's body is read and put back."""
    signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if signed is None:
        return None
    key, signer = signed.groups()
    service = BOTOCORE_NAMES.get(signer, signer)
    return ApiCall(f"{IAM_NAMES.get(signer, signer)}:{_action(environ, service)}", service, _protocol(environ, service), key)


def _action(environ: dict[str, Any], service: str) -> str:
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return str(target).rpartition(".")[2]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return next(iter(parse_qs(_body(environ)).get("Action", [])), "?")
    try:
        operation, _ = get_service_router(service).match(Request(environ.copy()))
    except (HTTPException, NotImplementedError, UnknownServiceError):
        return "?"
    return str(operation.name)


def _protocol(environ: dict[str, Any], service: str) -> str:
    if environ.get("HTTP_X_AMZ_TARGET"):
        return "json"
    try:
        return str(get_service_model(service).protocol)
    except UnknownServiceError:
        return "query"


def _body(environ: dict[str, Any]) -> str:
    length = environ.get("CONTENT_LENGTH") or "0"
    body = environ["wsgi.input"].read(int(length)) if length.isdigit() else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return str(body, errors="replace")
