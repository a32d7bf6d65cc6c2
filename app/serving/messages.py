"""What a worker and its supervisor tell each other: single bytes over a pipe to the supervisor, signals to the worker."""

from __future__ import annotations

import json
import signal
from typing import NamedTuple

READY = b"R"
"""It accepts connections."""

ALIVE = b"a"
"""Its event loop turns; sent by the loop itself every `HEARTBEAT_S`."""

REPLACE_ME = b"r"
"""It has answered as many requests as it should."""

HEARTBEAT_S = 0.5

DRAIN = signal.SIGTERM
"""Be a lame duck, then stop gracefully."""

LEAVE = signal.SIGUSR1
"""The same for one whose replacement serves: its lame-duck phase is never shorter than callers need to move on."""

STOP = signal.SIGQUIT
"""Stop gracefully now."""

SHOW_STACK = signal.SIGUSR2
"""Write every thread's stack to standard error; works when the loop is blocked."""

WRONG_SETTING = 2
"""Exit code of a worker that cannot be configured: starting it again would not help."""


class WorkerOptions(NamedTuple):
    """What a worker is told, as one command-line argument. `supervisor` is its process id,
    `listener` and `pipe` are inherited descriptors, `recycle_after` is 0 for never."""

    supervisor: int
    listener: int
    pipe: int
    recycle_after: int
    lame_duck_s: float
    debug: bool
    console_port: int | None

    def dumps(self) -> str:
        return json.dumps(self._asdict())

    @classmethod
    def loads(cls, text: str) -> WorkerOptions:
        return cls(**json.loads(text))
