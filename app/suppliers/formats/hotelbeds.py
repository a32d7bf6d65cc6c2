"""Hotelbeds APItude booking API 1.0, `POST /hotel-api/1.0/hotels` (sources: the vendor's hotel-api-sdk-java, recorded
answers in hotelbeds-go, MIT).

Signed with SHA-256 of key + secret + Unix seconds: a clock off by minutes is answered 403, and so is throttling. Money and
positions are strings on the wire (numbers in some recordings): both are read exactly. `hotelMandatory` with `sellingRate`
is a price floor. No rooms: `hotels` without a `hotels` list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal

import msgspec
from msgspec import Struct

from app.core.errors import SupplierMalformed, SupplierUnavailable
from app.core.models import Money, SearchQuery, SupplierHotel, SupplierOffer
from app.suppliers.content import ContentHotel
from app.suppliers.formats.account import Account
from app.suppliers.wire import Currency, Transport, WireRequest, WireResponse, decode, expect_success, price

BOARDS = {"RO": "room only", "BB": "breakfast", "HB": "half board", "FB": "full board", "AI": "all inclusive"}


class _Rate(Struct, rename="camel"):
    rate_key: str
    net: Decimal
    board_code: str = "RO"
    rate_class: str = ""
    selling_rate: Decimal | None = None
    hotel_mandatory: bool = False


class _Room(Struct):
    name: str
    rates: list[_Rate]


class _Hotel(Struct):
    code: int
    currency: Currency
    rooms: list[_Room] = []


class _Hotels(Struct, rename="camel"):
    hotels: list[_Hotel] = []
    check_in: str = ""
    check_out: str = ""


class _Answer(Struct):
    hotels: _Hotels


_ANSWER = msgspec.json.Decoder(_Answer)
_encode = msgspec.json.Encoder().encode


class Hotelbeds:
    """Speaks Hotelbeds for one supplier."""

    def __init__(self, account: Account) -> None:
        self._account = account

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
        signature = hashlib.sha256(f"{account.key}{account.secret}{int(account.now())}".encode()).hexdigest()
        headers = {
            "Api-key": account.key,
            "X-Signature": signature,
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
            offers = tuple(_offer(answer, room, rate) for room in answer.rooms for rate in room.rates)
            if known is not None and offers:
                found.append(
                    SupplierHotel(self._account.supplier, known.hotel_id, known.name, known.latitude, known.longitude, offers)
                )
        return found


def _offer(hotel: _Hotel, room: _Room, rate: _Rate) -> SupplierOffer:
    floor = Money(rate.selling_rate, hotel.currency) if rate.hotel_mandatory and rate.selling_rate is not None else None
    return SupplierOffer(
        rate.rate_key,
        room.name,
        BOARDS.get(rate.board_code, rate.board_code),
        price(rate.net, hotel.currency, f"hotel {hotel.code} rate {rate.rate_key}"),
        None,
        floor,
        {"NRF": False, "NOR": True}.get(rate.rate_class),
    )
