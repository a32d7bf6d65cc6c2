"""The service on this instance, as its neighbours see it: over loopback, each time on a connection of its own.

`host` is another address than loopback's first where several instances share a machine, as in a lab.
"""

from __future__ import annotations

import http.client
import socket

LOOPBACK = "127.0.0.1"
TIMEOUT_S = 2.0


def is_ready(port: int, host: str = LOOPBACK) -> bool:
    answer = _get(host, port, "/readyz")
    return answer is not None and answer[0] == 200


def metrics(port: int, host: str = LOOPBACK) -> str | None:
    """`/metrics` of the worker that takes the connection; `None` where there is none."""
    answer = _get(host, port, "/metrics")
    return answer[1].decode("utf-8", "replace") if answer is not None and answer[0] == 200 else None


def is_listening(port: int, host: str = LOOPBACK) -> bool:
    """Whether anybody still takes connections there: the supervisor holds the socket until its last worker has ended."""
    try:
        socket.create_connection((host, port), TIMEOUT_S).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True


def _get(host: str, port: int, path: str) -> tuple[int, bytes] | None:
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
