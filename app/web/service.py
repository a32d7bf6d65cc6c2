"""What the routes share: the search once the lifespan has begun, what is counted, and what may be answered again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from app.core.cache import AnswerCache
from app.core.search import SearchService
from app.telemetry.counters import SearchCounters
from app.telemetry.loop_lag import LoopLag
from app.telemetry.metrics import Metrics
from app.web.admission import Admission
from app.web.query import QueryParser


@dataclass(slots=True)
class Service:
    """`search` is `None` before the lifespan has begun and after it has ended.

    `settle`, where there is one, waits briefly for what was begun in the background: the Lambda lane calls it before its loop
    stands still. `draining` is set by the server when it is told to stop; entry points find the service at
    `app.state.service`.
    """

    parser: QueryParser
    counters: SearchCounters
    lag: LoopLag
    version: dict[str, str | None]
    search: SearchService | None = None
    cache: AnswerCache | None = None
    draining: bool = False
    settle: Callable[[], Awaitable[None]] | None = None
    admission: Admission = field(default_factory=Admission)
    metrics: Metrics = field(default_factory=Metrics)
    today: Callable[[], date] = lambda: datetime.now(UTC).date()
