"""Amadeus Self-Service Hotel Search v3, `GET /v3/shopping/hotel-offers` (source: amadeus-open-api-specification, MIT).

OAuth2 client credentials: the token is fetched once, renewed before it expires, and once more when a search is answered
401. At most 20 hotel ids a request. Children cannot be expressed: such a search is skipped. A hotel that cannot be priced in
the currency asked answers in its own: the stated currency is what counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from app.core.errors import SupplierMalformed, SupplierSkipped, SupplierUnavailable
from app.core.models import SearchQuery, SupplierHotel, SupplierOffer
from app.suppliers.content import ContentHotel
from app.suppliers.formats.account import Account
from app.suppliers.formats.rapid import batches
from app.suppliers.wire import (
    Latitude,
    Longitude,
    Transport,
    WireRequest,
    WireResponse,
    decode,
    expect_success,
    price,
    send_all,
)

MAX_IDS = 20
RENEW_BEFORE_S = 30
NO_ROOMS_CODES = frozenset({3664})
"""Error codes of a 400 that only mean `no rooms available at this property`."""


class _Price(Struct, gc=False):
    currency: str
    total: Decimal


class _Description(Struct, gc=False):
    text: str = ""


class _Room(Struct, gc=False):
    type: str = ""
    description: _Description | None = None


class _Refundable(Struct, rename="camel", gc=False):
    cancellation_refund: str = ""


class _Cancellation(Struct, gc=False):
    type: str = ""
    deadline: str | None = None


class _Policies(Struct, gc=False):
    """The specification declares `cancellations`, its example has `cancellation`, live answers add `refundable`."""

    refundable: _Refundable | None = None
    cancellation: _Cancellation | None = None
    cancellations: list[_Cancellation] = []


class _Offer(Struct, rename="camel", gc=False):
    id: str
    price: _Price
    check_in_date: str = ""
    check_out_date: str = ""
    room: _Room | None = None
    board_type: str = "ROOM_ONLY"
    policies: _Policies | None = None


class _Hotel(Struct, rename="camel", gc=False):
    hotel_id: str
    name: str = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class _Entry(Struct, gc=False):
    hotel: _Hotel
    available: bool = True
    offers: list[_Offer] = []


class _Answer(Struct, gc=False):
    data: list[_Entry]


class _Error(Struct, gc=False):
    code: int | str


class _Errors(Struct, gc=False):
    errors: list[_Error]


class _Token(Struct, gc=False):
    access_token: str
    expires_in: int


_ANSWER = msgspec.json.Decoder(_Answer)
_ERRORS = msgspec.json.Decoder(_Errors)
_TOKEN = msgspec.json.Decoder(_Token)


class Amadeus:
    """Speaks Amadeus for one supplier; holds its access token."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._token: str | None = None
        self._token_until = 0.0
        self._fetching: asyncio.Lock | None = None

    async def search(self, query: SearchQuery, transport: Transport) -> tuple[SupplierHotel, ...]:
        if query.occupancy.children:
            raise SupplierSkipped("cannot search for children")
        hotels = self._account.hotels_at(query.place)
        parts = await send_all([self._batch(query, ids, transport) for ids in batches(list(hotels), MAX_IDS)])
        return tuple([hotel for answer in parts for hotel in self.parse(answer, query, hotels)])

    async def _batch(self, query: SearchQuery, ids: list[str], transport: Transport) -> WireResponse:
        token = await self._valid_token(transport)
        answer = await transport.send(self.request(query, ids, token))
        if answer.status == 401:  # expired on their side, or revoked: once more with a new one
            if self._token == token:
                self._token = None
            answer = await transport.send(self.request(query, ids, await self._valid_token(transport)))
        return answer

    async def _valid_token(self, transport: Transport) -> str:
        """The token at hand, or a new one; searches that need one at the same time share one fetch."""
        if self._token is not None and self._account.now() < self._token_until:
            return self._token
        self._fetching = self._fetching or asyncio.Lock()
        async with self._fetching:
            if self._token is None or self._account.now() >= self._token_until:
                response = await transport.send(self.token_request())
                if response.status in (400, 401):
                    raise SupplierUnavailable("refused our credentials")
                expect_success(response)
                token = decode(_TOKEN, response.body)
                self._account.confidential.granted(token.access_token)
                self._token = token.access_token
                self._token_until = self._account.now() + max(1, token.expires_in - RENEW_BEFORE_S)
            return self._token

    def token_request(self) -> WireRequest:
        account = self._account
        form = {"grant_type": "client_credentials", "client_id": account.key, "client_secret": account.secret}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return WireRequest("POST", f"{account.url}/v1/security/oauth2/token", headers, urlencode(form).encode())

    def request(self, query: SearchQuery, ids: list[str], token: str) -> WireRequest:
        fields = {
            "hotelIds": ",".join(ids),
            "adults": str(query.occupancy.adults),
            "checkInDate": query.check_in.isoformat(),
            "checkOutDate": query.check_out.isoformat(),
            "roomQuantity": "1",
            "currency": query.currency,
            "bestRateOnly": "false",
        }
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        return WireRequest("GET", f"{self._account.url}/v3/shopping/hotel-offers?{urlencode(fields)}", headers)

    def parse(self, response: WireResponse, query: SearchQuery, hotels: Mapping[str, ContentHotel]) -> list[SupplierHotel]:
        if response.status == 400 and _only_says_no_rooms(response):
            return []
        expect_success(response)
        check_in, check_out = query.check_in.isoformat(), query.check_out.isoformat()
        found = []
        for entry in decode(_ANSWER, response.body).data:
            known = hotels.get(entry.hotel.hotel_id)
            if known is None or not entry.available:
                continue
            for offer in entry.offers:
                if (offer.check_in_date or check_in, offer.check_out_date or check_out) != (check_in, check_out):
                    raise SupplierMalformed(f"hotel {known.hotel_id} offer {offer.id}: other dates than asked")
            offers = tuple([_offer(offer, known.hotel_id) for offer in entry.offers])
            if offers:
                found.append(
                    SupplierHotel(
                        self._account.supplier,
                        known.hotel_id,
                        entry.hotel.name or known.name,
                        known.latitude if entry.hotel.latitude is None else entry.hotel.latitude,
                        known.longitude if entry.hotel.longitude is None else entry.hotel.longitude,
                        offers,
                    )
                )
        return found


def _offer(offer: _Offer, hotel_id: str) -> SupplierOffer:
    room = offer.room or _Room()
    text = room.description.text if room.description else ""
    return SupplierOffer(
        offer.id,
        text.partition("\n")[0] or room.type,
        offer.board_type.replace("_", " ").lower(),
        price(offer.price.total, offer.price.currency, ("hotel", hotel_id, "offer", offer.id)),
        None,
        None,
        _refundable(offer.policies or _Policies()),
    )


def _refundable(policies: _Policies) -> bool | None:
    """Whether money can come back; `None` where a penalty's deadline decides and nothing else is said."""
    stated = policies.refundable.cancellation_refund if policies.refundable else ""
    if stated:
        return {"NON_REFUNDABLE": False, "REFUNDABLE_UP_TO_DEADLINE": True}.get(stated)
    penalties = [*policies.cancellations, *([policies.cancellation] if policies.cancellation else [])]
    return False if any(penalty.type == "FULL_STAY" and penalty.deadline is None for penalty in penalties) else None


def _only_says_no_rooms(response: WireResponse) -> bool:
    codes = {error.code for error in decode(_ERRORS, response.body).errors}
    return bool(codes) and codes <= NO_ROOMS_CODES
