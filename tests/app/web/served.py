"""The web app over a real uvicorn on loopback: what the in-memory transport cannot show, such as a caller that leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from app.web.routes import build_web
from app.web.service import Service


@asynccontextmanager
async def served(service: Service) -> AsyncIterator[tuple[str, int]]:
    """Host and port; the service's lifespan is not run."""
    server = uvicorn.Server(uvicorn.Config(build_web(service), port=0, lifespan="off", log_level="error", http="httptools"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()
    finally:
        server.should_exit = True
        await serving
