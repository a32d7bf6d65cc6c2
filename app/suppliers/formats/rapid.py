"""Expedia Rapid v3, `GET /v3/properties/availability` (source: Expedia Group's OpenAPI, rapid-java-sdk, Apache-2.0).

Answers carry ids but no names or positions: they are joined from content. At most 250 property ids a request. No rooms is
`[]` or 404. Money is a string; `inclusive` is the stay with taxes, `property_fees` is due at the property, and
`minimum_selling_price` is the lowest price we may show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from app.core.errors import SupplierMalformed, SupplierSkipped
from app.core.models import Money, Occupancy, SearchQuery, SupplierHotel, SupplierOffer
from app.suppliers.content import ContentHotel
from app.suppliers.formats.account import Account, SecondsSignature
from app.suppliers.wire import (
    Transport,
    Where,
    WireRequest,
    WireResponse,
    charge,
    decode,
    expect_success,
    price,
    said,
    send_all,
)

MAX_IDS = 250
MAX_NIGHTS = 28
RATES_PER_HOTEL = 4


class _Amount(Struct, gc=False):
    value: Decimal
    currency: str


class _Total(Struct, gc=False):
    request_currency: _Amount


class _Totals(Struct, gc=False):
    inclusive: _Total
    property_fees: _Total | None = None
    minimum_selling_price: _Total | None = None


class _Pricing(Struct, gc=False):
    totals: _Totals


class _Rate(Struct, gc=False):
    id: str
    occupancy_pricing: dict[str, _Pricing]
    refundable: bool | None = None
    amenities: dict[str, dict[str, object]] = {}


class _Room(Struct, gc=False):
    room_name: str
    rates: list[_Rate]


class _Property(Struct, gc=False):
    property_id: str
    rooms: list[_Room] = []


_ANSWER = msgspec.json.Decoder(list[_Property])
BOARD_AMENITIES = {
    "2103": "breakfast",
    "2104": "breakfast",
    "1073742786": "breakfast",
    "2206": "half board",
    "2205": "full board",
}


class Rapid:
    """Speaks Rapid for one supplier."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._signature = SecondsSignature(account, "sha512")

    async def search(self, query: SearchQuery, transport: Transport) -> tuple[SupplierHotel, ...]:
        hotels = self._account.hotels_at(query.place)
        if query.nights > MAX_NIGHTS:
            raise SupplierSkipped(f"sells at most {MAX_NIGHTS} nights")
        requests = self.requests(query, hotels)
        answers = await send_all([transport.send(request) for request in requests])
        return tuple([hotel for answer in answers for hotel in self.parse(answer, query, hotels)])

    def requests(self, query: SearchQuery, hotels: Iterable[str]) -> list[WireRequest]:
        """One request for each `MAX_IDS` of the hotels' ids."""
        head = f"{self._account.url}/v3/properties/availability?{_fields(query)}"
        headers = {"Authorization": self._authorization(), "Accept": "application/json"}
        return [
            WireRequest("GET", f"{head}&property_id={'&property_id='.join(batch)}", headers)
            for batch in batches(list(hotels), MAX_IDS)
        ]

    def _authorization(self) -> str:
        stamp, signature = self._signature.now()
        return f"EAN APIKey={self._account.key},Signature={signature},timestamp={stamp}"

    def parse(self, response: WireResponse, query: SearchQuery, hotels: Mapping[str, ContentHotel]) -> list[SupplierHotel]:
        if response.status == 404:
            return []
        expect_success(response)
        asked, currency = occupancy(query.occupancy), query.currency
        found = []
        for answer in decode(_ANSWER, response.body):
            known = hotels.get(answer.property_id)
            if known is None:  # never asked for: it has no name to show, so it is left out
                continue
            offers = tuple(
                [_offer(room, rate, asked, currency, answer.property_id) for room in answer.rooms for rate in room.rates]
            )
            if offers:
                found.append(
                    SupplierHotel(self._account.supplier, known.hotel_id, known.name, known.latitude, known.longitude, offers)
                )
        return found


@lru_cache(maxsize=1_024)
def _fields(query: SearchQuery) -> str:
    """The part of the URL that all suppliers of this format share in one search."""
    return urlencode(
        {
            "checkin": query.check_in.isoformat(),
            "checkout": query.check_out.isoformat(),
            "currency": query.currency,
            "country_code": "US",
            "language": "en-US",
            "occupancy": occupancy(query.occupancy),
            "rate_plan_count": str(RATES_PER_HOTEL),
            "sales_channel": "website",
            "sales_environment": "hotel_only",
        }
    )


def occupancy(value: Occupancy) -> str:
    """Rapid's occupancy: adults, then the children's ages: `2`, `2-7,10`."""
    return f"{value.adults}-{','.join(map(str, value.children))}" if value.children else str(value.adults)


def batches(ids: Sequence[str], size: int) -> list[list[str]]:
    return [list(ids[start : start + size]) for start in range(0, len(ids), size)]


def _offer(room: _Room, rate: _Rate, asked: str, currency: str, property_id: str) -> SupplierOffer:
    """A search makes hundreds, so the usual case (a price, nothing besides) is spelled out."""
    where = ("property", property_id, "rate", rate.id)
    pricing = rate.occupancy_pricing.get(asked)
    if pricing is None:
        raise SupplierMalformed(f"{said(where)}: no price for the occupancy asked ({asked})")
    totals = pricing.totals
    stay = totals.inclusive.request_currency
    if stay.currency != currency:
        raise _other_currency(stay, currency, where)
    fees = floor = None
    if totals.property_fees:
        fees = _beside(totals.property_fees, currency, (*where, "property_fees"))
    if totals.minimum_selling_price:
        floor = _beside(totals.minimum_selling_price, currency, (*where, "minimum_selling_price"))
    board = _board(rate.amenities) if rate.amenities else "room only"
    return SupplierOffer(rate.id, room.room_name, board, price(stay.value, currency, where), fees, floor, rate.refundable)


def _beside(total: _Total, currency: str, where: Where) -> Money:
    amount = total.request_currency
    if amount.currency != currency:
        raise _other_currency(amount, currency, where)
    return charge(amount.value, currency, where)


def _other_currency(amount: _Amount, currency: str, where: Where) -> SupplierMalformed:
    """`request_currency` is by definition the one asked for."""
    return SupplierMalformed(f"{said(where)}: priced in {amount.currency}, asked for {currency}")


def _board(amenities: Mapping[str, object]) -> str:
    return next((BOARD_AMENITIES[amenity] for amenity in amenities if amenity in BOARD_AMENITIES), "room only")
