"""Runs the simulator on uvicorn, counting connections and giving faults a way to break them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infra.errors import KitError
from infra.lab.simulator.service import Simulator


def serve(simulator: Simulator, host: str, port: int) -> None:
    """Serve until stopped; prints one line with the address when connections are accepted."""
    try:
        listener = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise KitError(f"cannot listen on {host}:{port}: {reason}; name a free port with --port") from None

    class Counting(HttpToolsProtocol):
        def connection_made(self, transport: Any) -> None:
            simulator.connections_accepted += 1
            simulator.connections_open += 1
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            simulator.connections_open -= 1
            super().connection_lost(error)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.scope["crossover.transport"] = self.transport  # type: ignore[typeddict-unknown-key]

    config = uvicorn.Config(
        simulator, http=Counting, loop="uvloop", access_log=False, log_level="critical", lifespan="off", timeout_keep_alive=75
    )
    server = _Server(config)
    print(f"listening on http://{host}:{listener.getsockname()[1]}", flush=True)  # noqa: T201
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Stops at once: answers that hang on purpose are not waited for."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        os._exit(0 if sig in (signal.SIGTERM, signal.SIGINT) else 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.sleep(0)
