"""A service that says what it was asked, and answers oddly where it is asked to: the lanes' parity is tested with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

ALL_BYTES = bytes(range(256))
JSON, TEXT, BINARY = (
    [(b"content-type", kind)] for kind in (b"application/json", b"text/plain; charset=utf-8", b"application/octet-stream")
)
COOKIES = [(b"set-cookie", b"a=1; Path=/"), (b"Set-Cookie", b"b=2; HttpOnly"), (b"set-cookie", b"c=3")]
VARIED = [(b"vary", b"accept"), (b"vary", b"accept-encoding")]

ANSWERS: dict[str, tuple[int, list[tuple[bytes, bytes]], list[bytes]]] = {
    "/answer/cookies": (200, [*JSON, *COOKIES, *VARIED], [b"{}"]),
    "/answer/one-cookie": (200, [*TEXT, COOKIES[0]], [b"one"]),
    "/answer/binary": (200, BINARY, [ALL_BYTES]),
    "/answer/text-that-is-none": (200, TEXT, [b"caf\xe9"]),
    "/answer/text": (200, TEXT, ["café ☕".encode()]),
    "/answer/xml": (200, [(b"content-type", b"application/xml")], ["<a>é</a>".encode()]),
    "/answer/no-type": (200, [], [b"some"]),
    "/answer/empty": (200, TEXT, [b""]),
    "/answer/pieces": (200, TEXT, [b"one, ", b"", b"two, ", b"three"]),
    "/answer/no-content": (204, [], []),
    "/answer/not-modified": (304, [(b"etag", b'"1"')], []),
    "/answer/redirect": (307, [(b"location", b"https://example.com/a%20b?c=%2F")], []),
    "/answer/unavailable": (503, [*JSON, (b"retry-after", b"7")], [b'{"error": "busy"}']),
    "/answer/teapot": (418, [*TEXT, (b"x-empty", b""), (b"x-utf8", "café".encode())], [b"short and stout"]),
    "/answer/half-a-megabyte": (200, TEXT, [b"x" * 512 * 1024]),
}

Send = Callable[[dict[str, Any]], Awaitable[None]]


async def app(scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            await send({"type": f"{event['type']}.complete"})
            if event["type"] == "lifespan.shutdown":
                return
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    if scope["path"] == "/answer/failure":
        raise RuntimeError("asked to fail")
    status, headers, pieces = ANSWERS.get(scope["path"]) or (200, JSON, [json.dumps(said(scope, body)).encode()])
    length = [] if status in (204, 304) else [(b"content-length", str(sum(map(len, pieces))).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def said(scope: dict[str, Any], body: bytes) -> dict[str, Any]:
    """What the server made of the request; headers by name, their values in the order in which they came."""
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return {
        **{name: scope[name] for name in ("type", "method", "scheme", "path", "root_path", "http_version")},
        "raw_path": scope["raw_path"].decode("latin-1"),
        "query_string": scope["query_string"].decode("latin-1"),
        "headers": headers,
        "client": scope["client"][0],
        "body": {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()},
    }


def create_app() -> Any:
    return app
