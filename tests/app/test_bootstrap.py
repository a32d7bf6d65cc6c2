"""The wiring: settings reach the parts they are for, files are checked at once, and the lifespan bounds readiness."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from app.bootstrap import create_app
from app.core.errors import ConfigurationError
from app.settings import Settings
from app.telemetry.tracing import export
from tests.app.telemetry.tracing.collector import attributes, collecting
from tests.conftest import ROOT
from tests.fakes import future_search


def settings(**variables: str) -> Settings:
    return Settings.from_environment({f"CROSSOVER_{name}": value for name, value in variables.items()})


async def get(app: Starlette, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=15) as client:
        return await client.get(path)


@pytest.fixture
async def app(simulator_url: str) -> AsyncIterator[Starlette]:
    app = create_app(settings(SUPPLIERS_URL=simulator_url, DEADLINE_MS="8000", MARKUP_PERCENT="0", LANE="container"))
    async with app.router.lifespan_context(app):
        yield app


async def test_it_is_live_always_and_ready_only_inside_its_lifespan() -> None:
    app = create_app(settings())
    assert [(await get(app, path)).status_code for path in ("/healthz", "/readyz", "/version")] == [200, 503, 200]
    async with app.router.lifespan_context(app):
        assert (await get(app, "/readyz")).status_code == 200
    assert (await get(app, "/readyz")).status_code == 503
    refused = await get(app, future_search())
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "unavailable")


@pytest.mark.parametrize("hedging", ["on", "off"])
async def test_suppliers_are_hedged_unless_switched_off(hedging: str) -> None:
    app = create_app(settings(HEDGING=hedging))
    async with app.router.lifespan_context(app):
        counted = "crossover_hedged_calls_total" in (await get(app, "/metrics")).text
    assert counted is (hedging == "on")


async def test_settings_reach_the_search(app: Starlette) -> None:
    answer = (await get(app, future_search(currency="USD", limit="200"))).json()
    assert answer["complete"] is True
    assert len(answer["outcomes"]) == 45
    unmarked = [
        offer
        for shown in answer["hotels"]
        for offer in shown["offers"]
        if offer["supplier_price"]["currency"] == "USD" and not offer["supplier"].startswith(("hotelbeds", "liteapi"))
    ]  # those two formats state price floors
    assert unmarked
    for offer in unmarked:
        assert Decimal(offer["price"]["amount"]) == Decimal(offer["supplier_price"]["amount"])
    assert (await get(app, "/version")).json()["lane"] == "container"


async def test_the_deadline_bounds_a_search_with_the_suppliers_that_answered(app: Starlette, simulator_url: str) -> None:
    short = create_app(settings(SUPPLIERS_URL=simulator_url, DEADLINE_MS="500"))
    httpx.put(f"{simulator_url}/_sim/faults/rapid-01", content="hang")
    async with short.router.lifespan_context(short):
        await get(short, future_search())  # opens the connections
        answer = (await get(short, future_search())).json()
    outcomes = {outcome["supplier"]: outcome for outcome in answer["outcomes"]}
    assert outcomes["rapid-01"]["status"] == "timeout"
    assert outcomes["rapid-01"]["elapsed_ms"] < 1_000


def test_a_broken_catalogue_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(f"{tmp_path / 'none.toml'}: the supplier catalogue cannot be read")):
        create_app(settings(CATALOGUE=str(tmp_path / "none.toml")))


async def test_where_an_endpoint_is_set_a_search_is_traced_to_its_suppliers(
    simulator_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "SETTLE_S", 5.0)
    with collecting() as collector:
        app = create_app(
            Settings.from_environment(
                {
                    "CROSSOVER_SUPPLIERS_URL": simulator_url,
                    "CROSSOVER_DEADLINE_MS": "8000",
                    "CROSSOVER_LANE": "container",
                    "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
                    "OTEL_TRACES_SAMPLER": "always_on",
                }
            )
        )
        async with app.router.lifespan_context(app):
            assert (await get(app, future_search())).status_code == 200
            await app.state.service.settle()
            assert 'crossover_trace_spans_total{result="sent"} 46' in (await get(app, "/metrics")).text
    assert len(collector.spans) == 46
    assert collector.resource["crossover.lane"] == "container"
    assert {attributes(span).get("server.address") for span in collector.spans} == {"127.0.0.1", None}


def test_without_an_endpoint_opentelemetry_is_not_imported(simulator_url: str) -> None:
    code = f"""
import asyncio, sys, httpx
from app.bootstrap import create_app

async def main():
    app = create_app()
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=15) as client:
            print((await client.get({future_search()!r})).status_code)

asyncio.run(main())
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    environment = {"CROSSOVER_SUPPLIERS_URL": simulator_url, "CROSSOVER_DEADLINE_MS": "8000", "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "200\n[]\n"
