"""The operations page in a real browser: live figures, a row per supplier, and what it says when the service is gone."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.app.test_serve import serving
from tests.conftest import CHROMIUM_FLAGS, require_program
from tests.fakes import future_search


def test_it_is_off_unless_asked_for(simulator_url: str) -> None:
    with serving(SUPPLIERS_URL=simulator_url) as (_, url):
        assert [httpx.get(url + path).status_code for path in ("/ops", "/ops/data")] == [404, 404]


@pytest.mark.slow
def test_a_person_sees_the_last_minute_live(simulator_url: str, tmp_path: Path) -> None:
    chromium = require_program("chromium")
    httpx.put(f"{simulator_url}/_sim/faults/rapid-01", content="status:500")
    with serving(SUPPLIERS_URL=simulator_url, OPS="on", DEADLINE_MS="5000") as (process, url), sync_playwright() as playwright:
        for _ in range(3):
            assert httpx.get(url + future_search(), timeout=20).status_code == 200
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{url}/ops")
        expect(page.locator("#state")).to_have_text("live")
        expect(page.locator("#suppliers tr")).to_have_count(45)
        expect(page.locator("[data-figure=in_flight] b")).to_have_text("0")
        failing = page.locator("tr[data-supplier='rapid-01'] td")
        expect(failing.nth(7)).to_have_text("3")
        expect(page.locator("tr[data-supplier='rapid-02'] td").nth(5)).to_have_text("3")
        assert httpx.get(url + future_search(adults="1"), timeout=20).status_code == 200
        expect(failing.nth(7)).to_have_text("4", timeout=10_000)
        expect(page.locator("[data-figure=searches_per_s] polyline")).to_have_count(1, timeout=10_000)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"scrolls sideways at {width} px"
            page.screenshot(path=tmp_path / f"ops-{width}.png")
        assert errors == []
        process.terminate()
        process.wait(15)
        expect(page.locator("#state")).to_contain_text("no answer", timeout=10_000)
        browser.close()


def test_the_data_is_json_for_programs_too(simulator_url: str) -> None:
    with serving(SUPPLIERS_URL=simulator_url, OPS="on", EMF_S="1") as (process, url):
        httpx.get(url + future_search(), timeout=20)
        told = httpx.get(f"{url}/ops/data").json()
        assert len(told["suppliers"]) == 45
        assert told["about"]["lane"] == "local"
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Crossover"
