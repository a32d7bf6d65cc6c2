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
    """aiomonitor on loopback: `telnet 127.0.0.1 PORT`, then `ps`, `where <task>`, `console`; PORT + 1 is its page,
    PORT + 2 is what `console` uses. Whoever reaches it can do anything in this process: only where nobody else is."""
    try:
        import aiomonitor
    except ImportError:
        raise ConfigurationError(
            "--console-port: needs aiomonitor, which the bundle does not carry: pip install aiomonitor"
        ) from None
    ports = {"port": port, "webui_port": port + 1, "console_port": port + 2}
    with aiomonitor.start_monitor(loop, host="127.0.0.1", hook_task_factory=True, **ports):
        log.warning("a console listens on 127.0.0.1:%d: whoever reaches it can do anything in this process", port)
        yield
