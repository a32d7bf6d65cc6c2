"""Each vendor's server as simulated: it lets our formats' requests in, and refuses what the vendor refuses, in its shape."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from app.core.errors import SupplierMalformed, SupplierUnavailable
from app.core.models import Occupancy, SearchQuery, SupplierHotel
from app.suppliers.content import ContentHotel
from app.suppliers.formats.account import Account
from app.suppliers.formats.amadeus import Amadeus
from app.suppliers.formats.known import FORMATS
from app.suppliers.formats.rapid import Rapid
from app.suppliers.wire import WireRequest, WireResponse
from infra.lab.simulator.inventory import SUPPLIERS, inventory
from infra.lab.simulator.vendors import TOKEN_LIFE_S, VENDORS, Reply, Request, ask

QUERY = SearchQuery("LON", date(2027, 3, 1), date(2027, 3, 4), Occupancy(2), "USD")
NOW = 1_790_000_000.0
ONE_EACH = ("rapid-01", "amadeus-01", "hotelbeds-01", "liteapi-01")


class Wire:
    """A transport straight into one simulated vendor; `now` is its clock."""

    def __init__(self, supplier: str, *, reply: Callable[[Reply], Reply] = lambda reply: reply) -> None:
        self.supplier = supplier
        self.now = NOW
        self.tokens: dict[str, float] = {}
        self.replies: list[Reply] = []
        self._reply = reply

    async def send(self, request: WireRequest) -> WireResponse:
        await asyncio.sleep(0)
        reply = self._reply(self.ask(request))
        self.replies.append(reply)
        return WireResponse(reply.status, reply.body)

    def ask(self, request: WireRequest) -> Reply:
        url = urlsplit(request.url)
        headers = {name.lower().encode(): value.encode() for name, value in request.headers.items()}
        body = request.body or b""
        vendor = VENDORS[SUPPLIERS[self.supplier]]
        path, query = url.path.removeprefix("/"), url.query.encode()
        return ask(vendor, Request(7, self.supplier, request.method, path, query, headers, body, self.now, self.tokens))


def account(supplier: str, *, ids: list[str] | None = None, clock_off_s: float = 0, secret: str = "lab-secret") -> Account:
    listed = [ContentHotel(h.hotel_id, h.name, h.latitude, h.longitude) for h in inventory(7).listed(supplier, "LON").values()]
    hotels = listed if ids is None else [ContentHotel(id_, "Hotel", 51.5, -0.1) for id_ in ids]
    return Account(
        supplier=supplier, url="http://x", key="lab-key", secret=secret, hotels={"LON": hotels}, now=lambda: NOW + clock_off_s
    )


async def search(wire: Wire, used: Account) -> tuple[SupplierHotel, ...]:
    return await FORMATS[SUPPLIERS[wire.supplier]](used).search(QUERY, wire)


@pytest.mark.parametrize("supplier", ONE_EACH)
async def test_our_requests_are_let_in_and_every_listed_hotel_is_priced(supplier: str) -> None:
    found = await search(Wire(supplier), account(supplier))
    assert {hotel.hotel_id for hotel in found} == set(inventory(7).listed(supplier, "LON"))
    assert all(hotel.offers for hotel in found)


@pytest.mark.parametrize(("supplier", "limit_s"), [("rapid-01", 300), ("hotelbeds-01", 120)])
async def test_a_signature_is_good_within_the_vendors_clock_and_refused_beyond(supplier: str, limit_s: int) -> None:
    for off in (-limit_s, limit_s):
        assert await search(Wire(supplier), account(supplier, clock_off_s=off))
    for off in (-limit_s - 2, limit_s + 2):
        with pytest.raises(SupplierUnavailable, match=r"status 401|refused our signature: check the key"):
            await search(Wire(supplier), account(supplier, clock_off_s=off))


@pytest.mark.parametrize("supplier", ["rapid-01", "amadeus-01", "hotelbeds-01"])
async def test_a_wrong_secret_is_refused(supplier: str) -> None:
    with pytest.raises(SupplierUnavailable, match=r"status 401|refused our (signature|credentials)"):
        await search(Wire(supplier), account(supplier, secret="guessed"))


async def test_a_token_that_expires_mid_search_is_renewed_once_for_all() -> None:
    wire, used = Wire("amadeus-01"), account("amadeus-01")
    amadeus = Amadeus(used)
    await amadeus.search(QUERY, wire)
    wire.now += TOKEN_LIFE_S + 1  # their clock moves on, ours does not know
    wire.replies.clear()
    found = await asyncio.gather(*(amadeus.search(QUERY, wire) for _ in range(5)))
    assert all(found)
    refusals = [json.loads(reply.body)["errors"][0]["code"] for reply in wire.replies if reply.status == 401]
    assert refusals == [38192] * 5
    assert sum(b"access_token" in reply.body for reply in wire.replies) == 1


async def test_an_unknown_token_is_not_an_expired_one() -> None:
    reply = Wire("amadeus-01").ask(Amadeus(account("amadeus-01")).request(QUERY, ["A"], "made-up"))
    assert (reply.status, json.loads(reply.body)["errors"][0]["code"]) == (401, 38190)


@pytest.mark.parametrize("supplier", ONE_EACH)
async def test_hotels_without_rooms_are_no_error_in_any_format(supplier: str) -> None:
    ids = ["1", "2"] if "beds" in supplier or "rapid" in supplier else ["NOTHING1"]
    wire = Wire(supplier)
    assert await search(wire, account(supplier, ids=ids)) == ()
    assert wire.replies[-1].status == {"amadeus-01": 400, "liteapi-01": 204}.get(supplier, 200)


@pytest.mark.parametrize("supplier", ONE_EACH)
async def test_throttling_in_the_vendors_shape_is_called_throttling(supplier: str) -> None:
    throttled = VENDORS[SUPPLIERS[supplier]].throttled
    with pytest.raises(SupplierUnavailable, match=r"throttled with status (403|429)"):
        await search(Wire(supplier, reply=lambda _: throttled), account(supplier))


def test_too_many_ids_are_refused(shared_data: Path) -> None:
    authorized = Rapid(account("rapid-01"))
    (one,) = authorized.requests(QUERY, ["1"])
    many = one._replace(url=one.url + "&property_id=1" * 250)
    refusal = Wire("rapid-01").ask(many)
    assert refusal.status == 400
    spec = json.loads((shared_data / "suppliers/expedia-rapid/rapid-shopping-subset.openapi.json").read_text())
    jsonschema.validate(json.loads(refusal.body), {"$ref": "#/components/schemas/Error", "components": spec["components"]})
    wire = Wire("amadeus-01")
    wire.tokens["t"] = NOW + 9
    refused = json.loads(wire.ask(Amadeus(account("amadeus-01")).request(QUERY, ["A"] * 21, "t")).body)
    assert (refused["errors"][0]["code"], refused["errors"][0]["detail"]) == (477, "hotelIds: at most 20, got 21")


def test_refused_credentials_have_the_shape_of_the_token_specification(shared_data: Path) -> None:
    spec = json.loads((shared_data / "suppliers/amadeus/Authorizaton_v1_swagger_specification.json").read_text())
    refused = Wire("amadeus-01").ask(Amadeus(account("amadeus-01", secret="guessed")).token_request())
    jsonschema.validate(json.loads(refused.body), spec["components"]["schemas"]["ErrorResponse"])
    granted = Wire("amadeus-01").ask(Amadeus(account("amadeus-01")).token_request())
    jsonschema.validate(json.loads(granted.body), spec["components"]["schemas"]["AmadeusOAuth2Token"])


async def sent_by(supplier: str) -> tuple[Wire, WireRequest]:
    """A right request of ours to this supplier, and the wire that let it in."""
    wire = Wire(supplier)
    requests: list[WireRequest] = []

    class Recording:
        async def send(self, request: WireRequest) -> WireResponse:
            requests.append(request)
            return await wire.send(request)

    await FORMATS[SUPPLIERS[supplier]](account(supplier)).search(QUERY, Recording())
    return wire, requests[-1]


@pytest.mark.parametrize("supplier", ONE_EACH)
@pytest.mark.parametrize(
    ("old", "new"),
    [("2027-03-04", "2027-03-01"), ("2027-03-01", "soon"), ("2027-03-04", "2027-02-31"), ("", "")],
    ids=["no night", "no date", "no such day", "nothing"],
)
async def test_a_request_that_cannot_be_read_is_a_400_in_the_vendors_shape(supplier: str, old: str, new: str) -> None:
    wire, right = await sent_by(supplier)
    body = (right.body or b"").decode().replace(old, new).encode() if old else b""
    url = right.url.replace(old, new) if old else right.url.partition("?")[0]
    reply = wire.ask(right._replace(url=url, body=body))
    assert reply.status == 400, reply.body
    answer: Any = json.loads(reply.body)
    shapes = {"rapid-01": "errors", "amadeus-01": "errors", "hotelbeds-01": "error", "liteapi-01": "error"}
    assert shapes[supplier] in answer
    assert ("type" in answer) == (supplier == "rapid-01")


async def test_a_late_refusal_of_an_old_token_does_not_throw_the_new_one_away() -> None:
    wire, amadeus = Wire("amadeus-01"), Amadeus(account("amadeus-01"))
    await amadeus.search(QUERY, wire)
    wire.now += TOKEN_LIFE_S + 1
    renewed = asyncio.Event()

    class SlowRefusal:
        async def send(self, request: WireRequest) -> WireResponse:
            answer = await wire.send(request)
            if answer.status == 401:
                await renewed.wait()
            return answer

    late = asyncio.ensure_future(amadeus.search(QUERY, SlowRefusal()))
    await asyncio.sleep(0)
    await amadeus.search(QUERY, wire)
    renewed.set()
    assert await late
    assert sum(b"access_token" in reply.body for reply in wire.replies) == 2, "one at first, one renewal"


async def test_hotelbeds_with_another_stay_than_asked_is_malformed() -> None:
    def another_stay(reply: Reply) -> Reply:
        return reply._replace(body=reply.body.replace(b'"checkIn":"2027-03-01"', b'"checkIn":"2027-03-02"'))

    with pytest.raises(SupplierMalformed, match="other dates than asked: 2027-03-02 to 2027-03-04"):
        await search(Wire("hotelbeds-01", reply=another_stay), account("hotelbeds-01"))


async def test_a_bad_request_of_ours_is_an_error_not_an_empty_answer() -> None:
    def emptied(reply: Reply) -> Reply:
        return reply if b"access_token" in reply.body else Reply(400, b'{"errors":[]}')

    with pytest.raises(SupplierUnavailable, match="status 400"):
        await search(Wire("amadeus-01", reply=emptied), account("amadeus-01"))


async def test_a_currency_the_vendor_does_not_sell_in_is_named() -> None:
    wire, right = await sent_by("rapid-01")
    reply = wire.ask(right._replace(url=right.url.replace("currency=USD", "currency=XTS")))
    assert (reply.status, b"currency 'XTS' is not sold in" in reply.body) == (400, True)
