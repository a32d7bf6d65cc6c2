"""Runs a switch to its end before an operator's eyes: progress on standard error, JSON lines on standard output, exit codes."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from infra.commands.at_stage import who
from infra.errors import KitError, RolledBack, UnknownState
from infra.switching.driver import Busy, Driver
from infra.switching.moves import Seen
from infra.switching.ports import Superseded
from infra.switching.record import EXIT_CODES, Event, Record

if TYPE_CHECKING:
    from infra.switching.aws.control import Control


class Stopped(KitError):
    """The driver was told to stop; the record says where."""

    exit_code = 130


class Show:
    """What an operator sees. `line` is what goes on at this moment, on a terminal only."""

    def __init__(self, *, as_json: bool) -> None:
        self._json = as_json
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._line = Status("", console=self._console) if self._console.is_terminal and not as_json else None

    def say(self, text: str) -> None:
        self._console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim]  [yellow]{escape(text)}[/yellow]")

    def tell(self, event: Event) -> None:
        if self._json:
            sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
            sys.stdout.flush()
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


def run(control: Control, take: Callable[[Driver], Record], *, as_json: bool, owner: str | None = None) -> None:
    """`take` begins a switch or takes one over. Returns when it is done; raises with its exit code otherwise."""
    show = Show(as_json=as_json)
    driver = Driver(control.world, owner=owner or who(), say=show.say, tell=show.tell, watch=show.watch)
    stage = control.resources.stage
    record: Record | None = None
    try:
        with _signals():
            record = take(driver)
            record = driver.run(record)
    except (KeyboardInterrupt, SystemExit):
        left = driver.let_go()
        if record is None and left is None:
            raise Stopped("stopped before anything was changed") from None
        where = f"at {left.where}" if left is not None else "and its record could not be read"
        on, back = (f"`crossover {command} --stage {stage}`" for command in ("resume", "abort"))
        raise Stopped(f"stopped {where}; traffic stays as it is. To go on: {on}; to go back: {back}") from None
    except (UnknownState, Superseded, Busy):
        raise
    except KitError as error:
        if record is None:
            raise
        left = driver.let_go()
        where = "" if left is None else f" at {left.where}"
        raise UnknownState(
            f"{error}; the switch stopped{where}: see `crossover status --stage {stage}`, then `crossover resume` or `abort`"
        ) from error
    finally:
        show.end()
    _end(record, as_json=as_json)


def _end(record: Record, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(
            msgspec.json.encode({"result": record.phase, "reason": record.reason, "switch": record.id}).decode() + "\n"
        )
    code = EXIT_CODES[record.phase]
    if code == RolledBack.exit_code:
        raise RolledBack(f"rolled back to {record.rollback_to} (lambda:container): {record.reason}")
    if code:
        raise KitError(f"refused: {record.reason}")


@contextmanager
def _signals() -> Iterator[None]:
    """SIGTERM and SIGHUP (a closed terminal) stop as Ctrl-C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
