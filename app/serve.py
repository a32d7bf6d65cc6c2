"""The container lane's entry point: `python -m app.serve`, uvicorn with the settings this service needs.

uvloop and httptools; keep-alive longer than a load balancer's idle timeout, so that the server is never the one to close a
connection the load balancer is about to use; a graceful stop that lets requests in flight finish; workers that end with
their supervisor, however it dies.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

import uvicorn

from app.core.errors import ConfigurationError

KEEP_ALIVE_S = 75
"""Longer than an Application Load Balancer's default idle timeout of 60 s."""

GRACEFUL_STOP_S = 20
PR_SET_PDEATHSIG = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped. Returns the exit code: 0 stopped, 1 port in use, 2 wrong setting or argument."""
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
        print(f"app.serve: cannot listen on {options.host}:{options.port}: {os.strerror(error.errno or 0)}", file=sys.stderr)  # noqa: T201
        return 1
    config = uvicorn.Config(
        "app.serve:create_worker_app",
        factory=True,
        loop="uvloop",
        http="httptools",
        workers=options.workers,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_STOP_S,
        access_log=False,
        server_header=False,
        log_level="warning",
        backlog=2048,
    )
    server = uvicorn.Server(config)
    print(f"listening on http://{options.host}:{listener.getsockname()[1]}", flush=True)  # noqa: T201
    if options.workers == 1:
        server.run(sockets=[listener])
    else:
        from uvicorn.supervisors import Multiprocess

        os.environ["CROSSOVER_SUPERVISOR_PID"] = str(os.getpid())
        Multiprocess(config, sockets=[listener]).run()
    return 0


def create_worker_app() -> Any:
    """What each uvicorn process serves."""
    _end_with_supervisor()
    from app.bootstrap import create_app

    return create_app()


def _end_with_supervisor() -> None:
    """Ask Linux to stop this worker when its supervisor dies: stock uvicorn leaves orphans that hold the port."""
    supervisor = os.environ.get("CROSSOVER_SUPERVISOR_PID")
    if supervisor is None or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(supervisor):  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.create_server((host, port), backlog=2048)
    listener.set_inheritable(True)
    return listener


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.serve", description="Serve the search service over HTTP/1.1.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free port (default %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes, one event loop each (default %(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
