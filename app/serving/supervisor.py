"""Keeps a number of workers serving one listening socket: starts them, replaces those that ask, die or block, stops them.

    starting ──ready──► serving ──asks to be replaced, or SIGHUP──► (its replacement is ready) ──► leaving ──► gone
                           └──no sign of life for BLOCKED_S──► its stack is written, then it is killed and replaced

Each worker is a fresh interpreter, not a fork: an event loop and its threads do not survive one. The socket is the same open
file in all of them, so a connection that waits to be accepted outlives whoever stops accepting. Standard library only: this
process holds no service.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import time
from enum import StrEnum

from app.serving.messages import ALIVE, DRAIN, LEAVE, READY, REPLACE_ME, SHOW_STACK, STOP, WRONG_SETTING, WorkerOptions

BLOCKED_S = 3.0
"""A loop that has not turned for so long serves nobody: half a second between signs of life, five seconds until a replacement
serves."""

TICK_S = 0.25
START_LIMIT_S = 60.0
STACK_S = 0.2
"""Given to a blocked worker to write its stack."""

STOP_LIMIT_S = 25.0
"""Longer than a worker's own graceful stop, lame-duck phase not counted."""

RECYCLE_JITTER = 0.2
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
SOUND_S = 10.0
"""A worker that lived so long was no failed start."""

FAILED_STARTS = 3
"""This many in a row, when none was ever ready, end the service."""

log = logging.getLogger("crossover.serving")


class Phase(StrEnum):
    STARTING = "starting"
    SERVING = "serving"
    LEAVING = "leaving"


