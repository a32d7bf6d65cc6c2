"""The harness on real processes: every peer does the same job as the service, and its measuring works."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from benchmarks import fanout, machine
from benchmarks.certificates import make_certificates
from benchmarks.load import Target
from benchmarks.rounds import Bench, Pace, Plan, Rig
from benchmarks.running import Service, Upstream, place_for, service, upstream
from benchmarks.variants import NAMES, PEERS, Place, Unavailable, Variant, crossover
from benchmarks.workload import OFFERS_A_SEARCH, answer, search_paths, supplier_ids

CORES = machine.split_cores()


@pytest.fixture(scope="module")
def suppliers() -> Iterator[Upstream]:
    with upstream(CORES.rest) as running:
        yield running


@contextmanager
def running(variant: Variant, place: Place, **extra: str) -> Iterator[Service]:
    """The variant's service; skips the test with the reason where it cannot run."""
    try:
        variant.prepare(place)
    except Unavailable as reason:
        pytest.skip(f"{variant.name}: {reason}")
    with service(variant, place, CORES.service, extra) as started:
        yield started


def variant_named(name: str) -> Variant:
    return crossover() if name == "crossover" else PEERS[name]


def offers(body: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(supplier, offer id, the supplier's price with two decimals), sorted."""
    found = []
    for hotel in body.get("hotels", []):
        for offer in hotel["offers"]:
            price = offer["supplier_price"]["amount"] if "supplier_price" in offer else offer["price"]
            found.append((offer["supplier"], offer["offer_id"], f"{float(price):.2f}"))
    return sorted(found)


def expected_offers() -> list[tuple[str, str, str]]:
    return sorted(
        (name, rate["id"], rate["occupancy_pricing"]["2"]["totals"]["inclusive"]["request_currency"]["value"])
        for number, name in enumerate(supplier_ids())
        for hotel in json.loads(answer(number))
        for room in hotel["rooms"]
        for rate in room["rates"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_variant_answers_the_same_offers_cheapest_first(name: str, suppliers: Upstream, tmp_path: Path) -> None:
    suppliers.ask("/none")
    with running(variant_named(name), place_for(tmp_path, suppliers)) as started:
        target = Target("127.0.0.1", started.port, search_paths())

        async def search() -> tuple[int, bytes]:
            found = await target.search()
            target.close()
            return found

        status, body = uvloop.run(search())
    result = json.loads(body)
    assert status == 200
    assert offers(result) == expected_offers()
    assert {outcome["status"] for outcome in result["outcomes"]} == {"ok"}
    cheapest = [float(hotel["offers"][0].get("price", {}).get("amount", 0)) if name == "crossover"
                else hotel["offers"][0]["price"] for hotel in result["hotels"]]  # fmt: skip
    assert cheapest == sorted(cheapest)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["aiohttp_msgspec", "go_nethttp"])
def test_a_second_of_load_gives_every_figure(name: str, suppliers: Upstream, tmp_path: Path) -> None:
    place = place_for(tmp_path, suppliers)
    plan = Plan(rps=5, fixed_warmup_s=0.5, fixed_s=1.5, saturation_warmup_s=0.2, saturation_s=0.5, min_searches=1)
    with running(PEERS[name], place):
        pass
    bench = Bench(plan, Rig(suppliers, lambda: service(PEERS[name], place, CORES.service, {})), seed=1)
    figures = bench.measure(Pace(rps=5, in_flight=2))
    for kind in ("fixed_rate", "saturation"):
        assert figures[kind]["cpu_ms_per_search"] > 0.1
        assert figures[kind]["peak_rss_mb"] > 5
        assert figures[kind]["searches"] > 0
        assert figures[kind]["failed"] == 0
    assert figures["saturation"]["offers_share"] == 1.0
    assert figures["fixed_rate"]["p50_ms"] > figures["saturation"]["p50_ms"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["crossover", "aiohttp_msgspec", "go_fasthttp"])
def test_suppliers_are_asked_over_tls_and_checked_by_certificate(name: str, tmp_path: Path) -> None:
    authority = str(make_certificates(tmp_path))
    with upstream(CORES.rest, tls=tmp_path, gzipped=True) as secure:
        place = place_for(tmp_path, secure)
        bodies = []
        for trusted in ({"SSL_CERT_FILE": authority, "REQUESTS_CA_BUNDLE": authority}, {}):
            with running(variant_named(name), place, **trusted) as started:
                target = Target("127.0.0.1", started.port, search_paths())

                async def search(target: Target = target) -> bytes:
                    _, body = await target.search()
                    target.close()
                    return body

                bodies.append(json.loads(uvloop.run(search())))
    assert len(offers(bodies[0])) == OFFERS_A_SEARCH
    assert offers(bodies[1]) == []


def test_lognormal_latency_holds_calls_back_and_none_does_not(suppliers: Upstream) -> None:
    suppliers.ask("/lognormal?seed=3")
    address = suppliers.urls[0].removeprefix("http://")
    host, port = address.partition("/")[0].split(":")
    path = f"/{supplier_ids()[0]}/v3/properties/availability?x=1"

    async def elapsed(calls: int) -> float:
        target = Target(host, int(port), iter([path] * calls))
        began = time.perf_counter()
        for _ in range(calls):
            status, body = await target.search()
            assert (status, body) == (200, answer(0))
        target.close()
        return time.perf_counter() - began

    assert uvloop.run(elapsed(20)) > 0.6
    suppliers.ask("/none")
    assert uvloop.run(elapsed(20)) < 0.3


def test_what_is_not_installed_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    place = Place(tmp_path, tmp_path / "suppliers.json", tmp_path / "catalogue.toml")
    with pytest.raises(Unavailable, match="apt install golang-go"):
        PEERS["go_nethttp"].command(place, 1)


def test_a_service_that_does_not_start_is_skipped_with_its_last_line(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "suppliers.json", tmp_path / "no-such-catalogue.toml")
    with pytest.raises(Unavailable, match=r"code 2: .*no-such-catalogue\.toml"), service(crossover(), place, CORES.service, {}):
        pass


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--only", "go_netttp"], "unknown variant 'go_netttp'; known: crossover"),
        (["--rounds", "0"], "--rounds: must be 1 to 20, got 0"),
        (["--rps", "nan"], "--rps: must be 0.5 to 2000"),
        (["--bundle", "/nowhere"], "holds no app/serve.py"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fanout.main(arguments)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err
