"""Loopback stand-ins: a server that answers from a script, an instance's metadata service, and moto's Secrets Manager."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import boto3
import pytest

from tests.conftest import ROOT, free_port

REGION = "eu-west-1"
ROLE = "crossover-instance"


class Asked(NamedTuple):
    """A request as it came; names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Told(NamedTuple):
    """What to answer: a status of 0 closes the connection without a word, one below 0 holds it for so many seconds."""

    status: float
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Double:
    """Answers each request with what `answer` makes of it."""

    def __init__(self, answer: Callable[[Asked], Told]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.url = ""


@contextmanager
def serving(answer: Callable[[Asked], Told], tls: ssl.SSLContext | None = None) -> Iterator[Double]:
    double = Double(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            double.asked.append(asked)
            told = double.answer(asked)
            if told.status < 0:
                time.sleep(-told.status)
            if told.status <= 0:
                return
            self.send_response(int(told.status))
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        do_PUT = do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        double.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
        try:
            yield double
        finally:
            server.shutdown()
            thread.join()


def metadata(asked: Asked) -> Told:
    """IMDSv2 of an instance with a role: a token first, then what it opens."""
    if asked.method == "PUT" and asked.path == "/latest/api/token":
        return Told(200, b"T0KEN==") if asked.headers.get("x-aws-ec2-metadata-token-ttl-seconds") else Told(400)
    if asked.headers.get("x-aws-ec2-metadata-token") != "T0KEN==":
        return Told(401)
    if asked.path == "/latest/meta-data/iam/security-credentials/":
        return Told(200, ROLE.encode())
    if asked.path == f"/latest/meta-data/iam/security-credentials/{ROLE}":
        found = {"Code": "Success", "AccessKeyId": "ASIAROLE", "SecretAccessKey": "role-secret", "Token": "role-token"}
        return Told(200, json.dumps(found).encode())
    return Told(404)


class Cloud:
    """moto's Secrets Manager."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client: Any = boto3.client(
            "secretsmanager", endpoint_url=url, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x"
        )

    def create(self, name: str, value: object) -> str:
        """The new secret's ARN; bytes are kept as they are, text too, all else as JSON."""
        kind = "SecretBinary" if isinstance(value, bytes) else "SecretString"
        stored = value if isinstance(value, bytes | str) else json.dumps(value)
        arn: str = self.client.create_secret(Name=name, **{kind: stored})["ARN"]
        return arn

    def environment(self, secret: str, **more: str) -> dict[str, str]:
        """What a process needs to read this secret."""
        keys = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "never-shown"}
        return {"CROSSOVER_SECRET": secret, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.url, **keys, **more}


@contextmanager
def moto_server() -> Iterator[Cloud]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            end = time.monotonic() + 30
            while True:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if server.poll() is not None or time.monotonic() > end:
                    pytest.fail("moto did not start")
                time.sleep(0.05)
            yield Cloud(f"http://127.0.0.1:{port}")
        finally:
            server.send_signal(signal.SIGKILL)
