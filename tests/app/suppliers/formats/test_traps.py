"""Traps of the wire formats, on fixtures of our own."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.core.errors import SupplierMalformed, SupplierSkipped, SupplierUnavailable
from app.core.models import Money, Occupancy, SearchQuery
from app.suppliers.content import ContentHotel
from app.suppliers.formats.account import Account
from app.suppliers.formats.amadeus import Amadeus
from app.suppliers.formats.hotelbeds import Hotelbeds
from app.suppliers.formats.known import FORMATS
from app.suppliers.formats.liteapi import LiteApi
from app.suppliers.formats.rapid import Rapid
from app.suppliers.wire import WireRequest, WireResponse
from tests.fakes import FakeClock

NOW = 1_700_000_000.0
QUERY = SearchQuery("LON", date(2027, 3, 1), date(2027, 3, 4), Occupancy(2), "USD")


def account(count: int = 1, clock: FakeClock | None = None) -> Account:
    hotels = [ContentHotel(str(n), f"Hotel {n}", 51.5, -0.1) for n in range(1, count + 1)]
    return Account(supplier="s", url="http://x", key="k", secret="z", hotels={"LON": hotels}, now=clock or FakeClock(NOW))


def respond(body: Any, status: int = 200) -> WireResponse:
    return WireResponse(status, body if isinstance(body, bytes) else json.dumps(body).encode())


class AmadeusWire:
    """Grants tokens t1, t2 …, and refuses those in `revoked`."""

    def __init__(self) -> None:
        self.granted = 0
        self.revoked: set[str] = set()
        self.asked: list[str] = []

    async def send(self, request: WireRequest) -> WireResponse:
        await asyncio.sleep(0)
        if "oauth2" in request.url:
            self.granted += 1
            return respond({"access_token": f"t{self.granted}", "expires_in": 1799})
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.asked.append(token)
        return respond({"errors": [{"code": 38192}]}, 401) if token in self.revoked else respond({"data": []})


async def test_amadeus_batches_by_20_and_searches_at_the_same_time_share_one_token() -> None:
    wire = AmadeusWire()
    amadeus = Amadeus(account(45))
    await asyncio.gather(*(amadeus.search(QUERY, wire) for _ in range(4)))
    assert wire.granted == 1
    assert len(wire.asked) == 4 * 3


async def test_amadeus_renews_a_token_before_it_expires_and_when_it_is_refused_mid_search() -> None:
    wire, clock = AmadeusWire(), FakeClock(NOW)
    amadeus = Amadeus(account(clock=clock))
    await amadeus.search(QUERY, wire)
    clock.now += 1799 - 10
    await amadeus.search(QUERY, wire)
    assert wire.asked == ["t1", "t2"]
    wire.revoked.add("t2")
    await amadeus.search(QUERY, wire)
    assert wire.asked == ["t1", "t2", "t2", "t3"]


async def test_amadeus_with_wrong_credentials_is_an_error_not_a_loop() -> None:
    class Refusing:
        async def send(self, request: WireRequest) -> WireResponse:
            return respond({"error": "invalid_client"}, 401)

    with pytest.raises(SupplierUnavailable, match="refused our credentials"):
        await Amadeus(account()).search(QUERY, Refusing())


async def test_amadeus_skips_children_and_everyone_skips_a_place_without_hotels() -> None:
    with_child = SearchQuery("LON", QUERY.check_in, QUERY.check_out, Occupancy(2, (4,)), "USD")
    with pytest.raises(SupplierSkipped, match="children"):
        await Amadeus(account()).search(with_child, AmadeusWire())
    elsewhere = SearchQuery("XXX", QUERY.check_in, QUERY.check_out, Occupancy(2), "USD")
    for wire_format in FORMATS.values():
        with pytest.raises(SupplierSkipped, match="no hotels in XXX"):
            await wire_format(account()).search(elsewhere, AmadeusWire())


def test_amadeus_states_the_currency_that_counts_and_no_rooms_is_no_error() -> None:
    hotels = dict(account().hotels_at("LON"))
    own = {"data": [{"hotel": {"hotelId": "1"}, "offers": [{"id": "o", "price": {"currency": "GBP", "total": "90.10"}}]}]}
    (hotel,) = Amadeus(account()).parse(respond(own), QUERY, hotels)
    assert hotel.offers[0].total == Money(Decimal("90.10"), "GBP")
    assert Amadeus(account()).parse(respond({"errors": [{"code": 3664}]}, 400), QUERY, hotels) == []
    with pytest.raises(SupplierUnavailable, match="status 400"):
        Amadeus(account()).parse(respond({"errors": [{"code": 477}]}, 400), QUERY, hotels)


def test_rapid_batches_by_250() -> None:
    requests = Rapid(account()).requests(QUERY, [str(n) for n in range(501)])
    assert [request.url.count("property_id=") for request in requests] == [250, 250, 1]


async def test_rapid_skips_stays_it_does_not_sell() -> None:
    long = SearchQuery("LON", date(2027, 3, 1), date(2027, 3, 30), Occupancy(2), "USD")
    with pytest.raises(SupplierSkipped, match="at most 28 nights"):
        await Rapid(account()).search(long, AmadeusWire())


def test_hotelbeds_throttles_with_403_and_forbids_selling_below_a_mandatory_price() -> None:
    hotels = dict(account().hotels_at("LON"))
    with pytest.raises(SupplierUnavailable, match="throttled with status 403"):
        Hotelbeds(account()).parse(respond({"error": "quota"}, 403), QUERY, hotels)
    rate = {"rateKey": "r", "net": "80.00", "sellingRate": "95.50", "hotelMandatory": True}
    answer = {"hotels": {"hotels": [{"code": 1, "currency": "EUR", "rooms": [{"name": "DBL", "rates": [rate]}]}]}}
    (hotel,) = Hotelbeds(account()).parse(respond(answer), QUERY, hotels)
    assert hotel.offers[0].floor == Money(Decimal("95.50"), "EUR")
    assert Hotelbeds(account()).parse(respond({"hotels": {"total": 0}}), QUERY, hotels) == []


def test_liteapi_money_never_passes_through_a_float() -> None:
    body = b'{"data":[{"hotelId":"1","roomTypes":[{"offerId":"o","rates":[{"name":"n","retailRate":{"total":[{"amount":'
    body += b'0.1000000000000000055,"currency":"USD"}]}}]}]}]}'
    (hotel,) = LiteApi(account()).parse(WireResponse(200, body), dict(account().hotels_at("LON")))
    assert str(hotel.offers[0].total.amount) == "0.1000000000000000055"


@pytest.mark.parametrize("amount", ["-5.00", "0", "NaN", "Infinity"])
def test_a_price_that_cannot_be_charged_is_malformed(amount: str) -> None:
    rate = {"rateKey": "r", "net": amount}
    answer = {"hotels": {"hotels": [{"code": 1, "currency": "EUR", "rooms": [{"name": "DBL", "rates": [rate]}]}]}}
    with pytest.raises(SupplierMalformed, match="hotel 1 rate r: price"):
        Hotelbeds(account()).parse(respond(answer), QUERY, dict(account().hotels_at("LON")))


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000, b'{"data": 7}', b"null"])
def test_garbage_is_malformed_in_every_format(body: bytes) -> None:
    hotels = dict(account().hotels_at("LON"))
    with pytest.raises(SupplierMalformed):
        Rapid(account()).parse(WireResponse(200, body), QUERY, hotels)
    with pytest.raises(SupplierMalformed):
        Amadeus(account()).parse(WireResponse(200, body), QUERY, hotels)
    with pytest.raises(SupplierMalformed):
        LiteApi(account()).parse(WireResponse(200, body), hotels)
    with pytest.raises(SupplierMalformed):
        Hotelbeds(account()).parse(WireResponse(200, body), QUERY, hotels)


def test_a_hotel_never_asked_for_is_left_out() -> None:
    answer = {"data": [{"hotelId": "99", "roomTypes": [{"offerId": "o", "rates": [
        {"name": "n", "retailRate": {"total": [{"amount": 5, "currency": "USD"}]}}]}]}]}  # fmt: skip
    assert LiteApi(account()).parse(respond(answer), dict(account().hotels_at("LON"))) == []
