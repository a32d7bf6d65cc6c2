"""The switch that this console drives, or whose driver it waits for: one at a time, in a thread of its own, whether or not a
page is open."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from infra.errors import KitError
from infra.operating import orders
from infra.operating.driving import Stopped, drive, must_be_done
from infra.operating.orders import Left, Take
from infra.operating.stage import who
from infra.switching.driver import Busy, Driver
from infra.switching.moves import Seen
from infra.switching.ports import Clock
from infra.switching.record import Event, Record, Wish

if TYPE_CHECKING:
    from infra.switching.aws.control import Control

NAP_S = 0.5
SAID = 20
DONE = "done"
HERE = "this console"


class Stop(BaseException):
    """The console ends, or does something else instead. No error that a driver could take for one of AWS's."""


@dataclass(frozen=True, slots=True)
class Interruptible:
    """The stage's clock, whose sleep ends with `Stop` when it is told to."""

    clock: Clock
    stopping: threading.Event

    def now(self) -> float:
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            self.check()
            self.clock.sleep(min(left, NAP_S))
        self.check()

    def check(self) -> None:
        if self.stopping.is_set():
            raise Stop


@dataclass(eq=False)
class Run:
    """One switch here. `driving` is false while another driver is waited for, whose record is `waits`; `end` says how it
    ended."""

    driving: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)
    notes: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=SAID))
    waits: Record | None = None
    running: bool = True
    end: str = ""


First = Callable[[Run, Interruptible], Take | None]
"""What comes before driving: how the switch is taken, or None where another driver sees to it."""


class Drives:
    """`say` hears what goes wrong on the way, `tell` each event, `changed` that a page has something new to show; all from the
    driving thread."""

    def __init__(
        self,
        *,
        say: Callable[[str], None] = lambda text: None,
        tell: Callable[[Event], None] = lambda event: None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._say, self._tell, self._changed = say, tell, changed
        self._lock, self._run, self._ended = threading.Lock(), Run(running=False), False

    def begin(self, control: Control, take: Take) -> Record:
        """Returns once the switch is ours and driven; raises what `take` raises, or `Busy` where this console drives one."""
        begun: Future[Record] = Future()

        def first(run: Run, clock: Interruptible) -> Take:
            def taken(driver: Driver) -> Record:
                record = take(driver)
                begun.set_result(record)
                return record

            return taken

        with self._lock:
            if self.driving:
                raise Busy("this console is driving a switch: pause, promote or abort that")
            self._start(control, Run(driving=True), first, begun)
        return begun.result()

    def go_back(self, control: Control) -> tuple[Left, bool]:
        """`crossover abort`. Returns once the wish is left, and whether the switch is driven here; the wait for another driver
        goes on here, and the way back too where nobody else takes it."""
        left: Future[Left] = Future()

        def first(run: Run, clock: Interruptible) -> Take | None:
            def waits(record: Record) -> None:
                before, run.waits = run.waits, record
                if before is None or before.lease_until != record.lease_until:
                    self._changed()

            take = orders.abort(control, left.set_result, here=HERE, clock=clock, waits=waits)
            clock.check()
            run.waits, run.driving = None, take is not None
            return take

        with self._lock:
            if self.driving:
                return orders.leave(control, Wish.ABORT), True
            self._start(control, Run(), first, left)
        return left.result(), False

    def document(self) -> dict[str, Any]:
        """For the page: whether this console drives, for whom it waits, what went wrong on the way, how it ended."""
        run, waits = self._run, self._run.waits
        awaited = None if waits is None or not run.running else {"owner": waits.owner, "until": waits.lease_until}
        return {"running": self.driving, "waits": awaited, "notes": list(run.notes), "end": run.end}

    def stop(self) -> bool:
        """Have the driver let go of its lease at its next step; False where nothing is driven. `running` tells when it has."""
        self._ended = True
        self._run.stopping.set()
        return self._run.running

    @property
    def running(self) -> bool:
        """Whether anything goes on here, if only the wait for another driver."""
        return self._run.running

    @property
    def driving(self) -> bool:
        return self._run.running and self._run.driving

    @property
    def end(self) -> str:
        """How the last switch that was driven here ended."""
        return self._run.end

    def _start(self, control: Control, run: Run, first: First, answer: Future[Any]) -> None:
        """A wait for another driver that is under way is given up."""
        self._run.stopping.set()
        if self._ended:
            run.stopping.set()
        self._run = run
        threading.Thread(target=self._carry_out, args=(control, run, first, answer), name="switch", daemon=True).start()

    def _carry_out(self, control: Control, run: Run, first: First, answer: Future[Any]) -> None:
        clock = Interruptible(control.world.clock, run.stopping)

        def watch(record: Record, seen: Seen) -> None:
            clock.check()

        def note(text: str) -> None:
            run.notes.append({"text": text})
            self._say(text)
            self._changed()

        world = replace(control.world, clock=clock)
        driver = Driver(world, owner=who(), say=note, tell=self._told, watch=watch)
        try:
            take = first(run, clock)
            if take is not None:
                must_be_done(drive(driver, take, stage=control.resources.stage, stops=(Stop,)))
            run.end = DONE
        except Stop:
            owner = "" if run.waits is None else f" for {run.waits.owner} to go back"
            run.end = f"nobody waits here any more{owner}: see `crossover status`, then `crossover abort`"
            if not answer.done():
                answer.set_exception(KitError(run.end))
        except KitError as error:
            run.end = str(error)
            if not isinstance(error, Stopped) and answer.done():
                self._say(run.end)
            if not answer.done():
                answer.set_exception(error)
        except BaseException as error:
            run.end = f"the switch stopped for a fault of this tool: {error!r}; see `crossover status`"
            driver.let_go()
            self._say(run.end)
            if not answer.done():
                answer.set_exception(KitError(run.end))
        run.running = False
        self._changed()

    def _told(self, event: Event) -> None:
        self._tell(event)
        self._changed()
