"""A lying supplier fails itself and never the search: beside a truthful one, whatever it states, the search answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import SupplierError, SupplierMalformed, SupplierUnavailable
from app.core.fanout import vet
from app.core.models import Money, OutcomeStatus, SearchResult
from app.core.rank import Rules
from app.core.search import SearchService
from app.suppliers.content import ContentHotel
from app.suppliers.formats.account import Account
from app.suppliers.formats.hotelbeds import Hotelbeds
from app.suppliers.formats.known import FORMATS
from app.suppliers.formats.liteapi import LiteApi
from app.suppliers.rates import load_rates
from app.suppliers.registry import HttpSupplier
from app.suppliers.wire import WireRequest, WireResponse, send_all
from tests.fakes import QUERY, FakeSupplier, hotel

RATES = load_rates()


class Says:
    """Answers every request with the same body (and grants a token where one is asked for)."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def send(self, request: WireRequest) -> WireResponse:
        token = b'{"access_token":"t","expires_in":1799}'
        return WireResponse(200, token if "oauth2" in request.url else self._body)


def account() -> Account:
    return Account(
        supplier="liar", url="http://x", key="k", secret="z", hotels={"LON": [ContentHotel("1", "Alba", 51.5, -0.1)]}
    )


def searched(wire_format: str, body: Any) -> SearchResult:
    """A search over the liar and a truthful supplier, encoded as the web shell does."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    liar = HttpSupplier("liar", 500, FORMATS[wire_format](account()), Says(text))
    with contextlib.suppress(SupplierError):
        vet("liar", asyncio.run(liar.search(QUERY)))  # what a format answers needs no second check
    truthful = FakeSupplier("truthful", (hotel("truthful"),))
    service = SearchService([liar, truthful], rates=RATES, rules=Rules(Decimal(8)), deadline_ms=1_000)
    result = asyncio.run(service.search(QUERY, limit=10))
    msgspec.json.encode(result)
    assert result.outcomes[1].status is OutcomeStatus.OK
    return result


def rapid(total: Any = "100.00", *, fees: Any = None, floor: Any = None, currency: str = "USD") -> Any:
    stated = {"inclusive": total, "property_fees": fees, "minimum_selling_price": floor}
    totals = {name: {"request_currency": {"value": v, "currency": currency}} for name, v in stated.items() if v is not None}
    rate = {"id": "r", "occupancy_pricing": {"2": {"totals": totals}}}
    return [{"property_id": "1", "rooms": [{"room_name": "Double", "rates": [rate]}]}]


def amadeus(total: Any = "100.00", *, latitude: Any = 51.5, longitude: Any = -0.1) -> Any:
    at = {"latitude": latitude, "longitude": longitude}
    offer = {"id": "O1", "price": {"currency": "GBP", "total": total}}
    return {"data": [{"hotel": {"hotelId": "1", **at}, "offers": [offer]}]}


def hotelbeds(net: Any = "100.00", **more: Any) -> Any:
    rate = {"rateKey": "r", "net": net, **more}
    return {"hotels": {"hotels": [{"code": 1, "currency": "EUR", "rooms": [{"name": "DBL", "rates": [rate]}]}]}}


def liteapi(total: str = "100.0", *, fee: str = "0", floor: str = "100.0") -> bytes:
    def money(amount: str, **more: object) -> dict[str, object]:
        return {"amount": amount, "currency": "USD", **more}

    retail = {
        "total": [money("TOTAL")],
        "suggestedSellingPrice": [money("FLOOR")],
        "taxesAndFees": [money("FEE", included=False)],
    }
    room = {"offerId": "o", "rates": [{"name": "n", "retailRate": retail}]}
    text = json.dumps({"data": [{"hotelId": "1", "roomTypes": [room]}]})
    for name, number in (("TOTAL", total), ("FLOOR", floor), ("FEE", fee)):  # numbers on this wire, written as they are
        text = text.replace(f'"{name}"', number)
    return text.encode()


LIES: dict[str, tuple[str, Any]] = {
    **{f"rapid total {lie}": ("rapid", rapid(lie)) for lie in ("NaN", "sNaN", "1E+30", "1E+999999", "1E-999999", "-1", "0")},
    **{f"rapid floor {lie}": ("rapid", rapid(floor=lie)) for lie in ("NaN", "sNaN", "Infinity", "1E+99999", "-1")},
    **{f"rapid fees {lie}": ("rapid", rapid(fees=lie)) for lie in ("NaN", "-5", "1E+30")},
    "rapid in a currency not asked for": ("rapid", rapid(currency="JPY")),
    **{f"amadeus total {lie}": ("amadeus", amadeus(lie)) for lie in ("sNaN", "1E+30")},
    **{f"amadeus latitude {lie}": ("amadeus", amadeus(latitude=lie)) for lie in (1e308, 91, -91)},
    **{f"amadeus longitude {lie}": ("amadeus", amadeus(longitude=lie)) for lie in (1e308, 181)},
    "hotelbeds floor NaN": ("hotelbeds", hotelbeds(hotelMandatory=True, sellingRate="NaN")),
    "hotelbeds taxes -1": ("hotelbeds", hotelbeds(taxes={"taxes": [{"included": False, "amount": "-1", "currency": "EUR"}]})),
    "liteapi total 1e400": ("liteapi", liteapi("1e400")),
    "liteapi floor -3": ("liteapi", liteapi(floor="-3")),
    "liteapi fee -500": ("liteapi", liteapi(fee="-500")),
    "liteapi in a currency not asked for": ("liteapi", liteapi().replace(b"USD", b"JPY")),
    "liteapi says nothing": ("liteapi", {}),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_that_suppliers_malformed_answer_and_the_search_goes_on(name: str) -> None:
    outcome = searched(*LIES[name]).outcomes[0]
    assert (outcome.status, outcome.offers) == (OutcomeStatus.MALFORMED, 0)
    assert outcome.detail
    assert len(outcome.detail) < 200


@settings(max_examples=120, deadline=None)
@given(amount=st.one_of(st.decimals(), st.decimals(allow_nan=False, allow_infinity=False, places=2), st.text(max_size=8)))
def test_no_amount_whatsoever_breaks_a_search(amount: object) -> None:
    for body in (("rapid", rapid(str(amount))), ("rapid", rapid(floor=str(amount))), ("hotelbeds", hotelbeds(str(amount)))):
        result = searched(*body)
        prices = [offer.price.amount for entry in result.hotels for offer in entry.offers]
        assert all(price.is_finite() and price >= 0 for price in prices)


def test_a_truthful_answer_in_each_format_is_ok() -> None:
    for wire_format, body in {"rapid": rapid(), "amadeus": amadeus(), "hotelbeds": hotelbeds(), "liteapi": liteapi()}.items():
        outcome = searched(wire_format, body).outcomes[0]
        assert (outcome.status, outcome.offers) == (OutcomeStatus.OK, 1), outcome.detail


def test_zero_due_at_the_property_is_an_amount_not_a_lie() -> None:
    (found,) = LiteApi(account()).parse(WireResponse(200, liteapi(fee="0")), account().hotels_at("LON"))
    assert found.offers[0].due_at_property == Money(Decimal(0), "USD")


def test_hotelbeds_leaves_out_rates_sold_only_in_packages_and_sums_taxes_due_on_the_spot() -> None:
    assert parsed(packaging=True) == []
    city = {"included": False, "amount": "6.50", "currency": "EUR"}
    taxes = {"taxes": [city, {**city, "amount": 1.25}, {**city, "included": True, "amount": "9"}], "allIncluded": False}
    (found,) = parsed(taxes=taxes)
    assert found.offers[0].due_at_property == Money(Decimal("7.75"), "EUR")
    (unknown,) = parsed(taxes={"taxes": [city, {"included": False}]})
    assert unknown.offers[0].due_at_property is None, "an amount that is not stated is unknown, not zero"


def parsed(**rate: Any) -> Any:
    body = json.dumps(hotelbeds(**rate)).encode()
    return Hotelbeds(account()).parse(WireResponse(200, body), QUERY, account().hotels_at("LON"))


async def test_when_one_batch_fails_the_others_do_not_outlive_it() -> None:
    cancelled = asyncio.Event()

    async def slow() -> WireResponse:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError("never reached")

    async def failing() -> WireResponse:
        await asyncio.sleep(0)
        raise SupplierUnavailable("throttled")

    with pytest.raises(SupplierUnavailable, match="throttled"):
        await send_all([slow(), failing()])
    await asyncio.wait_for(cancelled.wait(), 1)


def test_a_message_about_a_huge_number_stays_short() -> None:
    with pytest.raises(SupplierMalformed) as caught:
        LiteApi(account()).parse(WireResponse(200, liteapi("9" * 100_000)), account().hotels_at("LON"))
    assert len(str(caught.value)) < 200
