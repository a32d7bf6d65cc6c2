"""LiteAPI v3.0, `POST /v3.0/hotels/rates` (source: the vendor's OpenAPI, liteapi-travel/mcp-server).

Money is a JSON number: it is read from its text into `Decimal`, never through a float. `retailRate.total` is the stay as
charged; fees marked not included are due at the property; `suggestedSellingPrice` is the lowest price that may be shown
in public (specification: "minimum public selling price"). No rooms: status 204, with or without a body, or an error 2001.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec
from msgspec import Struct

from app.core.errors import SupplierMalformed
from app.core.models import Money, SearchQuery, SupplierHotel, SupplierOffer
from app.suppliers.content import ContentHotel
from app.suppliers.formats.account import Account
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
)

NO_AVAILABILITY = 2001
BOARDS = {
    "RO": "room only",
    "BI": "breakfast",
    "BB": "breakfast",
    "HB": "half board",
    "FB": "full board",
    "AI": "all inclusive",
}

REFUNDABLE = {"RFN": True, "NRFN": False}


class _Amount(Struct, gc=False):
    amount: Decimal
    currency: str


class _Fee(Struct, gc=False):
    included: bool
    amount: Decimal
    currency: str


class _RetailRate(Struct, rename="camel", gc=False):
    total: list[_Amount]
    suggested_selling_price: list[_Amount] | None = None
    taxes_and_fees: list[_Fee] | None = None


class _Cancellation(Struct, rename="camel", gc=False):
    refundable_tag: str = ""


class _Rate(Struct, rename="camel", gc=False):
    name: str
    retail_rate: _RetailRate
    board_type: str = "RO"
    cancellation_policies: _Cancellation | None = None


class _RoomType(Struct, rename="camel", gc=False):
    offer_id: str
    rates: list[_Rate]


class _Hotel(Struct, rename="camel", gc=False):
    hotel_id: str
    room_types: list[_RoomType]


class _Error(Struct, gc=False):
    code: int
    message: str = ""


class _Answer(Struct, gc=False):
    data: list[_Hotel] | None = None
    error: _Error | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_encode = msgspec.json.Encoder().encode


class LiteApi:
    """Speaks LiteAPI for one supplier."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def search(self, query: SearchQuery, transport: Transport) -> tuple[SupplierHotel, ...]:
        hotels = self._account.hotels_at(query.place)
        found = self.parse(await transport.send(self.request(query, list(hotels))), hotels)
        for hotel in found:
            for offer in hotel.offers:
                if offer.total.currency != query.currency:
                    where = f"hotel {hotel.hotel_id} offer {offer.offer_id}"
                    raise SupplierMalformed(f"{where}: priced in {offer.total.currency}, asked for {query.currency}")
        return tuple(found)

    def request(self, query: SearchQuery, ids: list[str]) -> WireRequest:
        party: dict[str, object] = {"adults": query.occupancy.adults}
        if query.occupancy.children:
            party["children"] = query.occupancy.children
        body = {
            "hotelIds": ids,
            "checkin": query.check_in,
            "checkout": query.check_out,
            "currency": query.currency,
            "guestNationality": "US",
            "occupancies": [party],
            "maxRatesPerHotel": 4,
        }
        headers = {"X-API-Key": self._account.key, "Accept": "application/json", "Content-Type": "application/json"}
        return WireRequest("POST", f"{self._account.url}/v3.0/hotels/rates", headers, _encode(body))

    def parse(self, response: WireResponse, hotels: Mapping[str, ContentHotel]) -> list[SupplierHotel]:
        expect_success(response)
        if response.status == 204:
            return []
        answer = decode(_ANSWER, response.body)
        if answer.error is not None:
            if answer.error.code == NO_AVAILABILITY:
                return []
            raise SupplierMalformed(f"error {answer.error.code} with status {response.status}: {answer.error.message[:120]}")
        if answer.data is None:
            raise SupplierMalformed("neither `data` nor `error`")
        found = []
        for hotel in answer.data:
            known = hotels.get(hotel.hotel_id)
            offers = tuple([_offer(hotel, room, room.rates[0]) for room in hotel.room_types if room.rates])
            if known is not None and offers:
                found.append(
                    SupplierHotel(self._account.supplier, known.hotel_id, known.name, known.latitude, known.longitude, offers)
                )
        return found


def _offer(hotel: _Hotel, room: _RoomType, rate: _Rate) -> SupplierOffer:
    where = ("hotel", hotel.hotel_id, "offer", room.offer_id)
    if not rate.retail_rate.total:
        raise SupplierMalformed(f"{said(where)}: no total")
    total = rate.retail_rate.total[0]
    lowest = rate.retail_rate.suggested_selling_price
    tag = rate.cancellation_policies.refundable_tag if rate.cancellation_policies else ""
    return SupplierOffer(
        room.offer_id,
        rate.name,
        BOARDS.get(rate.board_type, rate.board_type),
        price(total.amount, total.currency, where),
        _due_at_property(rate.retail_rate.taxes_and_fees, where),
        charge(lowest[0].amount, lowest[0].currency, (*where, "suggestedSellingPrice")) if lowest else None,
        REFUNDABLE.get(tag),
    )


def _due_at_property(fees: list[_Fee] | None, where: Where) -> Money | None:
    """The sum of fees not included in the total; they must share one currency to be summed."""
    if fees is None:
        return None
    due = [fee for fee in fees if not fee.included]
    if not due:
        return None
    if len({fee.currency for fee in due}) > 1:
        raise SupplierMalformed(f"{said(where)}: fees due at the property in several currencies")
    amounts = [charge(fee.amount, fee.currency, (*where, "taxesAndFees")).amount for fee in due]
    return Money(sum(amounts, Decimal(0)), due[0].currency)
