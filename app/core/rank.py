"""The business rules: markup, currency, and order. Pure and exact; rounding happens once, on the price a guest sees.

price = supplier's total × (1 + markup), converted, then rounded half-even to the currency's minor digits (ISO 4217);
        where that is below the supplier's price floor: the floor, converted, rounded up
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
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


class Rules(NamedTuple):
    """`markup_percent` is added to every supplier's price."""

    markup_percent: Decimal


class Ranked(NamedTuple):
    """Hotels in rank order, and per supplier how many offers were dropped because their currency has no rate."""

    hotels: list[Hotel]
    unpriceable: dict[str, int]


def rank(hotels: Sequence[ConsolidatedHotel], *, currency: str, rules: Rules, rates: ExchangeRates) -> Ranked:
    """Price every offer in `currency`, sort offers and hotels by price.

    Ties: offers by supplier, then offer id; hotels by more offers first, then id. A hotel whose offers were all dropped is
    left out.
    """
    pricing = _Pricing(currency, rules, rates)
    ranked = []
    for hotel in hotels:
        offers = [offer for supplier, stated in hotel.offers if (offer := pricing.price(supplier, stated)) is not None]
        if offers:
            offers.sort(key=lambda offer: (offer.price.amount, offer.supplier, offer.offer_id))
            ranked.append(Hotel(hotel.id, hotel.name, hotel.latitude, hotel.longitude, hotel.supplier_ids, tuple(offers)))
    ranked.sort(key=lambda hotel: (hotel.offers[0].price.amount, -len(hotel.offers), hotel.id))
    return Ranked(ranked, pricing.unpriceable)


class _Pricing:
    """Prices one search's offers; what a currency's amounts are multiplied by is worked out once."""

    def __init__(self, currency: str, rules: Rules, rates: ExchangeRates) -> None:
        self._currency = currency
        self._rates = rates
        self._markup = 1 + rules.markup_percent / 100
        self._quantum = Decimal(1).scaleb(-MINOR_DIGITS.get(currency, 2))
        self._factors_of: dict[str, tuple[Decimal, Decimal] | None] = {}
        self.unpriceable: dict[str, int] = {}

    def price(self, supplier: str, stated: SupplierOffer) -> Offer | None:
        """The offer as shown; `None`, and counted, when a currency of its price or of its floor has no rate."""
        total, floor = stated.total, stated.floor
        factors = self._factors(total.currency)
        floor_factors = factors if floor is None else self._factors(floor.currency)
        if factors is None or floor_factors is None:
            self.unpriceable[supplier] = self.unpriceable.get(supplier, 0) + 1
            return None
        amount = (total.amount * factors[1]).quantize(self._quantum, ROUND_HALF_EVEN)
        if floor is not None and amount < (least := floor.amount * floor_factors[0]):
            amount = least.quantize(self._quantum, ROUND_CEILING)
        return Offer(
            supplier,
            stated.offer_id,
            stated.room,
            stated.board,
            Money(amount, self._currency),
            total,
            stated.due_at_property,
            stated.refundable,
        )

    def _factors(self, source: str) -> tuple[Decimal, Decimal] | None:
        """The rate, and the rate with our markup; `None` without a rate."""
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
