"""One worker: uvicorn with the settings this service needs, on an inherited socket, under a supervisor.

uvloop and httptools; keep-alive longer than a load balancer's idle timeout, so that the server is never the one to close a
connection the load balancer is about to use; a graceful stop that lets requests in flight finish.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import faulthandler
import gc
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from types import FrameType
from typing import Any

import uvicorn
import uvloop

from app.core.errors import ConfigurationError
from app.serving.debugging import console, slow_callbacks
from app.serving.messages import (
    ALIVE,
    DRAIN,
    HEARTBEAT_S,
    LEAVE,
    READY,
    REPLACE_ME,
    SHOW_STACK,
    STOP,
    WRONG_SETTING,
    WorkerOptions,
)

KEEP_ALIVE_S = 75
"""Longer than an Application Load Balancer's default idle timeout of 60 s."""

GRACEFUL_STOP_S = 20
MOVE_ON_S = 1.5
"""How long a worker that no longer accepts connections waits before it closes the idle ones: callers with a pool use each of
theirs within it, and are told that it is the last time."""

ACCEPTED_AT_ONCE = 16
"""libuv accepts one connection per listening handle and turn of its loop (libuv/libuv#3696). A turn of a busy loop takes tens
of milliseconds, so new connections would wait for seconds behind searches that are admitted long after them."""

COLLECT_EVERY = (50_000, 20, 20)
"""Allocations between looks at the youngest objects; Python's own figure is 700 or 2,000."""

ABANDONED_LIMIT_S = 5.0
PR_SET_PDEATHSIG = 1
CLOSE = (b"connection", b"close")


class WorkerServer(uvicorn.Server):
    """uvicorn's server with a lame-duck phase, signs of life, and a request limit that asks for a replacement."""

    def __init__(self, config: uvicorn.Config, options: WorkerOptions, app: Any) -> None:
        super().__init__(config)
        self._options = options
        self._service = getattr(getattr(app, "state", None), "service", None)
        self._asked = False
        self._draining = False

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Ours instead of uvicorn's: an interrupt is the supervisor's business, who hears it as well."""
        signal.signal(DRAIN, self._drain)
        signal.signal(LEAVE, self._drain)
        signal.signal(STOP, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._say(READY)
            self._beat()

    async def on_tick(self, counter: int) -> bool:
        ended = await super().on_tick(counter)
        limit = self._options.recycle_after
        if limit and not self._asked and self.server_state.total_requests >= limit:
            self._asked = True
            self._say(REPLACE_ME)
        return ended

    def _beat(self) -> None:
        self._say(ALIVE)
        asyncio.get_running_loop().call_later(HEARTBEAT_S, self._beat)

    def _say(self, what: bytes) -> None:
        with contextlib.suppress(OSError):  # the supervisor is gone: `_end_with_supervisor` sees to it
            os.write(self._options.pipe, what)

    def _drain(self, number: int, _: FrameType | None) -> None:
        """Go on answering, unready, each answer the last on its connection; take no more connections once the lame-duck phase
        is over, at once when another worker takes them; then stop. Told twice, once is enough."""
        if self._draining:
            return
        self._draining = True
        replaced = number == LEAVE
        if not self.started or not (replaced or self._options.lame_duck_s):
            self.should_exit = True
            return
        if self._service is not None and hasattr(self._service, "draining"):
            self._service.draining = True
        self.config.encoded_headers.append(CLOSE)
        self.server_state.default_headers.append(CLOSE)  # in place: answers under way have this very list
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, 0 if replaced else self._options.lame_duck_s, self._move_on)

    def _move_on(self) -> None:
        for server in self.servers:
            server.close()
        asyncio.get_running_loop().call_later(MOVE_ON_S, self._stop)

    def _stop(self, *_: object) -> None:
        self.should_exit = True


def main(text: str) -> int:
    """Serve until told to stop. Returns the exit code."""
    options = WorkerOptions.loads(text)
    _end_with_supervisor(options)
    faulthandler.register(SHOW_STACK, all_threads=True)
    logging.basicConfig(level=logging.DEBUG if options.debug else logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop, debug=options.debug) as runner:
            runner.run(_serve(options))
    except ConfigurationError as error:
        print(f"app.serve: {error}", file=sys.stderr)  # noqa: T201
        return WRONG_SETTING
    return 0


async def _serve(options: WorkerOptions) -> None:
    from app.bootstrap import create_app

    app: Any = create_app()
    _collect_less_often()
    config = uvicorn.Config(
        app,
        http="httptools",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_STOP_S,
        access_log=False,
        server_header=False,
        log_config=None,
        log_level="warning",
        backlog=2048,
    )
    server = WorkerServer(config, options, app)
    listener = socket.socket(fileno=options.listener)
    listeners = [listener, *(listener.dup() for _ in range(ACCEPTED_AT_ONCE - 1))]
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        if options.debug:
            slow_callbacks(loop)
        if options.console_port is not None:
            stack.enter_context(console(loop, options.console_port))
        await server.serve(sockets=listeners)


def _collect_less_often() -> None:
    """What is there at start stays, and a search's objects hardly ever form cycles: looking for them 25 times less often
    saves CPU, and what does form one lives a little longer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)


def _end_with_supervisor(options: WorkerOptions) -> None:
    """A worker must not outlive its supervisor and hold the port: Linux asks it to drain when the supervisor has died; if its
    loop is blocked and cannot hear, a thread that waits for the pipe to break ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(DRAIN))
        if os.getppid() != options.supervisor:  # it died before we asked
            os.kill(os.getpid(), DRAIN)

    def wait() -> None:
        broken = select.poll()
        broken.register(options.pipe, 0)  # nothing but errors: the reader is gone
        broken.poll()
        time.sleep(options.lame_duck_s + MOVE_ON_S + GRACEFUL_STOP_S + ABANDONED_LIMIT_S)
        os._exit(1)

    threading.Thread(target=wait, name="supervisor-watch", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
