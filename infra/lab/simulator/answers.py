"""Renders the inventory in each vendor's wire format, as the published specs and examples show them.

Prices depend on seed, hotel, room, dates, occupancy and supplier alone. Bodies are rendered once and kept (bounded), for
the simulator is upstream of every load test and must not be what is measured.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from app.suppliers.rates import load_rates
from infra.lab.simulator.inventory import PLACES, ListedHotel, inventory

KEPT = 4_096
"""Bodies kept per format: 7 to 15 kB each, so at most some 160 MB in all."""

_RATES = load_rates()
_WHOLE, _CENTS = Decimal(1), Decimal("0.01")
_TAX, _DUE = Decimal("0.11"), Decimal("0.03")
_CURRENCY_AT = {place.code: place.currency for place in PLACES}
_encode = msgspec.json.Encoder(decimal_format="number").encode
_encode_text = msgspec.json.Encoder(decimal_format="string").encode


class Stay(NamedTuple):
    """What is searched for, hashable: dates, party, currency asked."""

    check_in: date
    check_out: date
    adults: int
    children: tuple[int, ...]
    currency: str

    @property
    def nights(self) -> int:
        return (self.check_out - self.check_in).days


class Rate(NamedTuple):
    """One rate for the stay: total with taxes, the taxes in it, and what is due at the property, in one currency."""

    id: str
    room: str
    refundable: bool
    total: Decimal
    tax: Decimal
    due: Decimal
    currency: str


@lru_cache(maxsize=64)
def _from_usd(currency: str) -> Decimal:
    if currency not in _RATES.currencies:
        raise ValueError(f"currency {currency!r} is not sold in")
    return _RATES.rate("USD", currency)


@lru_cache(maxsize=4_096)
def _weekend_nights(check_in: date, nights: int) -> int:
    """Nights from Friday or Saturday, which cost 8% more."""
    return sum((check_in + timedelta(night)).weekday() in (4, 5) for night in range(nights))


def rates_of(hotel: ListedHotel, supplier: str, stay: Stay, currency: str) -> list[Rate]:
    """The rates one supplier sells of one hotel, in `currency`."""
    digits = _WHOLE if currency == "JPY" else _CENTS
    factor = _from_usd(currency)
    dearer = _weekend_nights(stay.check_in, stay.nights)
    night = hotel.true.night_cents
    nights = (stay.nights - dearer) * night + dearer * (night * 108 // 100)
    party = 80 + 10 * stay.adults + 5 * len(stay.children)
    found = []
    for room, refundable in hotel.rates:
        cents = nights * party * (100 + 22 * room + 9 * refundable) * hotel.price_permille // 10_000_000
        total = max(digits, (Decimal(cents) / 100 * factor).quantize(digits))
        key = f"{supplier}:{hotel.hotel_id}:{room}:{refundable}:{stay.check_in}:{stay.check_out}:{party}"
        found.append(
            Rate(
                hashlib.blake2b(key.encode(), digest_size=9).hexdigest(),
                hotel.true.rooms[room],
                refundable,
                total,
                (total * _TAX).quantize(digits),
                (total * _DUE).quantize(digits),
                currency,
            )
        )
    return found


@lru_cache(maxsize=KEPT)
def rapid(seed: int, supplier: str, ids: tuple[str, ...], stay: Stay) -> bytes:
    """`GET /v3/properties/availability`: a list of properties, `[]` when there are none."""
    hotels = inventory(seed).by_id(supplier)
    return _encode_text([_rapid_property(hotels[id_], supplier, stay) for id_ in ids if id_ in hotels])


def _rapid_property(hotel: ListedHotel, supplier: str, stay: Stay) -> dict[str, Any]:
    party = str(stay.adults) + (f"-{','.join(map(str, stay.children))}" if stay.children else "")
    rooms: dict[str, dict[str, Any]] = {}
    for rate in rates_of(hotel, supplier, stay, stay.currency):
        room = rooms.setdefault(rate.room, {"id": rate.id[:9], "room_name": rate.room, "rates": []})
        room["rates"].append(_rapid_rate(hotel, rate, party))
    return {"property_id": hotel.hotel_id, "status": "available", "rooms": list(rooms.values()), "score": 120}


def _rapid_rate(hotel: ListedHotel, rate: Rate, party: str) -> dict[str, Any]:
    def amount(value: Decimal) -> dict[str, Any]:
        money = {"value": value, "currency": rate.currency}
        return {"billable_currency": money, "request_currency": money}

    path = f"/v3/properties/{hotel.hotel_id}/rooms/{rate.id[:9]}/rates/{rate.id}?token={rate.id}"
    return {
        "id": rate.id,
        "status": "available",
        "available_rooms": 4,
        "refundable": rate.refundable,
        "member_deal_available": False,
        "sale_scenario": {"package": False, "member": False, "corporate": False, "distribution": False},
        "merchant_of_record": "expedia",
        "amenities": {"2192": {"id": "2192", "name": "Free WiFi"}},
        "links": {
            "payment_options": {"method": "GET", "href": f"/v3/properties/{hotel.hotel_id}/payment-options?token={rate.id}"}
        },
        "bed_groups": {
            "37321": {
                "id": "37321",
                "description": "1 King Bed",
                "links": {"price_check": {"method": "GET", "href": path}},
                "configuration": [{"type": "KingBed", "size": "King", "quantity": 1}],
            }
        },
        "occupancy_pricing": {
            party: {
                "totals": {
                    "inclusive": amount(rate.total),
                    "exclusive": amount(rate.total - rate.tax),
                    "property_inclusive": amount(rate.total + rate.due),
                    "property_fees": amount(rate.due),
                }
            }
        },
    }


@lru_cache(maxsize=KEPT)
def amadeus(seed: int, supplier: str, ids: tuple[str, ...], stay: Stay) -> bytes | None:
    """`GET /v3/shopping/hotel-offers`; `None` when no hotel has rooms. Some hotels price in their own currency only."""
    hotels = inventory(seed).by_id(supplier)
    data = []
    for hotel in (hotels[id_] for id_ in ids if id_ in hotels):
        own = hotel.price_permille % 5 == 0
        currency = _CURRENCY_AT[hotel.true.place] if own else stay.currency
        data.append(
            {
                "type": "hotel-offers",
                "hotel": {
                    "type": "hotel",
                    "hotelId": hotel.hotel_id,
                    "chainCode": hotel.hotel_id[:2],
                    "dupeId": str(hotel.price_permille),
                    "name": hotel.name,
                    "cityCode": hotel.true.place,
                    "latitude": hotel.latitude,
                    "longitude": hotel.longitude,
                },
                "available": True,
                "offers": [_amadeus_offer(rate, stay) for rate in rates_of(hotel, supplier, stay, currency)],
            }
        )
    return _encode_text({"data": data}) if data else None


def _amadeus_offer(rate: Rate, stay: Stay) -> dict[str, Any]:
    policies: dict[str, Any] = {"paymentType": "DEPOSIT"}
    if rate.refundable:
        policies["refundable"] = {"cancellationRefund": "REFUNDABLE_UP_TO_DEADLINE"}
    else:
        policies["cancellations"] = [{"type": "FULL_STAY", "description": {"text": "NON-REFUNDABLE RATE"}}]
    night = ((rate.total - rate.tax) / stay.nights).quantize(rate.total)
    return {
        "id": rate.id[:10].upper(),
        "checkInDate": stay.check_in,
        "checkOutDate": stay.check_out,
        "rateCode": "RAC",
        "boardType": "ROOM_ONLY",
        "room": {
            "type": "A1K",
            "typeEstimated": {"category": "STANDARD_ROOM", "beds": 1, "bedType": "KING"},
            "description": {"text": f"{rate.room}\nFree WiFi, 24 sqm", "lang": "EN"},
        },
        "guests": {"adults": stay.adults},
        "price": {
            "currency": rate.currency,
            "base": rate.total - rate.tax,
            "total": rate.total,
            "variations": {"average": {"base": night}, "changes": []},
        },
        "policies": policies,
    }


@lru_cache(maxsize=KEPT)
def hotelbeds(seed: int, supplier: str, ids: tuple[str, ...], stay: Stay) -> bytes:
    """`POST /hotel-api/1.0/hotels`: money and positions are strings, in the contract's currency (EUR)."""
    hotels = inventory(seed).by_id(supplier)
    listed = [_hotelbeds_hotel(hotels[id_], supplier, stay) for id_ in ids if id_ in hotels]
    found: dict[str, Any] = {"total": len(listed)}
    if listed:
        found |= {"hotels": listed, "checkIn": stay.check_in, "checkOut": stay.check_out}
    audit = {"processTime": "32", "timestamp": "2026-11-24 00:00:00.000", "requestHost": "127.0.0.1", "environment": "[local]"}
    return _encode_text({"auditData": audit, "hotels": found})


