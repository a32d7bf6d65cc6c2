"""Ask every supplier at once, under one deadline: exactly one outcome per supplier, whatever a supplier does.

One task a supplier, and one timer for each *distinct* time limit (not one a call): with 45 suppliers and three limits that
is four timers a search. Whoever is not done when its limit passes is cancelled and reported as `timeout`; what a supplier
returns is checked here, unless it has checked that itself (`vetted`), so that no later step meets a value of the wrong kind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple, cast

from app.core.errors import SupplierError, SupplierHeldBack, SupplierMalformed, SupplierSkipped, SupplierTimeout
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
    SupplierHeldBack: OutcomeStatus.HELD_BACK,
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
    return await _FanOut(suppliers, query, deadline_ms, clock, on_answer).run()


class _FanOut:
    """One search's calls: each task puts its answer in its place, and the last one to finish wakes the search."""

    __slots__ = (
        "_answers",
        "_clock",
        "_deadline_ms",
        "_done",
        "_left",
        "_on_answer",
        "_query",
        "_started",
        "_suppliers",
        "_tasks",
    )

    def __init__(
        self,
        suppliers: Sequence[Supplier],
        query: SearchQuery,
        deadline_ms: int,
        clock: Clock,
        on_answer: Callable[[SupplierAnswer], None] | None,
    ) -> None:
        self._suppliers = suppliers
        self._query = query
        self._deadline_ms = deadline_ms
        self._clock = clock
        self._on_answer = on_answer
        self._answers: list[SupplierAnswer | None] = [None] * len(suppliers)
        self._left = len(suppliers)

    async def run(self) -> list[SupplierAnswer]:
        loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = loop.create_future()
        self._started = self._clock()
        self._tasks = [loop.create_task(self._ask(place, supplier)) for place, supplier in enumerate(self._suppliers)]
        by_limit: dict[int, list[asyncio.Task[None]]] = {}
        for supplier, task in zip(self._suppliers, self._tasks, strict=True):
            by_limit.setdefault(min(supplier.timeout_ms, self._deadline_ms), []).append(task)
        timers = [loop.call_later(limit / 1000, _cancel_all, group) for limit, group in by_limit.items()]
        timers.append(loop.call_later(max(by_limit) / 1000 + CANCEL_GRACE_S, self._finish))
        try:
            await self._done
        except asyncio.CancelledError:
            _cancel_all(self._tasks)
            await asyncio.wait(self._tasks, timeout=CANCEL_GRACE_S)
            raise
        finally:
            for timer in timers:
                timer.cancel()
        if self._left:
            return [self._answers[place] or self._left_behind(supplier) for place, supplier in enumerate(self._suppliers)]
        return cast(list[SupplierAnswer], self._answers)

    async def _ask(self, place: int, supplier: Supplier) -> None:
        """One supplier's answer; every failure becomes its outcome, even an exception that is no `Exception`."""
        status, detail = OutcomeStatus.OK, None
        hotels: tuple[SupplierHotel, ...] = ()
        offers = 0
        try:
            hotels = await supplier.search(self._query)
            offers = sum([len(hotel.offers) for hotel in hotels]) if supplier.vetted else vet(supplier.id, hotels)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            status, detail = _failure(error)
            hotels = ()
        elapsed_ms = round((self._clock() - self._started) * 1000, 3)
        answer = SupplierAnswer(SupplierOutcome(supplier.id, status, elapsed_ms, len(hotels), offers, detail), hotels)
        self._answers[place] = answer
        self._left -= 1
        if self._on_answer is not None:
            self._on_answer(answer)
        if not self._left:
            self._finish()

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _left_behind(self, supplier: Supplier) -> SupplierAnswer:
        log.warning("supplier %s ignores being cancelled; its call is left behind", supplier.id)
        elapsed_ms = round((self._clock() - self._started) * 1000, 3)
        detail = "no answer in time, and its call ignores being cancelled"
        return SupplierAnswer(SupplierOutcome(supplier.id, OutcomeStatus.TIMEOUT, elapsed_ms, detail=detail), ())


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


def vet(supplier: str, hotels: tuple[SupplierHotel, ...]) -> int:
    """The number of offers; raises `SupplierMalformed` for an answer that is not what the port promises.

    It takes a third of a millisecond a search, so it compares and leaves raising to Python.
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


def _cancel_all(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
