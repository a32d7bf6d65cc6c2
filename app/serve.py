"""The container lane's entry point: `python -m app.serve`, uvicorn with the settings this service needs.

uvloop and httptools; keep-alive longer than a load balancer's idle timeout, so that the server is never the one to close a
connection the load balancer is about to use; a graceful stop that lets requests in flight finish; workers that end with
their supervisor, however it dies.

On SIGTERM a worker is first a lame duck for `--lame-duck-s`: `/readyz` says 503 and every answer ends its connection, while
requests that still arrive are answered. A load balancer goes on sending for some seconds to a target that leaves.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import functools
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from types import FrameType, SimpleNamespace
from typing import Any, cast

import uvicorn

from app.core.errors import ConfigurationError

KEEP_ALIVE_S = 75
"""Longer than an Application Load Balancer's default idle timeout of 60 s."""

GRACEFUL_STOP_S = 20
ACCEPTED_AT_ONCE = 16
"""libuv accepts one connection per listening handle and turn of its loop (libuv/libuv#3696). A turn of a busy loop takes tens of
milliseconds, so new connections would wait for seconds behind searches that are admitted long after them."""

PR_SET_PDEATHSIG = 1
COLLECT_EVERY = (50_000, 20, 20)
"""Allocations between looks at the youngest objects; Python's own figure is 700 or 2,000."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped. Returns the exit code: 0 stopped, 1 cannot listen there, 2 wrong setting or argument."""
    options = _parse(arguments)
    try:
        from app.bootstrap import create_app

        create_app()  # a wrong setting or catalogue ends here with one line, not in a loop of dying workers
    except ConfigurationError as error:
        print(f"app.serve: {error}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        listener = _listen(options.host, options.port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else "no such host"  # below 0: the resolver's
        print(f"app.serve: cannot listen on {options.host}:{options.port}: {reason}", file=sys.stderr)  # noqa: T201
        return 1
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(f"listening on http://{host}:{listener.getsockname()[1]}", flush=True)  # noqa: T201
    _run(listener, options.workers, options.lame_duck_s)
    return 0


def _run(listener: socket.socket, workers: int, lame_duck_s: float) -> None:
    supervisor = os.getpid() if workers > 1 else None
    listeners = [listener, *(listener.dup() for _ in range(ACCEPTED_AT_ONCE - 1))]
    for each in listeners:
        each.set_inheritable(True)
    config = uvicorn.Config(
        functools.partial(create_worker_app, supervisor=supervisor, lame_duck_s=lame_duck_s),
        factory=True,
        loop="uvloop",
        http="httptools",
        workers=workers,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_STOP_S,
        access_log=False,
        server_header=False,
        log_level="warning",
        backlog=2048,
    )
    if workers > 1:
        from uvicorn.supervisors import Multiprocess

        Multiprocess(config, sockets=listeners).run()
        return
    # uvicorn stops gracefully and then raises the signal again, for whoever handled it before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=listeners)


def create_worker_app(*, supervisor: int | None = None, lame_duck_s: float = 0) -> Any:
    """What each uvicorn process serves; uvicorn calls this on its event loop, when its signal handlers are in place."""
    if supervisor is not None:
        _end_with(supervisor)
    from app.bootstrap import create_app

    app = create_app()
    _collect_less_often()
    if lame_duck_s:
        service = getattr(getattr(app, "state", None), "service", None)  # an app of the user's own may have none
        _drain_before_stopping(service if hasattr(service, "draining") else SimpleNamespace(draining=False), lame_duck_s)
    return app


def _collect_less_often() -> None:
    """What is there at start stays, and a search's objects hardly ever form cycles: looking for them 25 times less often
    saves CPU, and what does form one lives a little longer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)


def _drain_before_stopping(service: Any, lame_duck_s: float) -> None:
    """Put the lame-duck phase in front of uvicorn's own handling of SIGTERM; an interrupt still stops at once.
    `service.draining` is set for an app that looks at it."""
    loop = asyncio.get_running_loop()
    stop = cast(Callable[[int, FrameType | None], None], signal.getsignal(signal.SIGTERM))

    def drain(number: int, _: FrameType | None) -> None:
        if service.draining:  # told twice: by the supervisor, and by systemd, which signals every process
            return
        service.draining = True
        loop.call_soon_threadsafe(loop.call_later, lame_duck_s, stop, number, None)

    signal.signal(signal.SIGTERM, drain)


def _end_with(supervisor: int) -> None:
    """Ask Linux to stop this worker when its supervisor dies: stock uvicorn leaves orphans that hold the port."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    listener.set_inheritable(True)
    return listener


def _number_from(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from {low} to {high}")
        return int(text)

    return read


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.serve", description="Serve the search service over HTTP/1.1.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=_number_from(0, 65_535), default=8000, help="0 takes a free port (default %(default)s)")
    parser.add_argument(
        "--workers", type=_number_from(1, 256), default=1, help="processes, one event loop each (default %(default)s)"
    )
    parser.add_argument(
        "--lame-duck-s",
        type=_number_from(0, 300),
        default=0,
        metavar="SECONDS",
        help="seconds to go on answering, unready, between SIGTERM and the graceful stop (default %(default)s)",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