def _hotelbeds_hotel(hotel: ListedHotel, supplier: str, stay: Stay) -> dict[str, Any]:
    rates = rates_of(hotel, supplier, stay, "EUR")
    rooms: dict[str, dict[str, Any]] = {}
    for rate in rates:
        room = rooms.setdefault(rate.room, {"code": "DBL.ST", "name": rate.room.upper(), "rates": []})
        room["rates"].append(_hotelbeds_rate(hotel, rate, stay))
    return {
        "code": int(hotel.hotel_id),
        "name": hotel.name,
        "categoryCode": "4EST",
        "categoryName": "4 STARS",
        "destinationCode": hotel.true.place,
        "destinationName": hotel.true.place,
        "zoneCode": 1,
        "zoneName": "Center",
        "latitude": str(hotel.latitude),
        "longitude": str(hotel.longitude),
        "rooms": list(rooms.values()),
        "minRate": min(rate.total for rate in rates),
        "maxRate": max(rate.total for rate in rates),
        "currency": "EUR",
    }


def _hotelbeds_rate(hotel: ListedHotel, rate: Rate, stay: Stay) -> dict[str, Any]:
    stated: dict[str, Any] = {
        "rateKey": f"{stay.check_in:%Y%m%d}|{stay.check_out:%Y%m%d}|W|1|{hotel.hotel_id}|DBL.ST|{rate.id}",
        "rateClass": "NOR" if rate.refundable else "NRF",
        "rateType": "BOOKABLE",
        "net": rate.total,
        "allotment": 6,
        "paymentType": "AT_WEB",
        "packaging": False,
        "boardCode": "RO",
        "boardName": "ROOM ONLY",
        "cancellationPolicies": [{"amount": rate.total, "from": f"{stay.check_in - timedelta(3)}T23:59:00+00:00"}],
        "rooms": 1,
        "adults": stay.adults,
        "children": len(stay.children),
    }
    if hotel.price_permille % 4 == 0:  # a hotel that forbids selling below its own price
        stated |= {"hotelMandatory": True, "sellingRate": (rate.total * Decimal("1.12")).quantize(Decimal("0.01"))}
    return stated


