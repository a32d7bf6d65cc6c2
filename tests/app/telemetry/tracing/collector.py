"""An OpenTelemetry collector's stand-in: takes OTLP/JSON over real HTTP, keeps it, and fails as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, NoReturn

EVERY_ONE = {"OTEL_TRACES_SAMPLER": "parentbased_always_on"}
"""A setting under which every search is traced."""


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    body: Any


class Collector:
    """`status` is what it answers with, after `delay_s` and while `answers` is set. `endless` is the part of its answer that
    has no end, `head` or `body`: `piece` bytes every `pause_s`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status = 200
        self.delay_s = 0.0
        self.answers = threading.Event()
        self.answers.set()
        self.endless: str | None = None
        self.piece, self.pause_s = 1, 0.05
        self.url = ""

    @property
    def spans(self) -> list[dict[str, Any]]:
        scopes = [scope for got in self.received for sent in got.body["resourceSpans"] for scope in sent["scopeSpans"]]
        return [span for scope in scopes for span in scope["spans"]]

    @property
    def resource(self) -> dict[str, Any]:
        return attributes(self.received[-1].body["resourceSpans"][0]["resource"])


def attributes(of: dict[str, Any]) -> dict[str, Any]:
    """Name -> value, 64-bit numbers read from their text."""
    return {pair["key"]: _value(pair["value"]) for pair in of["attributes"]}


def _value(value: dict[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    if kind == "arrayValue":
        return [_value(each) for each in inner["values"]]
    return int(inner) if kind == "intValue" else inner


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            time.sleep(collector.delay_s)
            collector.answers.wait()
            collector.received.append(Received(self.path, dict(self.headers), json.loads(body)))
            if collector.endless:
                self.never_end(collector.endless)
            self.send_response(collector.status)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def never_end(self, part: str) -> NoReturn:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" if part == "body" else b"x-endless: "))
            while True:  # until the caller has gone, which ends the thread with an error
                self.wfile.write(b"x" * collector.piece)
                time.sleep(collector.pause_s)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a caller that has given up
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield collector
    finally:
        collector.answers.set()
        server.shutdown()
        thread.join()
        server.server_close()
