"""Ask every supplier at once, under one deadline: exactly one outcome per supplier, whatever a supplier does.

One task a supplier, and one timer for each *distinct* time limit (not one a call): with 45 suppliers and three limits that
is three timers a search. Whoever is not done when its limit passes is cancelled and reported as `timeout`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from app.core.errors import SupplierError, SupplierMalformed, SupplierSkipped, SupplierTimeout
from app.core.models import OutcomeStatus, SearchQuery, SupplierHotel, SupplierOutcome
from app.core.ports import Supplier

Clock = Callable[[], float]
"""Seconds that only ever grow, such as `time.perf_counter`."""


class SupplierAnswer(NamedTuple):
    """What one supplier said, and what became of asking it; `hotels` is empty unless the outcome is `ok`."""

    outcome: SupplierOutcome
    hotels: tuple[SupplierHotel, ...]


async def fan_out(suppliers: Sequence[Supplier], query: SearchQuery, *, deadline_ms: int, clock: Clock) -> list[SupplierAnswer]:
    """Ask all suppliers in parallel; answers come in the order of `suppliers`.

    Each supplier has its own `timeout_ms`, shortened to the deadline. Cancelling the caller cancels every call; no task
    outlives this function.
    """
    if not suppliers:
        return []
    loop = asyncio.get_running_loop()
    started = clock()
    tasks: list[asyncio.Task[SupplierAnswer]] = []
    by_limit: dict[int, list[asyncio.Task[SupplierAnswer]]] = {}
    for supplier in suppliers:
        task = loop.create_task(_ask(supplier, query, clock, started))
        tasks.append(task)
        by_limit.setdefault(min(supplier.timeout_ms, deadline_ms), []).append(task)
    timers = [loop.call_later(limit / 1000, _cancel_all, group) for limit, group in by_limit.items()]
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        _cancel_all(tasks)
        await asyncio.wait(tasks)
        raise
    finally:
        for timer in timers:
            timer.cancel()
    return [task.result() for task in tasks]


async def _ask(supplier: Supplier, query: SearchQuery, clock: Clock, started: float) -> SupplierAnswer:
    """One supplier's answer; every failure but our own cancelling becomes its outcome."""
    status, detail = OutcomeStatus.OK, None
    hotels: tuple[SupplierHotel, ...] = ()
    offers = 0
    try:
        hotels = await supplier.search(query)
        offers = sum(len(hotel.offers) for hotel in hotels)
    except SupplierTimeout as error:
        status, detail = OutcomeStatus.TIMEOUT, str(error)
    except SupplierMalformed as error:
        status, detail = OutcomeStatus.MALFORMED, str(error)
    except SupplierSkipped as error:
        status, detail = OutcomeStatus.SKIPPED, str(error)
    except SupplierError as error:
        status, detail = OutcomeStatus.ERROR, str(error)
    except asyncio.CancelledError:  # our timer, or our caller gone: then fan_out raises and nobody reads this
        status, detail = OutcomeStatus.TIMEOUT, "no answer in time"
    except Exception as error:  # a supplier's adapter broke: that is its failure, not the search's
        status, detail = OutcomeStatus.ERROR, f"{type(error).__name__}: {error}"
    if status is not OutcomeStatus.OK:
        hotels, offers = (), 0
    elapsed_ms = round((clock() - started) * 1000, 3)
    return SupplierAnswer(SupplierOutcome(supplier.id, status, elapsed_ms, len(hotels), offers, detail), hotels)


def _cancel_all(tasks: Sequence[asyncio.Task[SupplierAnswer]]) -> None:
    for task in tasks:
        task.cancel()
