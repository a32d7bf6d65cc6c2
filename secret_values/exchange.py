"""One request over HTTP(S), tried again where trying again may help, with a limit on every step and one on all of it."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

PAUSES_S = (0.2, 0.8)
"""Before the second and the third attempt."""

LIMIT_S = 6.0
"""For all attempts: Lambda gives INIT 10 s, and imports need some of them."""

WORTH_TRYING = 0.25
"""No new attempt where less than this share of a step's time would be left to it."""

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


class _Time:
    """What is left: `step_s` for each step, and no more than `limit_s` from now."""

    def __init__(self, step_s: float, limit_s: float) -> None:
        self.step_s = step_s
        self.limit_s = limit_s
        self._end = time.monotonic() + limit_s

    def left_s(self) -> float:
        return self._end - time.monotonic()

    def for_step(self) -> float:
        """Raises `TimeoutError` when there is none left."""
        left_s = self.left_s()
        if left_s <= 0:
            raise TimeoutError
        return min(self.step_s, left_s)


def send(
    make: Callable[[], Request],
    *,
    timeout_s: float,
    limit_s: float = LIMIT_S,
    passing: Callable[[Answer], bool] = lambda answer: answer.status >= 500,
    pause: Callable[[float], None] = time.sleep,
) -> Answer:
    """Send what `make` makes, anew for each attempt (a signature holds its time). `timeout_s` limits each step: connecting to
    an address, TLS, sending, each read. `limit_s` limits all of them and the pauses together; only the resolver, whom we
    cannot interrupt, may take longer to find a name (the system's `resolv.conf` says how long). An answer that `passing` takes
    for a passing failure is returned when the last attempt has it too, or no time is left for another."""
    time_left = _Time(timeout_s, limit_s)
    for wait_s in (*PAUSES_S, None):
        try:
            answer = _send(make(), time_left)
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            if not _is_worth(wait_s, time_left):
                raise Unanswered(_reason(error, time_left)) from None
        else:
            if not passing(answer) or not _is_worth(wait_s, time_left):
                return answer
        assert wait_s is not None
        pause(wait_s)
    raise AssertionError("the last attempt returns or raises")


def _is_worth(wait_s: float | None, time_left: _Time) -> bool:
    """Whether there is another attempt, and time for it after its pause."""
    return wait_s is not None and time_left.left_s() - wait_s >= WORTH_TRYING * time_left.step_s


def _send(request: Request, time_left: _Time) -> Answer:
    parts = urlsplit(request.url)
    assert parts.hostname is not None
    tls = parts.scheme == "https"
    connection = http.client.HTTPConnection(parts.hostname, parts.port or (443 if tls else 80))
    try:
        connection.sock = _connected(parts.hostname, connection.port, time_left)
        connection.sock.settimeout(time_left.for_step())
        if tls:
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=parts.hostname)
            connection.sock.settimeout(time_left.for_step())
        connection.request(request.method, parts.path or "/", body=request.body or None, headers=dict(request.headers))
        with http.client.HTTPResponse(cast(Any, _Reading(connection.sock, time_left)), method=request.method) as response:
            response.begin()
            body = response.read(MAX_ANSWER_BYTES + 1)
            if len(body) > MAX_ANSWER_BYTES:
                raise http.client.HTTPException
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
    finally:
        connection.close()


def _connected(host: str, port: int, time_left: _Time) -> socket.socket:
    """To the first of the name's addresses that answers, as `socket.create_connection` does it, within what is left."""
    failure = OSError("the name has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(time_left.for_step())
            connected.connect(address)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # header and body are two writes
        except OSError as error:
            connected.close()
            failure = error
        else:
            return connected
    raise failure


class _Reading(io.RawIOBase):
    """A socket as `http.client` reads an answer from it, each read with the time that is left: one that comes byte by byte
    would keep within a limit on each read for hours."""

    def __init__(self, sock: socket.socket, time_left: _Time) -> None:
        self._sock = sock
        self._time_left = time_left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._time_left.for_step())
        return self._sock.recv_into(buffer)

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(self)


def _reason(error: Exception, time_left: _Time) -> str:
    """Said of the kind of error alone: a server's own words may be anything."""
    if isinstance(error, TimeoutError):
        return f"no answer within {time_left.step_s if time_left.left_s() > 0 else time_left.limit_s:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not valid for this name"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, http.client.HTTPException) and not isinstance(error, ConnectionError):
        return "no whole HTTP answer"
    return "no such host" if isinstance(error, socket.gaierror | UnicodeError) else "the connection failed"
