"""What the routes share: the search once the lifespan has begun, what is counted, and what may be answered again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from app.core.cache import AnswerCache
from app.core.search import SearchService
from app.telemetry.counters import SearchCounters
from app.telemetry.loop_lag import LoopLag
from app.telemetry.metrics import Metrics
from app.telemetry.tracing.port import Tracer
from app.web.admission import Admission
from app.web.query import QueryParser


@dataclass(slots=True)
class Service:
    """`search` is `None` before the lifespan has begun and after it has ended.

    `draining` is set by the server when it is told to stop; `tracer` is there where traces are wanted; `settlers` wait briefly,
    each, for what its part has begun in the background. Entry points find the service at `app.state.service`.
    """

    parser: QueryParser
    counters: SearchCounters
    lag: LoopLag
    version: dict[str, str | None]
    search: SearchService | None = None
    cache: AnswerCache | None = None
    draining: bool = False
    tracer: Tracer | None = None
    settlers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    admission: Admission = field(default_factory=Admission)
    metrics: Metrics = field(default_factory=Metrics)
    today: Callable[[], date] = lambda: datetime.now(UTC).date()

    async def settle(self) -> None:
        """Wait briefly for what was begun in the background: the Lambda lane calls this before its loop stands still."""
        if self.settlers:
            await asyncio.gather(*(settler() for settler in self.settlers))
