"""Which bundle each lane tells that it runs, looked at again and again, as the switch's preflight looks once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from infra.lab.drills.ground import Ground
from infra.lab.live.lab import Lab
from infra.switching.aws import probe

EVERY_S = 0.3
TOLD_S = 60.0


class Versions:
    """`skewed` is how many looks found the lanes with different bundles; a lane that does not answer tells nothing."""

    def __init__(self, lab: Lab, ground: Ground) -> None:
        self._url = lab.url
        self._headers = probe.lane_headers(ground.aws, ground.resources)
        self.skewed = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While a deployment goes on; no longer, for a lane that is looked at never falls quiet."""
        stop = threading.Event()
        thread = threading.Thread(target=self._watch, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def look(self) -> tuple[str | None, ...]:
        """The bundles' SHA-256 (hex), lane by lane."""
        return tuple(probe.digest(probe.get, self._url, lane, headers) for lane, headers in sorted(self._headers.items()))

    def await_agreed(self) -> bool:
        """Whether all lanes tell the same bundle in the end."""
        return self._await(1)

    def await_differing(self) -> bool:
        """Whether the lanes come to tell different ones: a new version answers a moment after its deployment."""
        return self._await(2)

    def _await(self, bundles: int) -> bool:
        end = time.monotonic() + TOLD_S
        while time.monotonic() < end:
            if len(set(found := self.look())) == bundles and None not in found:
                return True
            time.sleep(EVERY_S)
        return False

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(EVERY_S):
            self.skewed += len(set(self.look()) - {None}) > 1
