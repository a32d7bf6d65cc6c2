"""One request over HTTP(S), with a limit on every step, tried again where trying again may help."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

PAUSES_S = (0.2, 0.8)
"""Before the second and the third attempt. All attempts must fit into the 10 s that Lambda gives INIT."""

MAX_ANSWER_BYTES = 1024 * 1024
"""A secret has at most 64 KiB (AWS Secrets Manager quotas)."""


class Request(NamedTuple):
    """A request to an absolute URL without a query. `repr` shows no header and no body."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    def __repr__(self) -> str:
        return f"Request({self.method!r}, {self.url!r})"


class Answer(NamedTuple):
    """An answer; names of headers are in lower case. `repr` shows the status only."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status})"


class Unanswered(Exception):
    """No whole answer came, in any attempt; the message is a few words on why."""


def send(
    make: Callable[[], Request],
    *,
    timeout_s: float,
    passing: Callable[[Answer], bool] = lambda answer: answer.status >= 500,
    pause: Callable[[float], None] = time.sleep,
) -> Answer:
    """Send what `make` makes, anew for each attempt (a signature holds its time). `timeout_s` limits connecting and each
    read. An answer that `passing` takes for a passing failure is returned when the last attempt has it too."""
    for wait_s in (*PAUSES_S, None):
        try:
            answer = _send(make(), timeout_s)
        except (OSError, http.client.HTTPException) as error:
            if wait_s is None:
                raise Unanswered(_reason(error, timeout_s)) from None
        else:
            if wait_s is None or not passing(answer):
                return answer
        pause(wait_s)
    raise AssertionError("the last attempt returns or raises")


def _send(request: Request, timeout_s: float) -> Answer:
    parts = urlsplit(request.url)
    assert parts.hostname is not None
    connection = (
        http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout_s, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    )
    try:
        connection.request(request.method, parts.path or "/", body=request.body or None, headers=dict(request.headers))
        with connection.getresponse() as response:
            body = response.read(MAX_ANSWER_BYTES + 1)
            if len(body) > MAX_ANSWER_BYTES:
                raise http.client.HTTPException
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
    finally:
        connection.close()


def _reason(error: Exception, timeout_s: float) -> str:
    """Said of the kind of error alone: a server's own words may be anything."""
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not valid for this name"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, http.client.HTTPException) and not isinstance(error, ConnectionError):
        return "no whole HTTP answer"
    return "no such host" if type(error).__name__ == "gaierror" else "the connection failed"
