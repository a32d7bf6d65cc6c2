"""The whole flow over stand-in suppliers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.core.errors import AllSuppliersFailed, SupplierMalformed, SupplierSkipped, SupplierUnavailable
from app.core.models import SupplierOutcome
from app.core.rank import Rules
from app.core.search import SearchService
from tests.fakes import QUERY, FakeRates, FakeSupplier, hotel, offer


class Observer:
    def __init__(self) -> None:
        self.seen: list[tuple[SupplierOutcome, ...]] = []

    def search_finished(self, elapsed_ms: float, outcomes: tuple[SupplierOutcome, ...]) -> None:
        self.seen.append(outcomes)


def service(*suppliers: FakeSupplier, observer: Observer | None = None) -> SearchService:
    return SearchService(suppliers, rates=FakeRates(), rules=Rules(Decimal(10)), deadline_ms=200, observer=observer)


async def test_a_search_answers_with_hotels_and_one_outcome_per_supplier_though_most_fail() -> None:
    observer = Observer()
    result = await service(
        FakeSupplier("a", (hotel("a", "1", offers=(offer("x", "50"),)),)),
        FakeSupplier("b", (hotel("b", "7", offers=(offer("y", "40"),)),)),
        FakeSupplier("c", delay_s=9, timeout_ms=50),
        FakeSupplier("d", error=SupplierUnavailable("status 500")),
        FakeSupplier("e", error=SupplierMalformed("garbage")),
        observer=observer,
    ).search(QUERY, limit=10)
    assert [outcome.status for outcome in result.outcomes] == ["ok", "ok", "timeout", "error", "malformed"]
    (merged,) = result.hotels
    assert merged.supplier_ids == {"a": "1", "b": "7"}
    assert [(shown.supplier, str(shown.price.amount)) for shown in merged.offers] == [("b", "44.00"), ("a", "55.00")]
    assert result.complete is False
    assert observer.seen == [result.outcomes]


async def test_all_failing_says_so_with_every_outcome() -> None:
    with pytest.raises(AllSuppliersFailed) as caught:
        await service(
            FakeSupplier("a", error=SupplierUnavailable("down")), FakeSupplier("b", error=SupplierSkipped("cannot"))
        ).search(QUERY, limit=10)
    assert [outcome.status for outcome in caught.value.outcomes] == ["error", "skipped"]


async def test_no_rooms_anywhere_is_an_answer_not_a_failure() -> None:
    result = await service(FakeSupplier("a"), FakeSupplier("b", error=SupplierSkipped("cannot"))).search(QUERY, limit=10)
    assert (result.hotels, result.hotels_found, result.complete) == ((), 0, True)


async def test_the_page_limit_cuts_hotels_but_not_their_count() -> None:
    hotels = tuple(hotel("a", str(n), f"Hotel Number {n}", (51 + n, 0.0)) for n in range(5))
    result = await service(FakeSupplier("a", hotels)).search(QUERY, limit=2)
    assert (len(result.hotels), result.hotels_found) == (2, 5)


async def test_dropped_offers_are_said_in_the_suppliers_outcome() -> None:
    result = await service(FakeSupplier("a", (hotel("a", offers=(offer("x"), offer("y", currency="XTS"))),))).search(
        QUERY, limit=10
    )
    assert result.outcomes[0].detail == "1 offers dropped: no exchange rate for their currency"
