"""The business rules: markup, currency, and order. Pure and exact; rounding happens once, on the price a guest sees.

price = supplier's total × (1 + markup), converted, then rounded half-even to the currency's minor digits (ISO 4217);
        where that is below the supplier's price floor: the floor, converted, rounded up
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

from app.core.consolidate import ConsolidatedHotel
from app.core.models import Hotel, Money, Offer, SupplierOffer
from app.core.ports import ExchangeRates

MINOR_DIGITS: Mapping[str, int] = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF"), 0),
    **dict.fromkeys(("XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""ISO 4217 currencies whose minor unit is not two digits."""

_ROUND_HALF_EVEN = Context(prec=28, rounding=ROUND_HALF_EVEN).quantize
"""`amount.quantize(quantum, ROUND_HALF_EVEN)` in the default 28 digits, without looking a context up for every offer."""

_NONE = Decimal(0)


class Rules(NamedTuple):
    """`markup_percent` is added to every supplier's price."""

    markup_percent: Decimal


class Ranked(NamedTuple):
    """The best hotels in rank order, how many there are in all, and per supplier how many offers were dropped because their
    currency has no rate."""

    hotels: list[Hotel]
    found: int
    unpriceable: dict[str, int]


class _Priced(NamedTuple):
    """A hotel in the order that ranks it; `rows` are its offers, in theirs."""

    amount: Decimal
    fewer: int
    id: str
    rows: list[_Row]
    hotel: ConsolidatedHotel


_Row = tuple[Decimal, str, str, int, SupplierOffer]
"""(price, supplier, offer id, place in the answer, offer): rows sort by price, then supplier, then offer id."""


def rank(
    hotels: Iterable[ConsolidatedHotel], *, currency: str, rules: Rules, rates: ExchangeRates, limit: int | None = None
) -> Ranked:
    """Price every offer in `currency`, sort offers and hotels by price; the first `limit` hotels are returned.

    Ties: offers by supplier, then offer id; hotels by more offers first, then id. A hotel whose offers were all dropped is
    left out.
    """
    pricing = _Pricing(currency, rules, rates)
    priced = []
    for hotel in hotels:
        rows = pricing.rows(hotel)
        if rows:
            rows.sort()
            priced.append(_Priced(rows[0][0], -len(rows), hotel.id, rows, hotel))
    priced.sort()
    return Ranked([_shown(hotel, currency) for hotel in priced[:limit]], len(priced), pricing.unpriceable)


def _shown(priced: _Priced, currency: str) -> Hotel:
    offers = [
        Offer(
            supplier,
            offer_id,
            stated.room,
            stated.board,
            Money(amount, currency),
            stated.total,
            stated.due_at_property,
            stated.refundable,
        )
        for amount, supplier, offer_id, _, stated in priced.rows
    ]
    hotel = priced.hotel
    return Hotel(hotel.id, hotel.name, hotel.latitude, hotel.longitude, hotel.supplier_ids, tuple(offers))


class _Pricing:
    """Prices one search's offers; what a currency's amounts are multiplied by is worked out once."""

    def __init__(self, currency: str, rules: Rules, rates: ExchangeRates) -> None:
        self._currency = currency
        self._rates = rates
        self._markup = 1 + rules.markup_percent / 100
        self._quantum = Decimal(1).scaleb(-MINOR_DIGITS.get(currency, 2))
        self._factors_of: dict[str, tuple[Decimal, Decimal] | None] = {}
        self.unpriceable: dict[str, int] = {}

    def rows(self, hotel: ConsolidatedHotel) -> list[_Row]:
        """The hotel's offers with their prices. A search runs this for every offer, so the usual case (a currency met
        before, no price floor) is spelled out."""
        rows: list[_Row] = []
        quantum, round_half_even = self._quantum, _ROUND_HALF_EVEN
        last: str | None = None
        factor = _NONE
        for member in hotel.members:
            supplier = member.supplier
            for stated in member.offers:
                total = stated.total
                if total.currency != last:
                    factors = self._factors(total.currency)
                    if factors is None:
                        self._drop(supplier)
                        continue
                    last, factor = total.currency, factors[1]
                amount = round_half_even(total.amount * factor, quantum)
                if stated.floor is not None:
                    floor_factors = self._factors(stated.floor.currency)
                    if floor_factors is None:
                        self._drop(supplier)
                        continue
                    least = stated.floor.amount * floor_factors[0]
                    if amount < least:
                        amount = least.quantize(quantum, ROUND_CEILING)
                rows.append((amount, supplier, stated.offer_id, len(rows), stated))
        return rows

    def _drop(self, supplier: str) -> None:
        self.unpriceable[supplier] = self.unpriceable.get(supplier, 0) + 1

    def _factors(self, source: str) -> tuple[Decimal, Decimal] | None:
        """The rate, and the rate with our markup; `None` without a rate. A rate is looked up once a search."""
        try:
            return self._factors_of[source]
        except KeyError:
            pass
        factors = None
        try:
            rate = Decimal(1) if source == self._currency else self._rates.rate(source, self._currency)
            factors = rate, rate * self._markup
        except KeyError:
            pass
        self._factors_of[source] = factors
        return factors
