"""Which bundle each lane tells that it runs, looked at again and again, as the switch's preflight looks once."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from infra.lab.drills.ground import Ground
from infra.lab.live.lab import Lab
from infra.switching.aws import probe

EVERY_S = 0.3
AGREED_S = 60.0


class Versions:
    """A context manager. `skewed` is how many looks found the lanes with different bundles; a lane that does not answer tells
    nothing."""

    def __init__(self, lab: Lab, ground: Ground) -> None:
        self._url = lab.url
        self._headers = probe.lane_headers(ground.aws, ground.resources)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.skewed = 0

    def __enter__(self) -> Versions:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def look(self) -> tuple[str | None, ...]:
        """The bundles' SHA-256 (hex), lane by lane."""
        return tuple(probe.digest(probe.get, self._url, lane, headers) for lane, headers in sorted(self._headers.items()))

    def await_agreed(self) -> bool:
        """Whether all lanes tell the same bundle in the end."""
        end = time.monotonic() + AGREED_S
        while time.monotonic() < end:
            if len(set(found := self.look())) == 1 and None not in found:
                return True
            time.sleep(EVERY_S)
        return False

    def _watch(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.skewed += len(set(self.look()) - {None}) > 1
