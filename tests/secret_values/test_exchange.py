"""Attempts to ask: how often, and for how long at most."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from secret_values.exchange import Request, Unanswered, send
from tests.secret_values.doubles import Asked, Told, serving


@contextmanager
def dripping(every_s: float) -> Iterator[str]:
    """A server whose header never ends, one byte at a time."""
    ended = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
            while not ended.wait(every_s):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            ended.set()
            thread.join()


def took(url: str, *, timeout_s: float, limit_s: float) -> tuple[float, str]:
    """How long asking took, and why it failed."""
    started = time.monotonic()
    with pytest.raises(Unanswered) as failed:
        send(lambda: Request("GET", url, {}), timeout_s=timeout_s, limit_s=limit_s)
    return time.monotonic() - started, str(failed.value)


def test_a_server_that_hangs_at_each_attempt_is_given_up_within_the_limit() -> None:
    with serving(lambda _: Told(-1.5)) as server:
        seconds, reason = took(server.url, timeout_s=0.4, limit_s=0.9)  # 0.4, the pause of 0.2, the 0.3 that are left
        assert len(server.asked) == 2
    assert 0.85 < seconds < 1.3
    assert reason == "no answer within 0.9 s"


def test_no_attempt_begins_with_too_little_left() -> None:
    with serving(lambda _: Told(-1.5)) as server:
        seconds, reason = took(server.url, timeout_s=0.4, limit_s=0.65)
        assert len(server.asked) == 1
    assert 0.35 < seconds < 0.6
    assert reason == "no answer within 0.4 s"


def test_an_answer_that_comes_byte_by_byte_is_given_up_too() -> None:
    with dripping(0.05) as url:
        seconds, reason = took(url, timeout_s=0.3, limit_s=0.6)
    assert 0.55 < seconds < 1.0
    assert reason == "no answer within 0.6 s"


def test_a_passing_failure_is_returned_when_no_time_is_left_for_another_attempt() -> None:
    def late(_: Asked) -> Told:
        time.sleep(0.25)
        return Told(503)

    with serving(late) as server:
        answer = send(lambda: Request("GET", server.url, {}), timeout_s=1.0, limit_s=0.5)
        assert (answer.status, len(server.asked)) == (503, 1)


def test_the_addresses_of_a_name_are_tried_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _: Told(200, b"here")) as server:
        port = int(server.url.rpartition(":")[2])
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1)),
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        answer = send(lambda: Request("GET", f"http://two.example:{port}", {}), timeout_s=1.0)
    assert answer.body == b"here"
