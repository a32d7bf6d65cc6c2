"""An operator's command under way: its events as they come, and how it ended."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any

from infra.errors import KitError
from infra.lab.live.lab import Lab
from infra.lab.processes import die_with
from infra.wheels import ROOT

EVENT_S = 60.0
END_S = 120.0


@dataclass(frozen=True, slots=True)
class Told:
    """One line of `--json`; `at` is when it came, in real seconds since 1970."""

    at: float
    line: dict[str, Any]

    @property
    def phase(self) -> str:
        return str(self.line.get("phase", ""))

    @property
    def what(self) -> str:
        return str(self.line.get("what", ""))


@dataclass(frozen=True, slots=True)
class Ended:
    """`outcome` as the record's phase has it, or empty where the command did not come to an end of its own; `said` is the
    reason, or the error line. `began` and `at` are real seconds since 1970."""

    code: int
    outcome: str
    said: str
    events: tuple[Told, ...]
    began: float
    at: float

    @property
    def seconds(self) -> float:
        return self.at - self.began

    def first(self, phase: str) -> float | None:
        """When the first event of this phase came."""
        return next((each.at for each in self.events if each.phase == phase), None)


class Operator:
    """A context manager: `crossover ARGUMENTS --json` in the lab's time, from entering on; killed on leaving if it still runs.
    `key` is an access key of its own, by which faults tell people apart; `skew_s` how far its laptop's clock is off."""

    def __init__(self, lab: Lab, *arguments: str, key: str = "", skew_s: float = 0.0) -> None:
        self._command = lab.operator_command(*arguments, "--json")
        self._environment = lab.operator_environment(key)
        if skew_s:
            self._command = [sys.executable, "-m", "infra.lab.drills.skewed", str(skew_s), *self._command[3:]]
        self._heard: queue.Queue[Told | None] = queue.Queue()
        self._events: list[Told] = []

    def __enter__(self) -> Operator:
        self._began = time.time()
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=partial(die_with, os.getpid(), None),
        )
        self._errors: list[str] = []
        self._threads = [threading.Thread(target=read, daemon=True) for read in (self._listen, self._listen_to_errors)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def await_event(self, wanted: Callable[[Told], bool], limit_s: float = EVENT_S) -> Told:
        """The next such event; `KitError` where the command ends without one, or it takes so many real seconds."""
        end = time.monotonic() + limit_s
        while True:
            try:
                told = self._heard.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise KitError(f"the operator's command came to no such event within {limit_s:g} s; {self._so_far}") from None
            if told is None:
                self._heard.put(None)
                raise KitError(f"the operator's command ended before such an event; {self._so_far}")
            self._events.append(told)
            if wanted(told):
                return told

    def await_phase(self, *phases: str, limit_s: float = EVENT_S) -> Told:
        return self.await_event(lambda told: told.phase in phases, limit_s)

    def end(self, limit_s: float = END_S) -> Ended:
        """Wait until the command has ended by itself."""
        try:
            code = self.process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            raise KitError(f"the operator's command has not ended after {limit_s:g} s; {self._so_far}") from None
        at = time.time()
        for thread in self._threads:
            thread.join()
        while (told := self._heard.get()) is not None:
            self._events.append(told)
        self._heard.put(None)
        result = next((each.line for each in self._events if "result" in each.line), {})
        said = str(result.get("reason") or (self._errors[-1] if self._errors else ""))
        events = tuple(each for each in self._events if "phase" in each.line)
        return Ended(code, str(result.get("result", "")), said, events, self._began, at)

    @property
    def _so_far(self) -> str:
        said = [each.what for each in self._events][-1:] + self._errors[-1:]
        return f"it said {' | '.join(said)!r}" if said else "it said nothing"

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                self._heard.put(Told(time.time(), json.loads(line)))
        self._heard.put(None)

    def _listen_to_errors(self) -> None:
        assert self.process.stderr is not None
        self._errors.extend(line.strip() for line in self.process.stderr if line.strip())
