"""Kills what the lab has started when the lab dies, however it dies.

The kernel kills a child when its parent ends (`infra.lab.processes`), but a grandchild only hears of it: a worker of the
service drains first, and one that was stopped by SIGSTOP hears nothing. So a process of its own reads from a pipe which
process groups there are (`+1234`, `-1234`), and kills them all when the pipe breaks. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from subprocess import PIPE, Popen
from types import TracebackType

ROUNDS, PAUSE_S = 3, 0.05
"""A process that was being started while its group was killed is there at the next look."""


class Keeper:
    """A context manager, the lab's side of it. A group is forgotten when it has ended: its number may be another's then."""

    def __enter__(self) -> Keeper:
        command = [sys.executable, "-I", "-S", str(Path(__file__).resolve())]
        self._process = Popen(command, stdin=PIPE, start_new_session=True, env={})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """What is still kept is killed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def keep(self, group: int) -> None:
        self._say(f"+{group}\n")

    def forget(self, group: int) -> None:
        self._say(f"-{group}\n")

    def _say(self, what: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(what.encode())
            self._process.stdin.flush()


def kill(groups: Iterable[int]) -> None:
    for _ in range(ROUNDS):
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        time.sleep(PAUSE_S)


def main() -> None:
    kept: set[int] = set()
    for line in sys.stdin:
        (kept.add if line[0] == "+" else kept.discard)(int(line[1:]))
    if kept:
        kill(kept)


if __name__ == "__main__":
    main()
