"""Looking into a running worker: asyncio's debug mode, and a console on its loop. Both off by default."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from app.core.errors import ConfigurationError

SLOW_CALLBACK_S = 0.001

log = logging.getLogger("crossover.serving")


def slow_callbacks(loop: asyncio.AbstractEventLoop) -> None:
    """Log every callback that holds the loop longer than a millisecond; the loop must be in debug mode."""
    loop.slow_callback_duration = SLOW_CALLBACK_S


@contextlib.contextmanager
def console(loop: asyncio.AbstractEventLoop, port: int) -> Iterator[None]:
    """aiomonitor on loopback: `telnet 127.0.0.1 PORT`, then `ps`, `where <task>`, `console`. Whoever reaches it can do anything
    in this process, so it is for a machine that only you are on."""
    try:
        import aiomonitor
    except ImportError:
        raise ConfigurationError(
            "--console-port: needs aiomonitor, which the bundle does not carry: pip install aiomonitor"
        ) from None
    with aiomonitor.start_monitor(loop, host="127.0.0.1", port=port, console_enabled=True, hook_task_factory=True):
        log.warning("a console listens on 127.0.0.1:%d: whoever reaches it can do anything in this process", port)
        yield