class Worker:
    """One worker process as the supervisor sees it."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: int, now: float) -> None:
        self.process = process
        self.pipe = pipe
        self.phase = Phase.STARTING
        self.began = now
        self.heard = now
        self.wants_out = False
        self.replacement: Worker | None = None

    @property
    def pid(self) -> int:
        return self.process.pid


class Supervisor:
    """`run` returns the exit code: 0 stopped, 1 no worker starts, 2 wrong setting."""

    def __init__(
        self,
        listener: socket.socket,
        *,
        workers: int,
        recycle_after: int = 0,
        lame_duck_s: float = 0,
        debug: bool = False,
        console_port: int | None = None,
    ) -> None:
        self._listener = listener
        self._wanted = workers
        self._recycle_after = recycle_after
        self._lame_duck_s = lame_duck_s
        self._debug = debug
        self._console_port = console_port
        self._workers: dict[int, Worker] = {}
        self._selector = selectors.DefaultSelector()
        self._stopping: float | None = None
        self._start_at = 0.0
        self._failures = 0
        self._was_ready = False
        self._exit_code = 0

    def run(self) -> int:
        wake, waker = os.pipe()
        for end in (wake, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self._selector.register(wake, selectors.EVENT_READ)
        try:
            while self._turn(wake):
                pass
        finally:
            for worker in self._workers.values():
                worker.process.kill()
                worker.process.wait()
        return self._exit_code

    def _turn(self, wake: int) -> bool:
        """One look at everything; false when all is over."""
        began = time.monotonic()
        for key, _ in self._selector.select(TICK_S):
            if key.fd == wake:
                for number in os.read(wake, 64):
                    self._signalled(number)
            else:
                self._hear(key.data)
        now = time.monotonic()
        if now - began > TICK_S + 1:  # we were asleep ourselves: silence proves nothing
            for worker in self._workers.values():
                worker.heard = now
        self._bury(now)
        if self._stopping is not None:
            return self._wait_for_the_end(now)
        self._watch(now)
        self._replace(now)
        return True

    def _signalled(self, number: int) -> None:
        if number == signal.SIGHUP:
            log.warning("replacing every worker, one after another")
            for worker in self._workers.values():
                worker.wants_out = worker.phase is not Phase.LEAVING
            return
        how = DRAIN if number == signal.SIGTERM else STOP
        for worker in self._workers.values():
            self._tell(worker, how)
        if self._stopping is None:
            self._stopping = time.monotonic() + STOP_LIMIT_S + self._lame_duck_s

    def _hear(self, worker: Worker) -> None:
        try:
            said = os.read(worker.pipe, 4096)
        except OSError:
            said = b""
        if not said:  # it has ended or is about to; `_bury` sees to it
            self._selector.unregister(worker.pipe)
            return
        worker.heard = time.monotonic()
        if READY in said:
            worker.phase = Phase.SERVING
            if not self._was_ready:
                self._was_ready = True
                self._announce()
        if REPLACE_ME in said:
            worker.wants_out = True
        assert set(said) <= set(READY + ALIVE + REPLACE_ME), said

    def _announce(self) -> None:
        host, port = self._listener.getsockname()[:2]
        print(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)  # noqa: T201

    def _bury(self, now: float) -> None:
        for worker in list(self._workers.values()):
            code = worker.process.poll()
            if code is None:
                continue
            del self._workers[worker.pid]
            with contextlib.suppress(KeyError):
                self._selector.unregister(worker.pipe)
            os.close(worker.pipe)
            if self._stopping is None and worker.phase is not Phase.LEAVING:
                self._fallen(worker, code, now)

    def _fallen(self, worker: Worker, code: int, now: float) -> None:
        """A worker ended by itself: its place is taken at once, or after a pause when it hardly lived."""
        if code == WRONG_SETTING and not self._was_ready:
            self._end(WRONG_SETTING, now)
            return
        log.error("worker %d ended (%s); it is replaced", worker.pid, _named(code))
        if worker.phase is Phase.SERVING and now - worker.began >= SOUND_S:
            self._failures = 0
            return
        self._failures += 1
        if not self._was_ready and self._failures >= FAILED_STARTS:
            log.error("no worker starts; giving up")
            self._end(1, now)
            return
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (self._failures - 1)) if self._failures > 1 else 0.0
        self._start_at = now + pause_s

    def _end(self, code: int, now: float) -> None:
        self._exit_code = code
        self._stopping = now + STOP_LIMIT_S
        for worker in self._workers.values():
            self._tell(worker, STOP)

    def _watch(self, now: float) -> None:
        """Kill whoever gives no sign of life; a debugger may stop a worker as long as it likes."""
        for worker in self._workers.values():
            limit_s = START_LIMIT_S if worker.phase is Phase.STARTING else BLOCKED_S
            if now - worker.heard > limit_s and not self._debug and worker.process.poll() is None:
                log.error(
                    "worker %d: its event loop has been blocked for %.1f s; its stack follows", worker.pid, now - worker.heard
                )
                self._tell(worker, SHOW_STACK)
                time.sleep(STACK_S)
                worker.process.kill()

    def _replace(self, now: float) -> None:
        """Fill the places that are empty; then, one at a time, replace whoever wants to leave."""
        places = [worker for worker in self._workers.values() if worker.phase is not Phase.LEAVING]
        leaving = next((worker for worker in places if worker.replacement is not None), None)
        if leaving is not None:
            new = leaving.replacement
            if new is not None and new.phase is Phase.SERVING:
                leaving.phase = Phase.LEAVING
                self._tell(leaving, LEAVE)
            elif new not in places:
                leaving.replacement = None
            return
        if now < self._start_at:
            return
        wanted = self._wanted if self._was_ready else 1  # a wrong setting is said once
        for _ in range(wanted - len(places)):
            self._start(now)
        tired = next((worker for worker in places if worker.wants_out and worker.phase is Phase.SERVING), None)
        if tired is not None and len(places) >= self._wanted:
            tired.replacement = self._start(now)

    def _start(self, now: float) -> Worker:
        pipe, theirs = os.pipe()
        options = WorkerOptions(
            supervisor=os.getpid(),
            listener=self._listener.fileno(),
            pipe=theirs,
            recycle_after=round(self._recycle_after * random.uniform(1 - RECYCLE_JITTER, 1 + RECYCLE_JITTER)),
            lame_duck_s=self._lame_duck_s,
            debug=self._debug,
            console_port=self._console_port,
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "app.serving.worker", options.dumps()],
            stdin=subprocess.DEVNULL,
            pass_fds=(self._listener.fileno(), theirs),
        )
        os.close(theirs)
        worker = Worker(process, pipe, now)
        self._workers[worker.pid] = worker
        self._selector.register(pipe, selectors.EVENT_READ, worker)
        return worker

    def _wait_for_the_end(self, now: float) -> bool:
        assert self._stopping is not None
        if self._workers and now > self._stopping:
            log.error("%d workers do not stop; they are killed", len(self._workers))
            for worker in self._workers.values():
                worker.process.kill()
        return bool(self._workers)

    @staticmethod
    def _tell(worker: Worker, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            worker.process.send_signal(number)


def _named(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
