"""One call: an HTTP POST, or a command with the payload on its standard input. Both end within their time-out, whatever the
other side does, and a command's whole process group ends with it."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import IO, Any

from infra.settings.switching import shown_url

TAIL = 300
"""Characters of an answer or of a command's output that a reason quotes, from its end."""
MOST_BYTES = 64_000
POLL_S = 0.05
BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Outcome:
    """`again`: another attempt may go otherwise."""

    well: bool
    words: str = ""
    again: bool = False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is sent elsewhere would arrive as a GET without its body, and pass."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post(url: str, body: bytes, told: dict[str, Any], timeout_s: float, stop: threading.Event) -> Outcome:
    """2xx is well. The call has a thread of its own: a name that does not resolve, or an answer that comes byte by byte, holds
    no socket time-out."""
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.append(_post(url, body, told, timeout_s)), name="post", daemon=True)
    thread.start()
    until = time.monotonic() + timeout_s
    while not found and time.monotonic() < until and not stop.is_set():
        thread.join(POLL_S)
    return found[0] if found else Outcome(well=False, words=f"no answer within {timeout_s:g} s", again=True)


def _post(url: str, body: bytes, told: dict[str, Any], timeout_s: float) -> Outcome:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "crossover-switch",
        "X-Crossover-Event": told["event"],
        "X-Crossover-Delivery": told["id"],
    }
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - http(s) by target_of
        with opener.open(request, timeout=timeout_s) as answer:
            answer.read(MOST_BYTES)
        return Outcome(well=True)
    except urllib.error.HTTPError as error:
        with error:
            said = _tail(_body(error), url)
        words = f"HTTP {error.code}{f': {said}' if said else ''}"
        return Outcome(well=False, words=words, again=error.code >= 500 or error.code in BUSY)
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = _tail((str(getattr(error, "reason", None) or error) or type(error).__name__).encode(), url)
        return Outcome(well=False, words=f"no answer: {said}", again=True)


def _body(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(MOST_BYTES)
    except (OSError, http.client.HTTPException):
        return b""


def call(words: list[str], body: bytes, told: dict[str, Any], timeout_s: float, stop: threading.Event) -> Outcome:
    """Exit code 0 is well. No shell; standard output and error go to a file, which what the command leaves behind cannot hold
    open; what it started is killed with it, also when it ended well."""
    environment = {**os.environ, "CROSSOVER_EVENT": told["event"], "CROSSOVER_STAGE": told["stage"]}
    environment["CROSSOVER_DELIVERY"] = told["id"]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as given:
        given.write(body)
        given.seek(0)
        try:
            process = subprocess.Popen(
                words, stdin=given, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )
        except OSError as error:
            return Outcome(well=False, words=f"could not be started: {error.strerror or error}")
        try:
            code = _wait(process, timeout_s, stop)
        finally:
            _kill_group(process)
        said = _tail(_end_of(output))
    if code == 0:
        return Outcome(well=True)
    what = f"killed after {timeout_s:g} s" if code is None else f"exit code {code}" if code > 0 else f"ended by signal {-code}"
    return Outcome(well=False, words=f"{what}{f': {said}' if said else ''}")


def _wait(process: subprocess.Popen[bytes], timeout_s: float, stop: threading.Event) -> int | None:
    """Its exit code; None where it took too long, or the switch is over."""
    until = time.monotonic() + timeout_s
    while (code := process.poll()) is None and time.monotonic() < until and not stop.is_set():
        time.sleep(POLL_S)
    return code


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """The group is the process's own session (`start_new_session`); it may be left after the process itself has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing is left of it
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end_of(output: IO[bytes]) -> bytes:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - 4 * TAIL))
    return output.read()


def _tail(text: bytes, url: str | None = None) -> str:
    """One line of its end, without the URL."""
    said = " ".join(text.decode("utf-8", "replace").split())
    if url is not None:
        said = said.replace(url, shown_url(url)).replace(url.partition("://")[2].partition("/")[2] or "\0", "…")
    return said if len(said) <= TAIL else f"…{said[-TAIL:]}"
