"""An ALB's event as the app sees it, and the app's answer as an ALB wants it (docs/parity.md).

In Mangum's place, for three reasons: it makes the ASGI scope twice for every event and all casings of every header's name, a
quarter of what an invocation costs; it reads `Host` and `X-Forwarded-Port` as numbers, so that a caller's strange header fails
the invocation, where the container lane answers; and it decodes and encodes again what an ALB passes on as it was sent.
Here the scope is made once, bytes stay as they were sent, and what is no port is no port.
"""

from __future__ import annotations

import base64
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from mangum.handlers import ALB
from mangum.handlers.alb import case_mutated_headers
from mangum.types import Response, Scope

SCHEMES = ("http", "https")


class AlbEvent(ALB):
    """One event of an ALB whose target group has multi-value headers on or off; answers as it was asked."""

    @cached_property
    def scope(self) -> Scope:
        event = self.event
        sent = event.get("multiValueHeaders")
        if sent is None:
            sent = {name: [text] for name, text in (event.get("headers") or {}).items()}
        headers = [[name.lower().encode(), text.encode()] for name, texts in sent.items() for text in texts]
        query = event.get("multiValueQueryStringParameters")
        if query is None:
            query = {name: [text] for name, text in (event.get("queryStringParameters") or {}).items()}
        last = {bytes(name): value.decode() for name, value in headers}
        path: str = event["path"] or "/"
        return {
            "type": "http",
            "method": event["httpMethod"],
            "http_version": "1.1",
            "headers": headers,
            "path": unquote(path) if "%" in path else path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": scheme_of(last.get(b"x-forwarded-proto", "")),
            "query_string": _query(query),
            "server": server_of(last.get(b"host", ""), last.get(b"x-forwarded-port", "")),
            # The load balancer appends the address it was called from; what stands before it is the caller's own word.
            "client": (last.get(b"x-forwarded-for", "").rpartition(",")[2].strip(), 0),
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "aws.event": event,
            "aws.context": self.context,
        }

    def __call__(self, response: Response) -> dict[str, Any]:
        """The answer in the form of the request, for an ALB reads that one only. Where a name may stand once, repeated headers
        (two `Set-Cookie`) differ in case: `set-cookie`, `Set-cookie`."""
        headers: dict[str, list[str]] = {}
        for name, value in response["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(header_text(value))
        body, encoded = body_of(self.event["httpMethod"], response, headers)
        answer: dict[str, Any] = {"statusCode": response["status"], "body": body, "isBase64Encoded": encoded}
        if self.event.get("multiValueHeaders") is not None:
            answer["multiValueHeaders"] = headers
        else:
            repeated = {name: values for name, values in headers.items() if len(values) > 1}
            answer["headers"] = {name: values[0] for name, values in headers.items() if len(values) == 1}
            answer["headers"] |= case_mutated_headers(repeated)
        return answer


def _query(values: dict[str, list[str]]) -> bytes:
    """An ALB hands names and values on as they were sent, still percent-encoded."""
    return "&".join([f"{name}={text}" for name, texts in values.items() for text in texts]).encode()


def scheme_of(forwarded: str) -> str:
    return forwarded if forwarded in SCHEMES else "https"


def server_of(host: str, forwarded_port: str) -> tuple[str, int]:
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):  # no port, the last colon being one of an IPv6 address
        name, port = host, forwarded_port
    return name, int(port) if len(port) < 6 and port.isascii() and port.isdigit() else 80


def header_text(value: bytes) -> str:
    """A header's value for a JSON answer, which the front sends as UTF-8: bytes that are UTF-8 stay the same."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def body_of(method: str, response: Response, headers: dict[str, list[str]]) -> tuple[str, bool]:
    """The body for a JSON answer, and whether that is base64: what is compressed or not said to be text is. An answer to HEAD
    has none, as little as on the container lane, and its length is not counted against the front's limit."""
    body = response["body"]
    if not body or method == "HEAD":
        return "", False
    kind = headers.get("content-type", ("",))[0]
    if "content-encoding" not in headers and ("json" in kind or kind.startswith("text/")):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True
