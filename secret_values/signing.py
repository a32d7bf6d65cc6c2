"""AWS Signature Version 4 (AWS documentation, "Create a signed AWS API request"), for requests without a query."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from secret_values.exchange import Request

ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """An access key, with its session token where it is a temporary one. `repr` shows nothing of it."""

    key_id: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"


def signed(request: Request, credentials: Credentials, *, region: str, service: str, at: datetime) -> Request:
    """The request with `Host`, `X-Amz-Date`, `X-Amz-Security-Token` (for temporary credentials) and `Authorization` added;
    every header given is signed. `at` is in UTC."""
    parts = urlsplit(request.url)
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    headers = {**request.headers, "Host": parts.netloc, "X-Amz-Date": stamp}
    if credentials.token:
        headers["X-Amz-Security-Token"] = credentials.token
    canonical = {name.lower(): " ".join(value.split()) for name, value in sorted(headers.items(), key=_lower_name)}
    names = ";".join(canonical)
    lines = [
        request.method,
        quote(parts.path or "/", safe="/~"),
        "",  # the query
        *(f"{name}:{value}" for name, value in canonical.items()),
        "",
        names,
        hashlib.sha256(request.body).hexdigest(),
    ]
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    signature = _hmac(_key(credentials, stamp[:8], region, service), "\n".join([ALGORITHM, stamp, scope, digest])).hex()
    credential = f"{credentials.key_id}/{scope}"
    headers["Authorization"] = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return request._replace(headers=headers)


def _lower_name(header: tuple[str, str]) -> str:
    return header[0].lower()


def _key(credentials: Credentials, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
