"""Hotelbeds APItude booking API 1.0, `POST /hotel-api/1.0/hotels` (sources: the vendor's hotel-api-sdk-java, recorded
answers in hotelbeds-go, MIT).

Signed with SHA-256 of key + secret + Unix seconds: a clock off by minutes is answered 403, and so is throttling. Money and
positions are strings on the wire (numbers in some recordings): both are read exactly. `hotelMandatory` with `sellingRate`
is a price floor; taxes not included are due at the property. Rates marked `packaging` may only be sold inside a package,
so they are left out. No rooms: `hotels` without a `hotels` list.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec
from msgspec import Struct

from app.core.errors import SupplierMalformed, SupplierUnavailable
from app.core.models import Money, SearchQuery, SupplierHotel, SupplierOffer
from app.suppliers.content import ContentHotel
from app.suppliers.formats.account import Account, SecondsSignature
from app.suppliers.wire import Transport, Where, WireRequest, WireResponse, charge, decode, expect_success, price

BOARDS = {"RO": "room only", "BB": "breakfast", "HB": "half board", "FB": "full board", "AI": "all inclusive"}
REFUNDABLE = {"NRF": False, "NOR": True}


class _Tax(Struct, gc=False):
    included: bool
    amount: Decimal | None = None
    currency: str | None = None


class _Taxes(Struct, gc=False):
    taxes: list[_Tax] = []


class _Rate(Struct, rename="camel", gc=False):
    rate_key: str
    net: Decimal
    board_code: str = "RO"
    rate_class: str = ""
    selling_rate: Decimal | None = None
    hotel_mandatory: bool = False
    packaging: bool = False
    taxes: _Taxes | None = None


class _Room(Struct, gc=False):
    name: str
    rates: list[_Rate]


class _Hotel(Struct, gc=False):
    code: int
    currency: str
    rooms: list[_Room] = []


class _Hotels(Struct, rename="camel", gc=False):
    hotels: list[_Hotel] = []
    check_in: str = ""
    check_out: str = ""


class _Answer(Struct, gc=False):
    hotels: _Hotels


_ANSWER = msgspec.json.Decoder(_Answer)
_encode = msgspec.json.Encoder().encode


class Hotelbeds:
    """Speaks Hotelbeds for one supplier."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._signature = SecondsSignature(account, "sha256")

    async def search(self, query: SearchQuery, transport: Transport) -> tuple[SupplierHotel, ...]:
        hotels = self._account.hotels_at(query.place)
        return tuple(self.parse(await transport.send(self.request(query, list(hotels))), query, hotels))

    def request(self, query: SearchQuery, ids: list[str]) -> WireRequest:
        account = self._account
        party = query.occupancy
        room: dict[str, object] = {"rooms": 1, "adults": party.adults, "children": len(party.children)}
        if party.children:
            room["paxes"] = [{"type": "CH", "age": age} for age in party.children]
        body = {
            "stay": {"checkIn": query.check_in, "checkOut": query.check_out},
            "occupancies": [room],
            "hotels": {"hotel": [int(id_) for id_ in ids]},
        }
        headers = {
            "Api-key": account.key,
            "X-Signature": self._signature.now()[1],
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        return WireRequest("POST", f"{account.url}/hotel-api/1.0/hotels", headers, _encode(body))

    def parse(self, response: WireResponse, query: SearchQuery, hotels: Mapping[str, ContentHotel]) -> list[SupplierHotel]:
        if response.status == 403 and b"signature" in response.body.lower():
            raise SupplierUnavailable("refused our signature: check the key, the secret and this machine's clock")
        expect_success(response, throttled=(403, 429))
        answers = decode(_ANSWER, response.body).hotels
        asked = query.check_in.isoformat(), query.check_out.isoformat()
        if (answers.check_in or asked[0], answers.check_out or asked[1]) != asked:
            raise SupplierMalformed(f"other dates than asked: {answers.check_in} to {answers.check_out}")
        found = []
        for answer in answers.hotels:
            known = hotels.get(str(answer.code))
            offers = tuple([_offer(answer, room, rate) for room in answer.rooms for rate in room.rates if not rate.packaging])
            if known is not None and offers:
                found.append(
                    SupplierHotel(self._account.supplier, known.hotel_id, known.name, known.latitude, known.longitude, offers)
                )
        return found


def _offer(hotel: _Hotel, room: _Room, rate: _Rate) -> SupplierOffer:
    where = ("hotel", hotel.code, "rate", rate.rate_key)
    floor = None
    if rate.hotel_mandatory and rate.selling_rate is not None:
        floor = charge(rate.selling_rate, hotel.currency, (*where, "sellingRate"))
    return SupplierOffer(
        rate.rate_key,
        room.name,
        BOARDS.get(rate.board_code, rate.board_code),
        price(rate.net, hotel.currency, where),
        _due_at_property(rate.taxes, where),
        floor,
        REFUNDABLE.get(rate.rate_class),
    )


def _due_at_property(stated: _Taxes | None, where: Where) -> Money | None:
    """The sum of taxes not included; unknown (`None`) when nothing is said, an amount is missing or currencies differ."""
    due = [tax for tax in stated.taxes if not tax.included] if stated else []
    if not due:
        return None
    total = Decimal(0)
    for tax in due:
        if tax.amount is None or tax.currency is None or tax.currency != due[0].currency:
            return None
        total += charge(tax.amount, tax.currency, (*where, "taxes")).amount
    return Money(total, due[0].currency) if due[0].currency else None
