"""An ALB's event as the app sees it, and the app's answer as an ALB wants it: Mangum's handler with two differences.

Mangum 0.22 makes the ASGI scope twice for every event and all casings of every header's name, a quarter of what an
invocation costs; and it reads `Host` and `X-Forwarded-Port` as numbers, so that a caller's strange header fails the
invocation, where the container lane answers. Here the scope is made once, and what is no port is no port.
"""

from __future__ import annotations

import base64
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from mangum.handlers import ALB
from mangum.types import Response, Scope


class AlbEvent(ALB):
    """One event of an ALB whose target group has multi-value headers on or off; answers as it was asked."""

    @cached_property
    def scope(self) -> Scope:
        event = self.event
        sent = event.get("multiValueHeaders") or {name: [text] for name, text in event["headers"].items()}
        headers = [[name.lower().encode(), text.encode()] for name, texts in sent.items() for text in texts]
        single = {name: [text] for name, text in (event.get("queryStringParameters") or {}).items()}
        query = event.get("multiValueQueryStringParameters") or single
        last = {bytes(name): value.decode() for name, value in headers}
        path: str = event["path"] or "/"
        return {
            "type": "http",
            "method": event["httpMethod"],
            "http_version": "1.1",
            "headers": headers,
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": last.get(b"x-forwarded-proto", "https"),
            "query_string": _query(query),
            "server": _server(last.get(b"host", ""), last.get(b"x-forwarded-port", "")),
            "client": (last.get(b"x-forwarded-for", ""), 0),
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "aws.event": event,
            "aws.context": self.context,
        }

    def __call__(self, response: Response) -> dict[str, Any]:
        if "multiValueHeaders" not in self.event:
            return super().__call__(response)
        headers: dict[str, list[str]] = {}
        for name, value in response["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        body, encoded = _text(response["body"], headers)
        return {
            "statusCode": response["status"],
            "multiValueHeaders": headers,
            "body": body,
            "isBase64Encoded": encoded,
        }


def _query(values: dict[str, list[str]]) -> bytes:
    """An ALB hands names and values on as they were sent, still percent-encoded."""
    return "&".join([f"{name}={text}" for name, texts in values.items() for text in texts]).encode()


def _server(host: str, forwarded_port: str) -> tuple[str, int]:
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):  # no port, the last colon being one of an IPv6 address
        name, port = host, forwarded_port
    return name, int(port) if port.isascii() and port.isdigit() else 80


def _text(body: bytes, headers: dict[str, list[str]]) -> tuple[str, bool]:
    """The body for a JSON answer, and whether that is base64: what is compressed or not said to be text is."""
    if not body:
        return "", False
    kind = headers.get("content-type", [""])[0]
    if "content-encoding" not in headers and ("json" in kind or kind.startswith("text/")):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True
