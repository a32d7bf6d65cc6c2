"""Ask every supplier at once, under one deadline: exactly one outcome per supplier, whatever a supplier does.

One task a supplier, and one timer for each *distinct* time limit (not one a call): with 45 suppliers and three limits that
is three timers a search. Whoever is not done when its limit passes is cancelled and reported as `timeout`; what a supplier
returns is checked here once, so that no later step meets a value of the wrong kind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from app.core.errors import SupplierError, SupplierMalformed, SupplierSkipped, SupplierTimeout
from app.core.models import OutcomeStatus, SearchQuery, SupplierHotel, SupplierOffer, SupplierOutcome
from app.core.ports import Supplier

Clock = Callable[[], float]
"""Seconds that only ever grow, such as `time.perf_counter`."""

CANCEL_GRACE_S = 0.25
"""How long a cancelled call may take to clean up. One that ignores being cancelled is left behind, not waited for."""

MAX_DETAIL = 300
"""Longest text of an outcome's detail: a supplier's error may carry the supplier's answer."""

_STATUS_OF = {
    SupplierTimeout: OutcomeStatus.TIMEOUT,
    SupplierMalformed: OutcomeStatus.MALFORMED,
    SupplierSkipped: OutcomeStatus.SKIPPED,
}

_INFINITE = Decimal("Infinity")

log = logging.getLogger("crossover.fanout")


class SupplierAnswer(NamedTuple):
    """What one supplier said, and what became of asking it; `hotels` is empty unless the outcome is `ok`."""

    outcome: SupplierOutcome
    hotels: tuple[SupplierHotel, ...]


async def fan_out(
    suppliers: Sequence[Supplier],
    query: SearchQuery,
    *,
    deadline_ms: int,
    clock: Clock,
    on_answer: Callable[[SupplierAnswer], None] | None = None,
) -> list[SupplierAnswer]:
    """Ask all suppliers in parallel; answers come in the order of `suppliers`.

    Each supplier has its own `timeout_ms`, shortened to the deadline; cancelled calls are awaited for `CANCEL_GRACE_S`.
    Cancelling the caller cancels every call. `on_answer` hears each answer the moment it is there.
    """
    if not suppliers:
        return []
    loop = asyncio.get_running_loop()
    started = clock()
    tasks: list[asyncio.Task[SupplierAnswer]] = []
    by_limit: dict[int, list[asyncio.Task[SupplierAnswer]]] = {}
    for supplier in suppliers:
        task = loop.create_task(_ask(supplier, query, clock, started, on_answer))
        tasks.append(task)
        by_limit.setdefault(min(supplier.timeout_ms, deadline_ms), []).append(task)
    timers = [loop.call_later(limit / 1000, _cancel_all, group) for limit, group in by_limit.items()]
    try:
        await asyncio.wait(tasks, timeout=max(by_limit) / 1000 + CANCEL_GRACE_S)
    except asyncio.CancelledError:
        _cancel_all(tasks)
        await asyncio.wait(tasks, timeout=CANCEL_GRACE_S)
        raise
    finally:
        for timer in timers:
            timer.cancel()
    return [
        task.result() if task.done() else _left_behind(supplier, clock, started)
        for supplier, task in zip(suppliers, tasks, strict=True)
    ]


async def _ask(
    supplier: Supplier,
    query: SearchQuery,
    clock: Clock,
    started: float,
    on_answer: Callable[[SupplierAnswer], None] | None,
) -> SupplierAnswer:
    """One supplier's answer; every failure becomes its outcome, even an exception that is no `Exception`."""
    status, detail = OutcomeStatus.OK, None
    hotels: tuple[SupplierHotel, ...] = ()
    offers = 0
    try:
        hotels = await supplier.search(query)
        offers = _vet(supplier.id, hotels)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        status, detail = _failure(error)
        hotels = ()
    elapsed_ms = round((clock() - started) * 1000, 3)
    answer = SupplierAnswer(SupplierOutcome(supplier.id, status, elapsed_ms, len(hotels), offers, detail), hotels)
    if on_answer is not None:
        on_answer(answer)
    return answer


def _failure(error: BaseException) -> tuple[OutcomeStatus, str]:
    try:
        said = str(error)
    except Exception:
        said = "(its message cannot be shown)"
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # by our timer, or our caller is gone and nobody reads this
            return OutcomeStatus.TIMEOUT, "no answer in time"
    if isinstance(error, SupplierError):
        status = next((status for kind, status in _STATUS_OF.items() if isinstance(error, kind)), OutcomeStatus.ERROR)
    else:  # a supplier's adapter broke: that is its failure, not the search's
        status, said = OutcomeStatus.ERROR, f"{type(error).__name__}: {said}"
    return status, said if len(said) <= MAX_DETAIL else said[: MAX_DETAIL - 1] + "…"


def _vet(supplier: str, hotels: tuple[SupplierHotel, ...]) -> int:
    """The number of offers; raises `SupplierMalformed` for an answer that is not what the port promises.

    Every answer passes through here (a third of a millisecond a search), so it compares and leaves raising to Python.
    """
    if type(hotels) is not tuple:
        raise SupplierMalformed(f"answered a {type(hotels).__name__} instead of a tuple of hotels")
    offers = 0
    try:
        for hotel in hotels:
            if hotel.supplier != supplier or type(hotel) is not SupplierHotel or type(hotel.offers) is not tuple:
                raise SupplierMalformed("answered something that is not a hotel of its own")
            if type(hotel.hotel_id) is not str or type(hotel.name) is not str:
                raise SupplierMalformed("a hotel's id and name must be text")
            latitude, longitude = hotel.latitude, hotel.longitude
            if not ((latitude is None or -90 <= latitude <= 90) and (longitude is None or -180 <= longitude <= 180)):
                raise SupplierMalformed(f"hotel {hotel.hotel_id}: a position that is nowhere on earth")
            for offer in hotel.offers:
                if not _is_offer(offer):
                    raise SupplierMalformed(f"hotel {hotel.hotel_id}: an offer without texts or an exact price above zero")
            offers += len(hotel.offers)
    except (AttributeError, TypeError, ArithmeticError) as error:  # ArithmeticError: comparing a Decimal that is no number
        raise SupplierMalformed(f"answered a value of the wrong kind ({type(error).__name__})") from None
    return offers


def _is_offer(offer: SupplierOffer) -> bool:
    total, floor = offer.total, offer.floor
    return (
        type(offer) is SupplierOffer
        and type(total.amount) is Decimal
        and 0 < total.amount < _INFINITE
        and type(total.currency) is str
        and type(offer.offer_id) is str
        and type(offer.room) is str
        and type(offer.board) is str
        and (floor is None or (type(floor.amount) is Decimal and 0 <= floor.amount < _INFINITE and type(floor.currency) is str))
    )


def _left_behind(supplier: Supplier, clock: Clock, started: float) -> SupplierAnswer:
    log.warning("supplier %s ignores being cancelled; its call is left behind", supplier.id)
    elapsed_ms = round((clock() - started) * 1000, 3)
    detail = "no answer in time, and its call ignores being cancelled"
    return SupplierAnswer(SupplierOutcome(supplier.id, OutcomeStatus.TIMEOUT, elapsed_ms, detail=detail), ())


def _cancel_all(tasks: Sequence[asyncio.Task[SupplierAnswer]]) -> None:
    for task in tasks:
        task.cancel()
