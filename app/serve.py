"""The container lane's entry point: `python -m app.serve`. Listens, then keeps workers serving until told to stop.

How workers are recycled, watched and drained: docs/serving.md.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence

from app.serving.supervisor import Supervisor


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped. Returns the exit code: 0 stopped, 1 cannot listen there or no worker starts, 2 wrong setting or
    argument."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        listener = _listen(options.host, options.port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else "no such host"  # below 0: the resolver's
        print(f"app.serve: cannot listen on {options.host}:{options.port}: {reason}", file=sys.stderr)  # noqa: T201
        return 1
    return Supervisor(
        listener,
        workers=options.workers,
        recycle_after=options.recycle_after,
        lame_duck_s=options.lame_duck_s,
        debug=options.debug,
        console_port=options.console_port,
    ).run()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def _number_from(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from {low} to {high}")
        return int(text)

    return read


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m app.serve",
        description="Serve the search service over HTTP/1.1. SIGTERM drains and stops, SIGHUP replaces every worker in turn.",
        epilog="example: python -m app.serve --port 8000 --workers 2 --recycle-after 50000 --lame-duck-s 10",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=_number_from(0, 65_535), default=8000, help="0 takes a free port (default %(default)s)")
    parser.add_argument(
        "--workers", type=_number_from(1, 256), default=1, help="processes, one event loop each (default %(default)s)"
    )
    parser.add_argument(
        "--recycle-after",
        type=_number_from(0, 999_999_999),
        default=0,
        metavar="REQUESTS",
        help="replace a worker after so many requests, give or take a fifth; 0 is never (default %(default)s)",
    )
    parser.add_argument(
        "--lame-duck-s",
        type=_number_from(0, 300),
        default=0,
        metavar="SECONDS",
        help="seconds to go on answering, unready, between SIGTERM and the graceful stop (default %(default)s)",
    )
    parser.add_argument(
        "--debug", action="store_true", help="asyncio's debug mode: log callbacks above 1 ms; blocked workers are not killed"
    )
    parser.add_argument(
        "--console-port",
        type=_number_from(1, 65_535),
        metavar="PORT",
        help="a console into the running loop (aiomonitor) on this loopback port; one worker only",
    )
    options = parser.parse_args(arguments)
    if options.console_port is not None and options.workers > 1:
        parser.error("--console-port: give it with --workers 1")
    return options


if __name__ == "__main__":
    sys.exit(main())
