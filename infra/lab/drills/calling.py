"""Callers as a drill has them: started, told to stop, and every request of theirs then known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from types import TracebackType

import msgspec

from infra.errors import KitError
from infra.lab.drills.requests import Requests
from infra.lab.processes import die_with
from infra.wheels import ROOT

STOP_S = 45.0


class Calling:
    """A context manager: callers at a constant `rps` on so many kept connections, from entering until `stop` or leaving."""

    def __init__(self, url: str, *, rps: float = 100.0, connections: int = 24, paths: tuple[str, ...] = ("/version",)) -> None:
        self._url, self._rps, self._connections, self._paths = url, rps, connections, paths

    def __enter__(self) -> Calling:
        self._folder = tempfile.TemporaryDirectory(prefix="crossover-callers-")
        self._out = Path(self._folder.name) / "requests.json"
        command = [sys.executable, "-m", "infra.lab.drills.callers", self._url, str(self._out)]
        command += ["--rps", str(self._rps), "--connections", str(self._connections)]
        command += [part for path in self._paths for part in ("--path", path)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the drill, which ends them
            preexec_fn=partial(die_with, os.getpid(), None),
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "calling\n":
            raise KitError("the callers did not start")
        return self

    def stop(self) -> Requests:
        """All requests; what was under way has ended."""
        self._process.send_signal(signal.SIGTERM)
        if self._process.wait(timeout=STOP_S) != 0:
            raise KitError("the callers ended badly")
        return msgspec.json.decode(self._out.read_bytes(), type=Requests)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()
