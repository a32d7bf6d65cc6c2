"""The simulator: the same world for the same seed, answers the published schemas accept, faults that are real."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from app.core.consolidate import consolidate
from app.core.errors import SupplierError, SupplierMalformed, SupplierTimeout, SupplierUnavailable
from app.core.fanout import fan_out
from app.core.models import Occupancy, SearchQuery, SupplierHotel
from app.settings import SHIPPED_CATALOGUE
from app.suppliers.catalogue import Catalogue, load_catalogue
from app.suppliers.guard import Guard
from app.suppliers.registry import open_suppliers
from infra.commands.simulator import content_bytes
from infra.errors import InputError
from infra.lab.simulator import answers
from infra.lab.simulator.answers import Stay
from infra.lab.simulator.faults import KINDS, Latency, parse_fault, read_scenario
from infra.lab.simulator.inventory import MAX_OFFSET_M, PLACES, SUPPLIERS, inventory
from tests.conftest import ROOT

QUERY = SearchQuery("LON", date(2027, 3, 1), date(2027, 3, 4), Occupancy(2), "USD")
STAY = Stay(QUERY.check_in, QUERY.check_out, 2, (), "USD")


def catalogue(url: str) -> Catalogue:
    return load_catalogue(SHIPPED_CATALOGUE, variables={"suppliers": url})


def ids(supplier: str, place: str = "LON") -> tuple[str, ...]:
    return tuple(inventory(7).listed(supplier, place))


def test_the_shipped_content_and_catalogue_are_the_simulators() -> None:
    assert (ROOT / "app" / "suppliers" / "data" / "content.json").read_bytes() == content_bytes(7)
    assert [(e.id, e.format) for e in catalogue("http://x").suppliers] == list(SUPPLIERS.items())
    assert len(SUPPLIERS) == 45


def test_two_processes_with_one_seed_tell_the_same_world() -> None:
    script = (
        "from datetime import date; from infra.lab.simulator import answers;"
        "from infra.lab.simulator.inventory import inventory;"
        "s = answers.Stay(date(2027, 3, 1), date(2027, 3, 4), 2, (), 'USD');"
        "print(answers.rapid(7, 'rapid-01', tuple(inventory(7).listed('rapid-01', 'LON')), s).decode())"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().encode() == answers.rapid(7, "rapid-01", ids("rapid-01"), STAY)
    assert answers.rapid(8, "rapid-01", tuple(inventory(8).listed("rapid-01", "LON")), STAY) != done.stdout.encode()


def test_an_answer_has_about_a_dozen_offers_and_positions_within_300_m() -> None:
    world = inventory(7)
    counts = [sum(len(hotel.rates) for hotel in world.listed(s, place.code).values()) for s in SUPPLIERS for place in PLACES]
    assert 9 < sum(counts) / len(counts) < 15
    for supplier in SUPPLIERS:
        for hotel in world.by_id(supplier).values():
            assert abs(hotel.latitude - hotel.true.latitude) * 111_320 <= MAX_OFFSET_M + 1


def test_latencies_are_lognormal_with_the_stated_median_and_p99() -> None:
    latency = Latency("lognormal", 7)
    drawn = sorted(latency.next_s(supplier) * 1000 for supplier in SUPPLIERS for _ in range(400))
    assert 50 < drawn[len(drawn) // 2] < 72
    assert 380 < drawn[int(len(drawn) * 0.99)] < 660
    one, two = Latency("lognormal", 7), Latency("lognormal", 7)
    assert [one.next_s("rapid-01") for _ in range(9)] == [two.next_s("rapid-01") for _ in range(9)]


def test_rapid_answers_as_its_openapi_says(shared_data: Path) -> None:
    spec = json.loads((shared_data / "suppliers/expedia-rapid/rapid-shopping-subset.openapi.json").read_text())
    path = next(path["get"] for name, path in spec["paths"].items() if name.endswith("properties/availability"))
    schema = path["responses"]["200"]["content"]["application/json"]["schema"]
    body = json.loads(answers.rapid(7, "rapid-01", ids("rapid-01"), STAY))
    assert body
    jsonschema.validate(body, {**schema, "components": spec["components"]})


def test_amadeus_answers_as_its_specification_says(shared_data: Path) -> None:
    spec = json.loads((shared_data / "suppliers/amadeus/HotelSearch_v3_swagger_specification.json").read_text())
    rendered = answers.amadeus(7, "amadeus-01", ids("amadeus-01"), STAY)
    assert rendered is not None
    schema = {"$ref": "#/definitions/HotelOffers", "definitions": spec["definitions"]}
    for entry in json.loads(rendered)["data"]:  # declared an object, but an array in its example and on the wire
        jsonschema.validate(entry, schema)


def test_liteapi_answers_as_its_openapi_says(shared_data: Path) -> None:
    spec = json.loads((shared_data / "suppliers/liteapi/search.json").read_text())
    schema = spec["paths"]["/hotels/rates"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    rendered = answers.liteapi(7, "liteapi-01", ids("liteapi-01"), STAY)
    assert rendered is not None
    jsonschema.validate(json.loads(rendered), schema)
    assert b'"amount":"' not in rendered, "money is a number on this wire"


def test_hotelbeds_answers_have_the_recorded_shape_with_money_as_text(shared_data: Path) -> None:
    recorded = json.loads((shared_data / "suppliers/hotelbeds/200-list-available-hotels.json").read_text())
    ours = json.loads(answers.hotelbeds(7, "hotelbeds-01", ids("hotelbeds-01"), STAY))
    theirs_hotel, our_hotel = recorded["hotels"]["hotels"][0], ours["hotels"]["hotels"][0]
    assert set(our_hotel) == set(theirs_hotel)
    optional = {"sellingRate", "hotelMandatory", "offers", "rateCommentsId"}
    assert set(our_hotel["rooms"][0]["rates"][0]) - optional == set(theirs_hotel["rooms"][0]["rates"][0]) - optional
    assert isinstance(our_hotel["rooms"][0]["rates"][0]["net"], str)


async def all_hotels(url: str, query: SearchQuery = QUERY) -> list[SupplierHotel]:
    async with open_suppliers(catalogue(url)) as suppliers:
        return [hotel for supplier in suppliers for hotel in await supplier.search(query)]


async def test_every_format_is_understood_and_consolidation_finds_the_true_hotels(simulator_url: str) -> None:
    truth = inventory(7).truth()
    pairs = wrong = found = 0
    for place in PLACES:
        query = SearchQuery(place.code, QUERY.check_in, QUERY.check_out, QUERY.occupancy, "EUR")
        hotels = await all_hotels(simulator_url, query)
        assert {hotel.supplier for hotel in hotels} == set(SUPPLIERS)
        members: dict[str, int] = {}
        for hotel in hotels:
            true = truth[hotel.supplier, hotel.hotel_id]
            pairs += members.get(true, 0)
            members[true] = members.get(true, 0) + 1
        for entry in consolidate(hotels):
            trues = [truth[item] for item in entry.supplier_ids.items()]
            for index, true in enumerate(trues):
                same = trues[:index].count(true)
                found += same
                wrong += index - same
    precision, recall = found / (found + wrong), found / pairs
    print(f"consolidation on the simulator's truth: precision {precision:.4f}, recall {recall:.4f}, {pairs} pairs")
    assert precision > 0.999
    assert recall > 0.95


EXPECTED: dict[str, tuple[type[SupplierError], str]] = {
    "status:500": (SupplierUnavailable, "status 500"),
    "status:429": (SupplierUnavailable, "throttled with status 429"),
    "garbage": (SupplierMalformed, "."),
    "truncated": (SupplierMalformed, "not a whole HTTP answer"),
    "redirect": (SupplierUnavailable, r"redirects \(302\) to elsewhere.invalid"),
    "huge": (SupplierMalformed, "larger than 4194304 bytes"),
    "reset": (SupplierUnavailable, "."),
    "empty": (SupplierMalformed, "."),
    "lie": (SupplierMalformed, "price -"),
    "throttle": (SupplierUnavailable, "throttled"),
}


@pytest.mark.parametrize("supplier", ["rapid-01", "hotelbeds-01", "liteapi-01", "amadeus-01"])
async def test_every_fault_is_the_right_outcome_and_quick(simulator_url: str, supplier: str) -> None:
    async with open_suppliers(catalogue(simulator_url)) as suppliers:
        asked = next(s for s in suppliers if s.id == supplier)
        assert await asked.search(QUERY)
        for text, (kind, message) in EXPECTED.items():
            put(simulator_url, supplier, text)
            asked.guard = Guard(supplier, time.monotonic)  # each fault alone: in a row they would open its circuit
            started = time.perf_counter()
            with pytest.raises(SupplierError, match=message) as caught:
                await asked.search(QUERY)
            accepted = (kind, SupplierUnavailable, SupplierMalformed) if text in ("reset", "truncated") else (kind,)
            assert isinstance(caught.value, accepted), text
            assert time.perf_counter() - started < 2, text
        httpx.delete(f"{simulator_url}/_sim/faults/{supplier}")
        asked.guard = Guard(supplier, time.monotonic)
        assert await asked.search(QUERY), "the supplier must be usable again after every fault"


async def test_another_currency_is_a_lie_only_where_the_format_promises_the_one_asked(simulator_url: str) -> None:
    put(simulator_url, "*", "currency")
    async with open_suppliers(catalogue(simulator_url)) as suppliers:
        by_id = {supplier.id: supplier for supplier in suppliers}
        for supplier in ("rapid-01", "liteapi-01"):
            with pytest.raises(SupplierMalformed, match="priced in CZK, asked for USD"):
                await by_id[supplier].search(QUERY)
        for supplier in ("amadeus-01", "hotelbeds-01"):
            hotels = await by_id[supplier].search(QUERY)
            assert {offer.total.currency for hotel in hotels for offer in hotel.offers} == {"CZK"}


@pytest.mark.parametrize("kind", ["hang", "drip"])
async def test_an_answer_that_never_ends_is_cut_by_the_fan_out(simulator_url: str, kind: str) -> None:
    put(simulator_url, "rapid-01", kind)
    async with open_suppliers(catalogue(simulator_url)) as suppliers:
        (answer,) = await fan_out(suppliers[:1], QUERY, deadline_ms=200, clock=time.perf_counter)
    assert (answer.outcome.status, answer.outcome.elapsed_ms < 500) == ("timeout", True)


async def test_a_dead_simulator_is_unavailable_not_a_crash() -> None:
    with pytest.raises((SupplierUnavailable, SupplierTimeout)):
        await all_hotels("http://127.0.0.1:9")


def put(url: str, supplier: str, fault: str) -> None:
    httpx.put(f"{url}/_sim/faults/{supplier}", content=fault).raise_for_status()


def test_wrong_credentials_and_late_clocks_are_refused_as_each_vendor_does(simulator_url: str) -> None:
    rapid = f"{simulator_url}/rapid-01/v3/properties/availability?checkin=2027-03-01"
    late = {"Authorization": f"EAN APIKey=lab-key,Signature=x,timestamp={int(time.time()) - 900}"}
    assert httpx.get(rapid, headers=late).status_code == 401
    assert httpx.post(f"{simulator_url}/hotelbeds-01/hotel-api/1.0/hotels", headers={"Api-key": "lab-key"}).status_code == 403
    assert httpx.post(f"{simulator_url}/liteapi-01/v3.0/hotels/rates", json={}).status_code == 401
    assert httpx.get(f"{simulator_url}/amadeus-01/v3/shopping/hotel-offers?hotelIds=A").status_code == 401


def test_stats_count_requests_bytes_and_connections(simulator_url: str) -> None:
    with httpx.Client(base_url=simulator_url) as client:
        client.get("/rapid-01/nothing")
        stats: dict[str, Any] = client.get("/_sim/stats").json()
        assert stats["suppliers"]["rapid-01"]["requests"] == 1
        assert stats["suppliers"]["rapid-01"]["bytes_out"] > 0
        assert stats["connections"] == {"accepted": 1, "open": 1}
        assert client.put("/_sim/latency", content="soon").status_code == 422
        assert client.put("/_sim/faults/nobody", content="hang").status_code == 404


def test_every_fault_kind_is_described_and_parsed() -> None:
    for kind in KINDS:
        assert parse_fault("status:503" if kind == "status" else kind).kind == kind
    for wrong in ("status", "status:abc", "explode", "hang:1"):
        with pytest.raises(InputError, match="unknown fault"):
            parse_fault(wrong)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('latency = "fast"', "line 1: latency: 'fast' must be lognormal or fixed:<ms>"),
        ('latency = "fixed:-1"', "must be lognormal or fixed:<ms>, from 0 to 60000"),
        ('[faults]\nrapid-99 = "hang"', "line 2: faults.rapid-99: no such supplier"),
        ('[faults]\nrapid-01 = "explode"', "line 2: faults.rapid-01: unknown fault 'explode'; known: status:<code>, garbage"),
        ('speed = "x"', "line 1: speed: unknown field"),
        ("latency = \n[faults]", "is no TOML: Invalid value .at line 1"),
    ],
)
def test_a_malformed_scenario_names_file_line_and_field(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_scenario(path)
    assert str(caught.value).startswith(str(path))


def test_a_scenario_is_played(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text('latency = "fixed:3"\n[faults]\n"*" = "status:503"\nrapid-01 = "hang"\n')
    scenario = read_scenario(path)
    assert scenario.latency == "fixed:3"
    assert scenario.faults["*"].status == 503


def test_weekends_cost_more_and_a_longer_stay_too() -> None:
    hotel = next(iter(inventory(7).listed("rapid-01", "LON").values()))

    def total(start: date, nights: int) -> float:
        stay = Stay(start, start + timedelta(nights), 2, (), "USD")
        return float(answers.rates_of(hotel, "rapid-01", stay, "USD")[0].total)

    monday, friday = date(2027, 3, 1), date(2027, 3, 5)
    assert total(friday, 1) > total(monday, 1)
    assert total(monday, 3) > 2.9 * total(monday, 1)
