"""Business rules: exact money, explicit ties, floors respected."""

from __future__ import annotations

import random
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.consolidate import consolidate
from app.core.models import Money, SupplierOffer
from app.core.rank import Ranked, Rules, rank
from tests.fakes import FakeRates, hotel, offer


def ranked(*offers: SupplierOffer, currency: str = "USD", markup: str = "10") -> Ranked:
    return rank(consolidate([hotel(offers=offers)]), currency=currency, rules=Rules(Decimal(markup)), rates=FakeRates())


@pytest.mark.parametrize(
    ("amount", "stated", "shown", "markup", "price"),
    [
        ("100.00", "USD", "USD", "10", "110.00"),
        ("100.00", "USD", "EUR", "10", "88.00"),
        ("100.00", "USD", "JPY", "0", "15000"),
        ("0.10", "USD", "USD", "8", "0.11"),
        ("10.05", "USD", "USD", "0.5", "10.10"),
        ("0.125", "USD", "USD", "0", "0.12"),  # half to even
        ("0.135", "USD", "USD", "0", "0.14"),
    ],
)
def test_markup_and_currency_are_exact_and_rounded_once(amount: str, stated: str, shown: str, markup: str, price: str) -> None:
    (shown_hotel,) = ranked(offer(amount=amount, currency=stated), currency=shown, markup=markup).hotels
    (only,) = shown_hotel.offers
    assert only.price == Money(Decimal(price), shown)
    assert str(only.price.amount) == price
    assert only.supplier_price == Money(Decimal(amount), stated), "the supplier's own amount is kept"


def test_a_price_floor_in_another_currency_is_never_undercut() -> None:
    floor = Money(Decimal("120.00"), "EUR")
    (shown,) = ranked(offer(amount="100.00", floor=floor)).hotels
    assert shown.offers[0].price == Money(Decimal("150.00"), "USD")


def test_rounding_never_takes_a_price_below_its_floor() -> None:
    floor = Money(Decimal("83.45"), "EUR")  # 104.3125 USD: rounded half-even it would be 104.31
    (shown,) = ranked(offer(amount="1.00", floor=floor)).hotels
    assert shown.offers[0].price == Money(Decimal("104.32"), "USD")
    (rounded_down,) = ranked(offer(amount="100.004", floor=Money(Decimal("100.003"), "USD")), markup="0").hotels
    assert rounded_down.offers[0].price == Money(Decimal("100.01"), "USD")


def test_an_offer_whose_floor_cannot_be_converted_is_dropped_not_sold_below_it() -> None:
    result = ranked(offer("a", floor=Money(Decimal("500"), "XTS")), offer("b"))
    assert [shown.offer_id for shown in result.hotels[0].offers] == ["b"]
    assert result.unpriceable == {"s1": 1}


@pytest.mark.parametrize(("currency", "price"), [("KWD", "33.000"), ("JPY", "16500"), ("EUR", "88.00")])
def test_a_price_has_its_currencys_minor_digits(currency: str, price: str) -> None:
    rates = FakeRates({"USD": "1", "EUR": "0.8", "JPY": "150", "KWD": "0.3"})
    hotels = consolidate([hotel(offers=(offer(),))])
    (shown,) = rank(hotels, currency=currency, rules=Rules(Decimal(10)), rates=rates).hotels
    assert str(shown.offers[0].price.amount) == price


def test_a_currencys_rate_is_looked_up_once_a_search() -> None:
    class CountingRates(FakeRates):
        asked = 0

        def rate(self, source: str, target: str) -> Decimal:
            self.asked += 1
            return super().rate(source, target)

    rates = CountingRates()
    hotels = consolidate([hotel(offers=tuple(offer(f"o{n}", currency="EUR") for n in range(20)))])
    rank(hotels, currency="USD", rules=Rules(Decimal(10)), rates=rates)
    assert rates.asked == 1


def test_an_offer_whose_currency_has_no_rate_is_dropped_and_counted() -> None:
    result = ranked(offer("a", currency="XTS"), offer("b"))
    assert [shown.offer_id for shown in result.hotels[0].offers] == ["b"]
    assert result.unpriceable == {"s1": 1}
    assert ranked(offer("a", currency="XTS")).hotels == []


def test_offers_are_cheapest_first_and_hotels_by_cheapest_then_more_offers() -> None:
    hotels = [
        hotel("a", "1", "Alba", (51.5, 0.0), (offer("x", "90"), offer("w", "80"))),
        hotel("b", "2", "Roma", (51.6, 0.0), (offer("y", "80"),)),
        hotel("c", "3", "Siena", (51.7, 0.0), (offer("z", "70"),)),
    ]
    result = rank(consolidate(hotels), currency="USD", rules=Rules(Decimal(0)), rates=FakeRates()).hotels
    assert [shown.name for shown in result] == ["Siena", "Alba", "Roma"]
    assert [shown.offer_id for shown in result[1].offers] == ["w", "x"]


amounts = st.decimals(min_value="0.01", max_value="99999", places=2)


@given(st.lists(amounts, min_size=1, max_size=12), st.decimals("0", "100", places=2), st.randoms(use_true_random=False))
def test_prices_equal_exact_arithmetic_and_input_order_does_not_matter(
    values: list[Decimal], markup: Decimal, rng: random.Random
) -> None:
    offers = [offer(f"o{n}", str(value)) for n, value in enumerate(values)]
    one = ranked(*offers, markup=str(markup)).hotels[0].offers
    rng.shuffle(offers)
    assert one == ranked(*offers, markup=str(markup)).hotels[0].offers
    expected = sorted((v * (100 + markup) / 100).quantize(Decimal("0.01"), ROUND_HALF_EVEN) for v in values)
    assert [shown.price.amount for shown in one] == expected
