"""Calls gates, hooks and notifications, and keeps those that are only told out of the switch's way.

Each receiver that is told has a thread of its own, so that one that hangs holds up neither the switch nor the others.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from infra.errors import KitError
from infra.settings.switching import Target, target_of
from infra.switching.call import Outcome, call, post
from infra.switching.hooks import body_of, shown
from infra.switching.ports import Said

ATTEMPTS = 3
PAUSE_S = 1.0
"""Before the second attempt at telling somebody, and twice as long before the third."""
KILLED_S = 2.0
"""By then a command that is to end has been killed."""

Call = Callable[[dict[str, Any], float, threading.Event], Outcome]


class CallingHooks:
    """`secret` gives a secret's text by its name. Answers `infra.switching.ports.Hooks`."""

    def __init__(self, secret: Callable[[str], str], environment: Mapping[str, str] | None = None) -> None:
        self._secret, self._environment = secret, os.environ if environment is None else environment
        self._receivers: dict[str, _Receiver] = {}
        self._failed: deque[str] = deque()
        self._known: dict[str, Target] = {}

    def problem(self, target: str) -> str | None:
        """Why a target cannot be called from here; None where nothing is known against it."""
        try:
            found = self._resolved(target)
        except KitError as error:
            return f"{shown(target)}: {error}"
        if found.kind == "command" and shutil.which(shlex.split(found.value)[0]) is None:
            return f"{found.shown}: there is no such program here"
        return None

    def problems(self, targets: Iterable[str]) -> list[str]:
        return [found for target in targets if (found := self.problem(target)) is not None]

    def ask(self, target: str, told: dict[str, Any], timeout_s: float) -> Said:
        outcome = self._call(target, told, timeout_s, threading.Event())
        return Said(passes=outcome.well, words=outcome.words)

    def send(self, target: str, told: dict[str, Any], timeout_s: float) -> None:
        if target not in self._receivers:
            bound: Call = lambda told, timeout_s, stop: self._call(target, told, timeout_s, stop)  # noqa: E731
            self._receivers[target] = _Receiver(shown(target), bound, self._failed)
        self._receivers[target].put(told, timeout_s)

    def failures(self) -> Sequence[str]:
        return [self._failed.popleft() for _ in range(len(self._failed))]

    def close(self, wait_s: float) -> None:
        receivers, self._receivers = self._receivers, {}
        until = time.monotonic() + wait_s
        for receiver in receivers.values():
            receiver.close(until, wait_s)

    def _call(self, target: str, told: dict[str, Any], timeout_s: float, stop: threading.Event) -> Outcome:
        try:
            found = self._resolved(target)
        except KitError as error:
            return Outcome(well=False, words=str(error))
        body = json.dumps(body_of(found, told)).encode()
        if found.kind == "command":
            return call(shlex.split(found.value), body, told, timeout_s, stop)
        return post(found.value, body, told, timeout_s, stop)

    def _resolved(self, text: str) -> Target:
        """With the URL that a variable or a secret holds. `KitError` names what is missing, never what it holds."""
        target = target_of(text)
        if target.kind in ("url", "command"):
            return target
        if text in self._known:
            return self._known[text]
        if target.kind == "env":
            url = self._environment.get(target.value, "").strip()
            if not url:
                raise KitError(f"the environment variable {target.value} is not set")
        else:
            url = self._secret(target.value).strip()
        try:
            held = target_of(url)
        except ValueError:
            held = None
        if held is None or held.kind != "url":
            raise KitError(f"{target.shown} holds no http:// or https:// URL")
        self._known[text] = replace(held, slack=target.slack or held.slack)
        return self._known[text]


class _Receiver:
    """One that is told, in order, by a thread that ends when there is nothing more to tell."""

    def __init__(self, name: str, call: Call, failed: deque[str]) -> None:
        self._name, self._call, self._failed = name, call, failed
        self._waiting: deque[tuple[dict[str, Any], float]] = deque()
        self._changed, self._stop, self._closing = threading.Condition(), threading.Event(), False
        self._left = 0
        self._thread = threading.Thread(target=self._deliver, name="notify", daemon=True)
        self._thread.start()

    def put(self, told: dict[str, Any], timeout_s: float) -> None:
        with self._changed:
            self._waiting.append((told, timeout_s))
            self._left += 1
            self._changed.notify_all()

    def close(self, until: float, wait_s: float) -> None:
        """Wait for what is left until that moment, then end the call that is under way."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._left == 0, max(0.0, until - time.monotonic()))
            left = self._left
        self._stop.set()
        if left:
            self._failed.append(f"{self._name} was not told of the last {left}: given up after {wait_s:g} s at the end")
        self._thread.join(KILLED_S)

    def _deliver(self) -> None:
        while not self._stop.is_set():
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._closing)
                if not self._waiting:
                    return
                told, timeout_s = self._waiting.popleft()
            outcome = self._attempts(told, timeout_s)
            if not outcome.well and not self._stop.is_set():
                self._failed.append(f"{self._name} could not be told of {told['event']}: {outcome.words}")
            with self._changed:
                self._left -= 1
                self._changed.notify_all()

    def _attempts(self, told: dict[str, Any], timeout_s: float) -> Outcome:
        """A command has one (`Outcome.again`): what it did before it failed is not known."""
        for attempt in range(1, ATTEMPTS + 1):
            outcome = self._call(told, timeout_s, self._stop)
            if outcome.well or not outcome.again or attempt == ATTEMPTS or self._stop.wait(PAUSE_S * attempt):
                break
        return outcome
