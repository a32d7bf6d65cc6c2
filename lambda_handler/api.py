"""The event of an HTTP API or a function URL (payload format 2.0) as the app sees it, and the answer in that format.

Mangum decodes the path, which both fronts hand on decoded already (`requestContext.http.path`), a second time. A function URL
also hands on the path as it was sent; an HTTP API does not, so `raw_path` is then made anew (docs/parity.md).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

from mangum.handlers.utils import maybe_encode_body
from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, Response, Scope

from lambda_handler.alb import body_of, header_text, scheme_of, server_of

FUNCTION_URL = ".lambda-url."
LITERAL = "/!$&'()*+,;=:@~"
"""What may stand in a path as it is (RFC 3986, 3.3), besides letters, digits, `-`, `.` and `_`."""


class ApiEvent:
    """One event in payload format 2.0."""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        return event.get("version") == "2.0" and "http" in event.get("requestContext", {})

    def __init__(self, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> None:
        self.event = event
        self.context = context

    @property
    def body(self) -> bytes:
        return maybe_encode_body(self.event.get("body") or b"", is_base64=self.event.get("isBase64Encoded", False))

    @cached_property
    def scope(self) -> Scope:
        event = self.event
        about = event["requestContext"]
        sent = {name.lower(): text for name, text in (event.get("headers") or {}).items()}
        if event.get("cookies"):
            sent.setdefault("cookie", "; ".join(event["cookies"]))  # an HTTP API takes them out of the headers
        path = event["rawPath"] or "/"
        as_sent = FUNCTION_URL in about.get("domainName", "")
        return {
            "type": "http",
            "method": about["http"]["method"],
            "http_version": "1.1",
            "headers": [[name.encode(), text.encode()] for name, text in sent.items()],
            "path": unquote(path) if as_sent else path,
            "raw_path": path.encode() if as_sent else quote(path, safe=LITERAL).encode(),
            "root_path": "",
            "scheme": scheme_of(sent.get("x-forwarded-proto", "")),
            "query_string": event.get("rawQueryString", "").encode(),
            "server": server_of(sent.get("host", ""), sent.get("x-forwarded-port", "")),
            "client": (about["http"].get("sourceIp", ""), 0),
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "aws.event": event,
            "aws.context": self.context,
        }

    def __call__(self, response: Response) -> dict[str, Any]:
        headers: dict[str, list[str]] = {}
        for name, value in response["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(header_text(value))
        body, encoded = body_of(self.event["requestContext"]["http"]["method"], response, headers)
        cookies = headers.pop("set-cookie", [])
        return {
            "statusCode": response["status"],
            "headers": {name: ",".join(values) for name, values in headers.items()},
            "cookies": cookies,
            "body": body,
            "isBase64Encoded": encoded,
        }
