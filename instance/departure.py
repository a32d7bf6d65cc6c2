"""How an instance leaves. T+0 is when its end was noticed:

    T+0      out of the target group; the service is told to drain: unready, each answer the last on its connection
    …        the load balancer sends for some seconds more, and is answered
    T+45 s   no new connections; what is in flight is finished
    T+100 s  at the latest the service is gone, or is given up
    then     the group is told that it may go on (CONTINUE)

What has begun stands in one file, which is also systemd's sign to stop the service: an agent that starts anew goes on from it.
No step waits for one that fails: without the load balancer's API its health check takes the instance out, without the group's
the hook ends by its own time limit.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from instance.errors import CloudError, NothingWaits
from instance.notices import TERMINATED
from instance.service import is_listening

GONE_BY_S = 100.0

log = logging.getLogger("crossover.agent")


class Asks(Protocol):
    """What of `instance.cloud.Cloud` a departure needs."""

    def deregister(self, target_group: str, instance: str) -> None: ...
    def complete(self, hook: str, *, group: str, instance: str, result: str) -> None: ...


class Place(NamedTuple):
    """Where this instance stands. `group` is `None` outside an autoscaling group."""

    instance: str
    group: str | None
    target_group: str
    hook: str
    port: int


class Departure:
    """`turn` does what can be done now, and is called again and again until the machine is gone."""

    def __init__(
        self,
        file: Path,
        place: Place,
        cloud: Asks,
        *,
        clock: Callable[[], float] = time.time,
        answers: Callable[[int], bool] = is_listening,
        gone_by_s: float = GONE_BY_S,
    ) -> None:
        self._file = file
        self._place = place
        self._cloud = cloud
        self._clock = clock
        self._answers = answers
        self._gone_by_s = gone_by_s
        self._began: float | None = None
        self._deregistered = False
        self._gone = False
        self._completed = False
        self._said: set[str] = set()

    @property
    def begun(self) -> bool:
        return self._began is not None

    def resume(self) -> None:
        """Take up what an agent before this one has begun."""
        try:
            stated = json.loads(self._file.read_bytes())
            self._began = float(stated["began"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError):
            self._began = self._clock()  # the service drains already: only since when is unknown
        log.warning("going on with a departure that began %.0f s ago", self._clock() - self._began)

    def begin(self, reason: str) -> None:
        self._began = self._clock()
        log.warning("leaving: %s", reason)

    def turn(self, target_state: str | None) -> None:
        """`target_state` is the group's for this instance, `None` where it is not known now."""
        assert self._began is not None
        if not self._deregistered:
            self._deregister()
        if not self._file.exists():
            self._drain()
        elif not self._gone:
            self._watch()
        if self._gone and not self._completed and target_state == TERMINATED:
            self._complete()

    def _deregister(self) -> None:
        try:
            self._cloud.deregister(self._place.target_group, self._place.instance)
        except CloudError as error:
            self._once("the load balancer is not told, and finds out by its health check: %s", error)
        else:
            self._deregistered = True
            log.warning("out of the target group, T+%.1f s", self._passed_s())

    def _drain(self) -> None:
        assert self._began is not None
        new = self._file.with_suffix(".new")
        try:
            new.write_text(json.dumps({"began": self._began}))
            new.replace(self._file)
        except OSError as error:
            self._once("the service cannot be told to drain: %s", error)
        else:
            log.warning("the service is told to drain, T+%.1f s", self._passed_s())

    def _watch(self) -> None:
        if not self._answers(self._place.port):
            self._gone = True
            log.warning("the service has drained and ended, T+%.1f s", self._passed_s())
        elif self._passed_s() >= self._gone_by_s:
            self._gone = True
            log.error("the service is still there, T+%.1f s: it is given up", self._passed_s())

    def _complete(self) -> None:
        if self._place.group is None:
            self._completed = True
            return
        try:
            self._cloud.complete(self._place.hook, group=self._place.group, instance=self._place.instance, result="CONTINUE")
        except NothingWaits as error:
            self._once("nothing waits for this instance yet: %s", error)
        except CloudError as error:
            self._once("the group is not told: %s", error)
        else:
            self._completed = True
            log.warning("told %s: CONTINUE, T+%.1f s", self._place.group, self._passed_s())

    def _passed_s(self) -> float:
        assert self._began is not None
        return self._clock() - self._began

    def _once(self, message: str, error: Exception) -> None:
        """A turn comes every few seconds: the same trouble is told once."""
        if message not in self._said:
            self._said.add(message)
            log.error(message, error)
