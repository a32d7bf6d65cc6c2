"""The HTML page in a real browser: it loads nothing, shows everything, and fits a phone."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from infra.config import Cache, Stage
from infra.cost.compare import Comparison, compare
from infra.cost.lane import CostOptions
from infra.cost.likely import likely
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.reports.charts import GROUPS
from infra.cost.reports.report import html_bytes, write_report
from infra.cost.sensitivity import INPUTS, sensitivity
from infra.cost.traffic.profile import TrafficProfile, flat_rate
from infra.cost.traffic.shape import generate_bursty_fortnight, load_shape
from tests.conftest import CHROMIUM_FLAGS, require_program


@pytest.fixture(scope="module")
def comparison(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> Comparison:
    return compare(profile, generate_bursty_fortnight(load_shape("fortnight")), book, stage, options=options)


@pytest.fixture(scope="module")
def page_file(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    page, _ = write_report(comparison, {"queries": 200, "identical": 199}, tmp_path_factory.mktemp("report") / "new")
    return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = require_program("chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 768, 390])
def test_page_shows_headings_tables_and_charts_without_overflow_or_requests(
    browser: Browser, page_file: Path, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(page_file.as_uri())

    assert requests == [page_file.as_uri()]
    assert problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").inner_text().startswith("The container lane is cheaper")
    assert page.locator("h2").all_inner_texts() == [
        "What each lane costs",
        "Where the cheaper lane changes",
        "How sure this is",
        "The traffic",
        "Every line of the bill",
        "How instances reach out",
        "What was measured",
        "What was assumed",
    ]
    assert page.locator("table:visible").count() == 6
    charts = page.locator("figure svg:visible")
    assert charts.count() == 3
    for box in (charts.nth(i).bounding_box() for i in range(3)):
        assert box is not None
        assert box["width"] > 0.7 * min(width, 900) - 60
        assert box["height"] > 100
    assert page.locator("figure:visible", has_text="Crossover:").count() == 1
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_pointing_at_the_curve_or_moving_the_slider_says_what_a_month_costs_there(
    browser: Browser, page_file: Path, comparison: Comparison, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(page_file.as_uri())
    slider, told = page.locator("#rate"), page.locator("#at-rate")
    slider.evaluate("(s) => { s.value = s.max; s.dispatchEvent(new Event('input')); }")
    last = comparison.curve[-1]
    assert f"${last.lambda_usd:,.0f} a month on Lambda, ${last.container_usd:,.0f} on containers" in told.inner_text()
    assert told.inner_text().endswith("containers are cheaper.")

    chart = page.locator("figure.live svg:visible")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    assert told.inner_text().endswith("Lambda is cheaper.")
    mark = chart.locator(".explore-mark").bounding_box()
    assert mark is not None
    assert abs(mark["x"] - (box["x"] + box["width"] * 0.3)) < box["width"] / 30
    page.close()


@pytest.mark.slow
def test_bars_say_their_amounts_to_a_pointer_that_rests_on_them(
    browser: Browser, page_file: Path, comparison: Comparison
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(page_file.as_uri())
    titles = page.locator("figure svg:visible path > title").all_text_contents()
    compute = sum(line.usd for line in comparison.lambda_lane.lines if line.name.startswith("Lambda"))
    assert f"Lambda, compute: ${compute:,.2f} a month" in titles
    page.close()


@pytest.mark.slow
def test_page_prints_with_its_charts_and_every_column(browser: Browser, page_file: Path) -> None:
    page = browser.new_page(viewport={"width": 680, "height": 900})
    page.goto(page_file.as_uri())
    page.emulate_media(media="print")
    assert page.locator("figure svg:visible").count() == 3
    assert page.locator("thead:visible").count() == 6
    assert page.locator(".explore:visible, .explore-mark:visible").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


def test_page_is_self_contained_and_traceable(comparison: Comparison) -> None:
    text = html_bytes(comparison, {"queries": 200, "identical": 199}).decode()
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", text, flags=re.S)
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'" in text
    assert not re.search(r"\b(fetch|import|XMLHttpRequest|eval|innerHTML)\b", script)
    assert not re.search(r"""(?:src|href)=["'](?!#)""", text)
    assert not re.search(r"url\((?!#)", text)
    assert "199 of 200 searches identical on both lanes" in text
    assert "ab" * 32 in text
    for lane in comparison.lanes:
        for line in lane.lines:
            assert line.name in text
            number = re.search(rf'<li id="source-(\d+)">{re.escape(line.source.replace(chr(34), "&#34;"))}</li>', text)
            assert number, line.source
            assert f'<a href="#source-{number.group(1)}">' in text
    for choice in comparison.egress:
        assert choice.title in text
    assert text.count('<span class="tag">chosen</span>') == 1
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_every_line_is_drawn_in_exactly_one_part_of_its_bar(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    everything = replace(
        stage,
        secret="prod/suppliers",
        network=replace(stage.network, egress="nat_gateway"),
        traffic=replace(stage.traffic, waf=True),
        cache=Cache(kind="serverless"),
        lambda_lane=replace(stage.lambda_lane, provisioned_concurrency=2),
    )
    for lane in compare(profile, flat_rate(10), book, everything, options=options).lanes:
        for line in lane.lines:
            assert len([group for group, names in GROUPS.items() if line.name.startswith(names)]) == 1, line.name


def test_tables_have_scoped_headers_and_charts_have_names(comparison: Comparison) -> None:
    text = html_bytes(comparison).decode()
    assert text.count("<th ") + text.count("<th>") == len(re.findall(r'<th scope="(?:col|row)"', text))
    assert len(re.findall(r'role="img" aria-label="[^"]{40,}"', text)) == 6
    assert "not checked in this run" in text


def test_markup_in_inputs_is_escaped(comparison: Comparison) -> None:
    nasty = replace(comparison.traffic, source="series <script>alert(1)</script>.csv", notes=("<b>x</b>",))
    text = html_bytes(replace(comparison, traffic=nasty)).decode()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "<b>x</b>" not in text


def test_steady_rate_and_missing_crossover_still_make_a_page(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    flat = compare(profile, flat_rate(0.5), book, stage, options=options)
    none = replace(flat, crossover=replace(flat.crossover, rates=(), reason="lambda is cheaper at every rate"))
    text = html_bytes(none).decode()
    assert "There is no crossover: lambda is cheaper at every rate." in text
    assert "Crossover: " not in text


def test_an_hours_traffic_has_times_of_day_and_a_steady_rate_no_chart(comparison: Comparison) -> None:
    minutes = tuple(50.0 + minute for minute in range(60))
    hour = TrafficProfile(step_s=60, rates=minutes, source="an hour", start=datetime(2026, 11, 25, 9, tzinfo=UTC))
    page = html_bytes(replace(comparison, traffic=hour)).decode()
    assert "over 1 hour in steps of 60 seconds" in page
    assert ">09:00<" in page
    assert ">25 Nov<" not in page
    steady = html_bytes(replace(comparison, traffic=flat_rate(5))).decode()
    assert "5 searches a second on average, 5 at the peak, the same all the time." in steady
    assert len(re.findall(r'role="img"', steady)) == len(re.findall(r'role="img"', page)) - 2


def test_what_was_billed_and_how_sure_the_totals_are_stand_on_the_page(comparison: Comparison, billed: dict[str, Any]) -> None:
    assert "What was billed is not on this page" in html_bytes(comparison).decode()
    found = likely(comparison.world, comparison.lanes)
    page = html_bytes(replace(comparison, likely=found, billed=billed)).decode()
    assert page.index("What each lane costs") < page.index("What was billed") < page.index("How sure this is")
    assert "<strong>$650.04</strong> billed against $600.00 estimated" in page
    assert "over the budget of $900.00" in page
    assert "&lt;b&gt;a credit" in page
    assert "-$12.50" in page
    assert "CPU scale 1.5 instead of 1" in page
    for lane in comparison.lanes:
        band = found.usd_per_month[lane.lane]
        assert f"${band.low:,.0f} to ${band.high:,.0f}" in page


def test_split_plan_and_sensitivity_stand_on_the_page(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    plan = replace(options, savings_plan="compute-1y")
    comparison = compare(profile, flat_rate(50), book, stage, options=plan, lambda_percent=70)
    assert comparison.split is not None
    assert "Which input moves the answer" not in html_bytes(comparison).decode()
    without_plan = replace(comparison.world, options=options)  # whose crossovers are found quickly
    varied = replace(comparison, sensitivity=sensitivity(without_plan))
    page = html_bytes(varied).decode()
    assert f"${comparison.split.whole.usd_per_month:,.2f}" in page
    assert "Split 70/30" in page
    assert page.count("Savings plan compute-1y, ") >= 3
    assert page.count('<span class="bar"') == len(INPUTS)
    assert "stand behind -$" not in page  # a discount that is not confirmed is as unsure as a charge
    for lane in comparison.lanes:  # the discount and the unused commitment are drawn with compute
        compute = [line for line in lane.lines if line.name.startswith(GROUPS["Compute"])]
        assert [line for line in lane.lines if line.service == "SavingsPlans"] == compute[-2:]
