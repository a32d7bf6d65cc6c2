"""Our formats against the vendors' own specifications and examples: what we ask is allowed, what they answer is understood."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest

from app.core.errors import SupplierMalformed
from app.core.models import Money, Occupancy, SearchQuery
from app.suppliers.content import ContentHotel
from app.suppliers.formats.account import Account
from app.suppliers.formats.amadeus import Amadeus
from app.suppliers.formats.hotelbeds import Hotelbeds
from app.suppliers.formats.liteapi import LiteApi
from app.suppliers.formats.rapid import Rapid
from app.suppliers.wire import WireResponse

QUERY = SearchQuery("LON", date(2027, 3, 1), date(2027, 3, 4), Occupancy(2, (7, 10)), "USD")


def account(*ids: str) -> Account:
    hotels = [ContentHotel(id_, f"Hotel {id_}", 51.5, -0.1) for id_ in ids]
    return Account(
        supplier="s", url="https://x.example", key="k", secret="z", hotels={"LON": hotels}, now=lambda: 1_700_000_000.0
    )


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.fixture
def suppliers(shared_data: Path) -> Path:
    return shared_data / "suppliers"


def known(*ids: str) -> dict[str, ContentHotel]:
    return dict(account(*ids).hotels_at("LON"))


def test_rapids_example_is_read_with_its_stay_price_fees_and_floor(suppliers: Path) -> None:
    body = (suppliers / "expedia-rapid" / "example-availability.json").read_bytes()
    query = SearchQuery("LON", QUERY.check_in, QUERY.check_out, Occupancy(2), "USD")
    (hotel,) = Rapid(account("19248")).parse(WireResponse(200, body), query, known("19248"))
    offer = hotel.offers[0]
    assert (hotel.name, offer.room, offer.refundable) == ("Hotel 19248", "Fancy Queen Room", True)
    assert offer.total == Money(Decimal("530.00"), "USD")
    assert offer.floor == Money(Decimal("530.00"), "USD")
    assert offer.due_at_property == Money(Decimal("9.00"), "USD")
    with pytest.raises(SupplierMalformed, match="no price for the occupancy asked"):
        Rapid(account("19248")).parse(WireResponse(200, body), QUERY, known("19248"))
    empty = (suppliers / "expedia-rapid" / "example-no-availability.json").read_bytes()
    assert Rapid(account("19248")).parse(WireResponse(200, empty), query, known("19248")) == []


def test_what_we_ask_rapid_is_what_its_openapi_requires(suppliers: Path) -> None:
    spec = read(suppliers / "expedia-rapid" / "rapid-shopping-subset.openapi.json")
    parameters = next(
        path["get"]["parameters"] for name, path in spec["paths"].items() if name.endswith("properties/availability")
    )
    named = [spec["components"]["parameters"][p["$ref"].rpartition("/")[2]] if "$ref" in p else p for p in parameters]
    required = {p["name"] for p in named if p["in"] == "query" and p.get("required")}
    allowed = {p["name"] for p in named if p["in"] == "query"}
    (request,) = Rapid(account("1", "2")).requests(QUERY, ["1", "2"])
    sent = parse_qs(urlsplit(request.url).query)
    assert required <= set(sent) <= allowed
    assert sent["occupancy"] == ["2-7,10"]
    assert sent["property_id"] == ["1", "2"]
    assert request.headers["Authorization"].startswith("EAN APIKey=k,Signature=")


def test_amadeus_example_is_read(suppliers: Path) -> None:
    body = (suppliers / "amadeus" / "example-hotel-offers-multi.json").read_bytes()
    query = SearchQuery("LON", date(2023, 11, 22), date(2023, 11, 23), Occupancy(1), "GBP")
    (hotel,) = Amadeus(account("MCLONGHM")).parse(WireResponse(200, body), query, known("MCLONGHM"))
    assert hotel.name == "JW Marriott Grosvenor House London"
    assert hotel.offers[0].total == Money(Decimal("716.00"), "GBP")
    assert hotel.offers[0].refundable is False, "a full stay is due and no deadline is stated"
    with pytest.raises(SupplierMalformed, match="other dates than asked"):
        Amadeus(account("MCLONGHM")).parse(WireResponse(200, body), QUERY, known("MCLONGHM"))


def test_what_we_ask_amadeus_is_what_its_specification_allows(suppliers: Path) -> None:
    spec = read(suppliers / "amadeus" / "HotelSearch_v3_swagger_specification.json")
    allowed = {parameter["name"] for parameter in spec["paths"]["/shopping/hotel-offers"]["get"]["parameters"]}
    request = Amadeus(account("A")).request(QUERY, ["A", "B"], "token")
    assert set(parse_qs(urlsplit(request.url).query)) <= allowed
    assert urlsplit(request.url).path == spec["basePath"] + "/shopping/hotel-offers"


def test_liteapis_examples_are_read_with_money_exact(suppliers: Path) -> None:
    body = (suppliers / "liteapi" / "example-rates-200-json.json").read_bytes()
    (hotel,) = LiteApi(account("lp1897")).parse(WireResponse(200, body), known("lp1897"))
    assert hotel.offers[0].total == Money(Decimal("163.66"), "USD")
    assert hotel.offers[0].due_at_property == Money(Decimal("43.61"), "USD")
    assert hotel.offers[0].floor == Money(Decimal("191.52"), "USD")
    assert hotel.offers[0].refundable is True
    nothing = (suppliers / "liteapi" / "example-rates-204-json.json").read_bytes()
    assert LiteApi(account("lp1897")).parse(WireResponse(204, nothing), known("lp1897")) == []
    assert LiteApi(account("lp1897")).parse(WireResponse(200, nothing), known("lp1897")) == []


def test_what_we_ask_liteapi_its_schema_accepts(suppliers: Path) -> None:
    spec = read(suppliers / "liteapi" / "search.json")
    schema = spec["paths"]["/hotels/rates"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body = LiteApi(account("lp1")).request(QUERY, ["lp1"]).body
    assert body is not None
    jsonschema.validate(json.loads(body), {**schema, "additionalProperties": False})


def test_hotelbeds_recorded_answer_is_read_as_numbers_and_as_strings(suppliers: Path) -> None:
    recorded = read(suppliers / "hotelbeds" / "200-list-available-hotels.json")
    query = SearchQuery("LON", date(2024, 4, 2), date(2024, 4, 3), Occupancy(1), "EUR")
    (hotel,) = Hotelbeds(account("6619")).parse(WireResponse(200, json.dumps(recorded).encode()), query, known("6619"))
    assert hotel.offers[0].total == Money(Decimal("212.4"), "EUR")
    for room in recorded["hotels"]["hotels"][0]["rooms"]:
        for rate in room["rates"]:
            rate["net"] = f"{rate['net']:.2f}"
    (on_the_wire,) = Hotelbeds(account("6619")).parse(WireResponse(200, json.dumps(recorded).encode()), query, known("6619"))
    assert on_the_wire.offers[0].total == Money(Decimal("212.40"), "EUR")
    assert len(on_the_wire.offers) == len(hotel.offers) > 3
    with pytest.raises(SupplierMalformed, match="other dates than asked: 2024-04-02 to 2024-04-03"):
        Hotelbeds(account("6619")).parse(WireResponse(200, json.dumps(recorded).encode()), QUERY, known("6619"))
