"""An Application Load Balancer's language: HTTP to a target group's event and a function's answer to HTTP, and the headers that
a load balancer adds and takes away.

Source: Elastic Load Balancing, "Use Lambda functions as targets", "HTTP headers and Application Load Balancers" and "Request
tracing"; for paths, which those leave out, an event recorded of a real load balancer (hotsock/voker on GitHub,
`vokerhttp/testdata/alb-request.json`): percent-encoded as sent, as query values are. Where nothing is said (a text type whose
body is no UTF-8, a header that is none) the body is base64, and the header's odd bytes are replaced.
"""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Mapping

from aiohttp import web
from multidict import CIMultiDict

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"}
)
TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
TARGET_GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/lambda/0000000000000000"


def alb_event(
    request: web.BaseRequest,
    body: bytes,
    forwarded: Mapping[str, str],
    *,
    multi_value: bool,
    headers: Mapping[str, str] | None = None,
    target_group: str = TARGET_GROUP,
) -> dict[str, object]:
    """The event an ALB hands a Lambda target for this request, with the headers that it sets itself; `headers` where not all
    of the request's are handed on."""
    named: dict[str, list[str]] = {}
    for name, value in (request.headers if headers is None else headers).items():
        readable = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        named.setdefault(name.lower(), []).append(readable)
    named |= {name.lower(): [value] for name, value in forwarded.items()}
    target = request.rel_url.raw_path, request.rel_url.raw_query_string
    event = target_event(request.method, *target, named, body, text=is_text(named, body), multi_value=multi_value)
    return event | {"requestContext": {"elb": {"targetGroupArn": target_group}}}


def is_text(headers: Mapping[str, list[str]], body: bytes) -> bool:
    """Whether an ALB hands this body on as text and not as base64: never where a content coding is stated."""
    kind = headers.get("content-type", [""])[-1].lower()
    return "content-encoding" not in headers and kind.startswith(TEXT_TYPES) and _is_utf8(body)


def target_event(
    method: str, path: str, query_string: str, headers: Mapping[str, list[str]], body: bytes, *, text: bool, multi_value: bool
) -> dict[str, object]:
    """The event of these parts: query values stay percent-encoded, names of headers must be in lower case, a body is text
    where `text` says so and base64 else. Of a repeated header or parameter the single-value form keeps the last."""
    query: dict[str, list[str]] = {}
    for pair in query_string.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            query.setdefault(name, []).append(value)
    event: dict[str, object] = {
        "requestContext": {"elb": {"targetGroupArn": TARGET_GROUP}},
        "httpMethod": method,
        "path": path,
        "body": body.decode() if text and body else base64.b64encode(body).decode(),
        "isBase64Encoded": bool(body) and not text,
    }
    if multi_value:
        return event | {"multiValueHeaders": headers, "multiValueQueryStringParameters": query}
    single = {name: values[-1] for name, values in headers.items()}
    return event | {"headers": single, "queryStringParameters": {name: values[-1] for name, values in query.items()}}


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def forwarded_headers(request: web.BaseRequest, port: int, scheme: str = "http") -> dict[str, str]:
    """What an ALB sets, whatever the client sent: the client at the end of X-Forwarded-For, scheme, the listener's port, and
    a trace id of its own, as Self before the fields that the client gave."""
    before = ", ".join(request.headers.getall("X-Forwarded-For", []))
    client = request.remote or "127.0.0.1"
    trace = f"1-{int(time.time()):08x}-{random.getrandbits(96):024x}"
    fields = [part for part in request.headers.get("X-Amzn-Trace-Id", "").split(";") if part and not part.startswith("Self=")]
    return {
        "X-Forwarded-For": f"{before}, {client}" if before else client,
        "X-Forwarded-Proto": scheme,
        "X-Forwarded-Port": str(port),
        "X-Amzn-Trace-Id": ";".join([f"Self={trace}", *fields]) if fields else f"Root={trace}",
    }


def http_answer(payload: bytes, *, multi_value: bool, head: bool) -> web.Response | None:
    """A function's answer as HTTP, with the headers of the form that the target group uses; `None` for what
    is no such answer."""
    try:
        answer = json.loads(payload)
        status, body = int(answer["statusCode"]), answer.get("body") or ""
        content = base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode()
        if multi_value:
            pairs = [(name, str(value)) for name, values in (answer.get("multiValueHeaders") or {}).items() for value in values]
        else:
            pairs = [(name, str(value)) for name, value in (answer.get("headers") or {}).items()]
        headers = end_to_end(CIMultiDict(pairs))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not 200 <= status <= 599 or any(character in name + value for name, value in pairs for character in "\r\n\0"):
        return None
    if not head:
        headers.popall("Content-Length", None)
    return web.Response(status=status, headers=headers, body=b"" if head else content)


def end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Without those that are about one connection: the standard's own and what `Connection` names."""
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP | named)
