"""Runs a switch to its end before an operator's eyes: progress on standard error, JSON lines on standard output, exit codes."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from infra.errors import KitError, UnknownState
from infra.operating.driving import Stopped, drive, must_be_done
from infra.operating.orders import Take
from infra.operating.stage import who
from infra.switching.driver import Driver
from infra.switching.moves import Seen
from infra.switching.record import Event, Record

if TYPE_CHECKING:
    from infra.switching.aws.control import Control


RESULTS = {Stopped.exit_code: "stopped", UnknownState.exit_code: "unknown"}
"""By exit code, what the last line of `--json` says of a command that did not drive its switch to an end."""


class Show:
    """What an operator sees. `line` is what goes on at this moment, on a terminal only. `switch` is what was told of last."""

    def __init__(self, *, as_json: bool) -> None:
        self._json = as_json
        self.switch: str | None = None
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._line = Status("", console=self._console) if self._console.is_terminal and not as_json else None

    def say(self, text: str) -> None:
        self._console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim]  [yellow]{escape(text)}[/yellow]")

    def tell(self, event: Event) -> None:
        self.switch = event.switch
        if self._json:
            try:
                sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
                sys.stdout.flush()
            except BrokenPipeError:  # whoever read is gone, as with a closed terminal (rich does the same)
                raise SystemExit(1) from None
        else:
            moment = time.strftime("%H:%M:%S", time.localtime(event.at))
            self._console.print(f"[dim]{moment}[/dim]  [bold]{event.phase:<11}[/bold] {escape(event.what)}")

    def watch(self, record: Record, seen: Seen) -> None:
        if self._line is not None:
            told = [f"{lane}: {figures.words}" for lane, figures in seen.figures.items()]
            if seen.ready is not None and record.plan.need is not None:
                told.append(f"{seen.ready} of {record.plan.need.units} ready")
            self._line.update(escape("  ".join([f"{record.where}, {seen.now - record.since:.0f} s", *told])))
            self._line.start()

    def end(self) -> None:
        if self._line is not None:
            self._line.stop()


def run(control: Control, take: Take, *, as_json: bool, owner: str | None = None) -> None:
    """`take` begins a switch or takes one over. Returns when it is done; raises with its exit code otherwise."""
    show = Show(as_json=as_json)
    driver = Driver(control.world, owner=owner or who(), say=show.say, tell=show.tell, watch=show.watch)
    try:
        with _signals():
            record = drive(driver, take, stage=control.resources.stage, stops=(KeyboardInterrupt, SystemExit))
    except KitError as error:
        if as_json:
            _result(RESULTS.get(error.exit_code, "refused"), str(error), show.switch)
        raise
    finally:
        show.end()
    if as_json:
        _result(record.phase, record.reason, record.id)
    must_be_done(record)


def _result(result: str, reason: str, switch: str | None) -> None:
    """The last line of `--json`."""
    with suppress(BrokenPipeError):
        sys.stdout.write(msgspec.json.encode({"result": result, "reason": reason, "switch": switch}).decode() + "\n")
        sys.stdout.flush()


@contextmanager
def _signals() -> Iterator[None]:
    """SIGTERM and SIGHUP (a closed terminal) stop as Ctrl-C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # One that is ignored stays so: `nohup` is asked for by who wants the switch to outlive the terminal.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
