"""The switch that this console drives: one at a time, in a thread of its own, whether or not a page is open."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from infra.errors import KitError
from infra.operating.driving import Stopped, drive, must_be_done
from infra.operating.orders import Take
from infra.operating.stage import who
from infra.switching.driver import Busy, Driver
from infra.switching.moves import Seen
from infra.switching.ports import Clock
from infra.switching.record import Event, Record

if TYPE_CHECKING:
    from infra.switching.aws.control import Control

NAP_S = 0.5
SAID = 20
DONE = "done"


class Stop(BaseException):
    """The console ends. No error that a driver could take for one of AWS's."""


@dataclass(frozen=True, slots=True)
class Interruptible:
    """The stage's clock, whose sleep ends with `Stop` when the console does."""

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
        self._stopping, self._lock = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None
        self.running = False
        self._notes: deque[dict[str, Any]] = deque(maxlen=SAID)
        self._end: str = ""

    def begin(self, control: Control, take: Take) -> Record:
        """Returns once the switch is ours and driven; raises what `take` raises, or `Busy` where this console drives one."""
        begun: Future[Record] = Future()
        with self._lock:
            if self.running:
                raise Busy("this console is driving a switch: pause, promote or abort that")
            self._notes.clear()
            self._end, self.running = "", True
            self._thread = threading.Thread(target=self._run, args=(control, take, begun), name="switch", daemon=True)
            self._thread.start()
        return begun.result()

    def document(self) -> dict[str, Any]:
        """For the page: whether this console drives, what went wrong on the way, how it ended."""
        return {"running": self.running, "notes": list(self._notes), "end": self._end}

    def stop(self) -> bool:
        """Have the driver let go of its lease at its next step; False where nothing is driven. `running` tells when it has."""
        self._stopping.set()
        return self.running

    @property
    def end(self) -> str:
        """How the last switch that was driven here ended."""
        return self._end

    def _run(self, control: Control, take: Take, begun: Future[Record]) -> None:
        clock = Interruptible(control.world.clock, self._stopping)

        def taken(driver: Driver) -> Record:
            record = take(driver)
            begun.set_result(record)
            return record

        def watch(record: Record, seen: Seen) -> None:
            clock.check()

        driver = Driver(replace(control.world, clock=clock), owner=who(), say=self._note, tell=self._told, watch=watch)
        try:
            must_be_done(drive(driver, taken, stage=control.resources.stage, stops=(Stop,)))
            self._end = DONE
        except KitError as error:
            self._end = str(error)
            if not isinstance(error, Stopped) and begun.done():
                self._say(self._end)
            if not begun.done():
                begun.set_exception(error)
        except BaseException as error:
            self._end = f"the switch stopped for a fault of this tool: {error!r}; see `crossover status`"
            driver.let_go()
            self._say(self._end)
            if not begun.done():
                begun.set_exception(KitError(self._end))
        self.running = False
        self._changed()

    def _note(self, text: str) -> None:
        self._notes.append({"text": text})
        self._say(text)
        self._changed()

    def _told(self, event: Event) -> None:
        self._tell(event)
        self._changed()
