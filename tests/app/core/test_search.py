"""The whole flow over stand-in suppliers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from app.core.errors import AllSuppliersFailed, SupplierMalformed, SupplierSkipped, SupplierUnavailable
from app.core.models import Money, SupplierHotel, SupplierOutcome
from app.core.rank import Rules
from app.core.search import SearchService
from tests.fakes import QUERY, FakeRates, FakeSupplier, hotel, offer

NAN, INFINITE = float("nan"), float("inf")


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


async def test_whoever_times_a_search_hears_once_that_suppliers_are_asked_before_they_are() -> None:
    supplier = FakeSupplier("a", (hotel("a"),))
    asked: list[int] = []
    await service(supplier).search(QUERY, limit=10, on_asking=lambda: asked.append(supplier.asked))
    assert (asked, supplier.asked) == ([0], 1)


async def test_all_failing_says_so_with_every_outcome() -> None:
    with pytest.raises(AllSuppliersFailed) as caught:
        await service(
            FakeSupplier("a", error=SupplierUnavailable("down")), FakeSupplier("b", error=SupplierSkipped("cannot"))
        ).search(QUERY, limit=10)
    assert [outcome.status for outcome in caught.value.outcomes] == ["error", "skipped"]
    assert str(caught.value) == "none of the 1 suppliers asked answered (1 more cannot express this search)"


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
    assert result.outcomes[0].detail == "1 offer dropped: no exchange rate for their currency"


def lie(**fields: object) -> tuple[SupplierHotel, ...]:
    return (replace(hotel("liar"), **fields),)


@pytest.mark.parametrize(
    "answer",
    [
        lie(name=None),
        lie(hotel_id=7),
        lie(latitude=NAN),
        lie(longitude=INFINITE),
        lie(latitude="51.5"),
        lie(latitude=91.0),
        lie(offers=None),
        lie(offers=[offer()]),
        lie(offers=(None,)),
        lie(supplier="honest"),
        lie(offers=(offer(amount="NaN"),)),
        lie(offers=(offer(amount="sNaN"),)),
        lie(offers=(offer(amount="Infinity"),)),
        lie(offers=(offer(amount="-5"),)),
        lie(offers=(replace(offer(), total=Money(99.5, "USD")),)),  # type: ignore[arg-type]
        lie(offers=(replace(offer(), total=Money(Decimal(9), None)),)),  # type: ignore[arg-type]
        lie(offers=(replace(offer(), floor=Money(9.5, "USD")),)),  # type: ignore[arg-type]
        lie(offers=(replace(offer(), room=object()),)),
        (h for h in (hotel("liar"),)),
        [hotel("liar")],
        "hotels",
        {"hotels": 1},
    ],
)
async def test_a_supplier_that_answers_values_of_the_wrong_kind_costs_its_own_hotels_only(answer: Any) -> None:
    result = await service(FakeSupplier("honest", (hotel("honest"),)), FakeSupplier("liar", answer)).search(QUERY, limit=10)
    assert [outcome.status for outcome in result.outcomes] == ["ok", "malformed"]
    assert [list(shown.supplier_ids) for shown in result.hotels] == [["honest"]]
    assert result.outcomes[1].detail
    json.encode(result)