@lru_cache(maxsize=KEPT)
def liteapi(seed: int, supplier: str, ids: tuple[str, ...], stay: Stay) -> bytes | None:
    """`POST /v3.0/hotels/rates`: money is a JSON number; `None` when nothing is available (answered 204)."""
    hotels = [hotel for id_ in ids if (hotel := inventory(seed).by_id(supplier).get(id_)) is not None]
    if not hotels:
        return None
    data = [
        {
            "hotelId": hotel.hotel_id,
            "roomTypes": [_liteapi_room(rate, stay) for rate in rates_of(hotel, supplier, stay, stay.currency)],
        }
        for hotel in hotels
    ]
    named = [{"id": hotel.hotel_id, "name": hotel.name, "address": f"1 High Street, {hotel.true.place}"} for hotel in hotels]
    return _encode({"data": data, "guestLevel": 0, "sandbox": True, "hotels": named})


def _liteapi_room(rate: Rate, stay: Stay) -> dict[str, Any]:
    total = {"amount": rate.total, "currency": rate.currency}
    fees = [
        {"included": True, "description": "taxes", "amount": rate.tax, "currency": rate.currency},
        {"included": False, "description": "Facility Fee", "amount": rate.due, "currency": rate.currency},
    ]
    return {
        "roomTypeId": rate.id.upper(),
        "offerId": rate.id,
        "supplier": "nuitee",
        "supplierId": 2,
        "rates": [
            {
                "rateId": f"{rate.id}R",
                "occupancyNumber": 1,
                "name": rate.room,
                "maxOccupancy": stay.adults + len(stay.children),
                "adultCount": stay.adults,
                "childCount": len(stay.children),
                "childrenAges": stay.children,
                "boardType": "RO",
                "boardName": "Room Only",
                "priceType": "commission",
                "retailRate": {"total": [total], "taxesAndFees": fees},
                "cancellationPolicies": {"cancelPolicyInfos": [], "refundableTag": "RFN" if rate.refundable else "NRFN"},
            }
        ],
        "priceType": "commission",
        "rateType": "standard",
    }
