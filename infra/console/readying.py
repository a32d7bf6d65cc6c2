"""The prewarm that this console waits for: one at a time, in a thread of its own, whether or not a page is open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.console.driving import Interruptible, Stop
from infra.errors import KitError
from infra.operating import prewarming
from infra.operating.prewarming import Prewarming

if TYPE_CHECKING:
    from infra.switching.aws.control import Control


@dataclass(eq=False)
class Wait:
    """`until` is the moment at which it is given up; `said` how it ended, `well` whether they were ready then."""

    asked: Prewarming
    until: float
    stopping: threading.Event = field(default_factory=threading.Event)
    ready: int | None = None
    running: bool = True
    said: str = ""
    well: bool = False


class Readying:
    """`say` hears how a wait ended, `changed` that a page has something new to show; both from the waiting thread."""

    def __init__(self, *, say: Callable[[str], None] = lambda text: None, changed: Callable[[], None] = lambda: None) -> None:
        self._say, self._changed = say, changed
        self._lock = threading.Lock()
        self._wait: Wait | None = None

    def begin(self, control: Control, asked: Prewarming, wait_s: float) -> Wait:
        """Returns once they are asked for. Another wait that is under way is given up for this one."""
        with self._lock:
            prewarming.begin(control, asked)
            self._give_up()
            wait = Wait(asked, control.world.clock.now() + wait_s, ready=asked.ready)
            self._wait = wait
            threading.Thread(target=self._carry_out, args=(control, wait, wait_s), name="prewarm", daemon=True).start()
        return wait

    def release(self, control: Control, lane: str) -> str:
        """What is waited for on the lane is not wanted any more."""
        with self._lock:
            said = prewarming.release(control, lane)
            if self._wait is not None and self._wait.asked.lane == lane:
                self._give_up()
                self._wait = None
        return said

    def document(self) -> dict[str, Any] | None:
        """For the page; None where nothing was asked for."""
        wait = self._wait
        if wait is None:
            return None
        asked = wait.asked
        return {
            "lane": asked.lane,
            "units": asked.units,
            "kind": asked.kind,
            "ready": wait.ready,
            "until": wait.until,
            "running": wait.running,
            "said": wait.said,
            "well": wait.well,
        }

    def stop(self) -> None:
        """Nobody waits any more; what was asked for is kept all the same."""
        with self._lock:
            self._give_up()

    def _give_up(self) -> None:
        if self._wait is not None:
            self._wait.stopping.set()

    def _carry_out(self, control: Control, wait: Wait, wait_s: float) -> None:
        def seen(ready: int | None) -> None:
            before, wait.ready = wait.ready, ready
            if before != ready:
                self._changed()

        clock = Interruptible(control.world.clock, wait.stopping)
        try:
            wait.said = prewarming.wait(control, wait.asked, wait_s=wait_s, clock=clock, seen=seen)
            wait.well = True
        except Stop:
            wait.said = "not waited for any more"
        except KitError as error:
            wait.said = str(error)
        except BaseException as error:
            wait.said = f"not waited for any more, for a fault of this tool: {error!r}"
        wait.running = False
        self._say(wait.said)
        self._changed()
