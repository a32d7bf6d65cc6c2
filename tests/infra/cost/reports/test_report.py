"""report.json and the terminal: what they say, exactly."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from infra.config import Stage
from infra.cost.compare import Comparison, compare
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.reports.findings import age_days, headline
from infra.cost.reports.report import json_bytes, render_terminal, report_document
from infra.cost.traffic.profile import flat_rate
from infra.cost.traffic.shape import generate_bursty_fortnight, load_shape

GOLDEN = Path(__file__).parent / "golden" / "fortnight.json"
PARITY = {"queries": 200, "identical": 200}


@pytest.fixture(scope="session")
def comparison(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> Comparison:
    traffic = generate_bursty_fortnight(load_shape("fortnight"))
    return compare(profile, traffic, book, stage, options=options)


def terminal(comparison: Comparison, *, force: bool | None = None) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=force)
    render_terminal(comparison, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_report_matches_the_golden_file(comparison: Comparison) -> None:
    """Where a change is meant: CROSSOVER_UPDATE_GOLDEN=1, then read the diff."""
    text = json_bytes(comparison, PARITY)
    if os.environ.get("CROSSOVER_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_bytes(text)
    assert json.loads(text) == json.loads(GOLDEN.read_bytes())


def test_same_inputs_give_the_same_bytes(
    comparison: Comparison, profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    again = compare(profile, generate_bursty_fortnight(load_shape("fortnight")), book, stage, options=options)
    assert json_bytes(again) == json_bytes(comparison)


def test_report_holds_what_its_readers_rely_on(comparison: Comparison) -> None:
    document = json.loads(json_bytes(comparison, PARITY))
    assert document["parity"] == PARITY
    for lane in ("lambda", "container"):
        assert {"cpu_ms_per_search", "wait_ms", "memory_mb", "cold_start_ms"} <= set(document["measured"][lane])
        assert {"usd_per_month", "usd_per_day", "usd_per_million_searches", "lines"} <= set(document["lanes"][lane])
    assert {"as_of", "source", "region", "stale"} <= set(document["prices"])
    assert document["crossover_rps"] > 0
    assert document["bundle"]["sha256"] == "ab" * 32
    assert document["assumptions"]
    assert document["traffic"]["peak_rps"] == 1000


def test_every_line_is_traceable_and_adds_up(comparison: Comparison) -> None:
    document = json.loads(json_bytes(comparison))
    for lane in document["lanes"].values():
        for line in lane["lines"]:
            assert Decimal(line["quantity"]) * Decimal(line["unit_price"]) == Decimal(line["usd_exact"])
            assert line["source"]
            assert line["note"]
        total = sum(Decimal(line["usd_exact"]) for line in lane["lines"])
        assert total == Decimal(lane["usd_per_month_exact"])
        assert abs(total - Decimal(repr(lane["usd_per_month"]))) <= Decimal("0.005")


def test_ways_out_are_told_against_each_other_with_the_chosen_one_marked(comparison: Comparison) -> None:
    ways = json.loads(json_bytes(comparison))["network_choices"]
    assert [way["egress"] for way in ways] == ["public", "nat_gateway", "nat_instance", "ipv6"]
    assert [way["chosen"] for way in ways] == [True, False, False, False]
    for way in ways:
        assert sum(Decimal(line["usd_exact"]) for line in way["lines"]) == Decimal(way["usd_per_month_exact"])
    text = " ".join(terminal(comparison).split())
    assert "Public IPv4 addresses (chosen)" in text
    assert f"{ways[1]['usd_per_month']:,.2f} {ways[1]['usd_per_day']:,.2f}" in text


def test_a_way_out_that_could_not_be_priced_is_null_and_not_zero(comparison: Comparison) -> None:
    unknown = replace(comparison.egress[1], unknown="the bytes were not measured")
    told = replace(comparison, egress=(unknown,))
    (way,) = json.loads(json_bytes(told))["network_choices"]
    assert (way["usd_per_month"], way["usd_per_month_exact"], way["usd_per_day"]) == (None, None, None)
    assert "unknown" in terminal(told)


def test_parity_that_was_not_checked_is_null_and_not_zero(comparison: Comparison) -> None:
    assert report_document(comparison)["parity"] is None


def test_no_crossover_is_null(comparison: Comparison) -> None:
    none = replace(comparison, crossover=replace(comparison.crossover, rates=(), reason="the lambda lane is cheaper"))
    assert report_document(none)["crossover_rps"] is None
    assert "There is no crossover: the lambda lane is cheaper." in terminal(none)


def test_headline_names_the_cheaper_lane_and_by_how_much(comparison: Comparison) -> None:
    text = headline(comparison)
    low, high = comparison.container_lane.usd_per_month, comparison.lambda_lane.usd_per_month
    assert text.startswith("The container lane is cheaper for this traffic")
    assert f"${low:,.0f} a month against ${high:,.0f} on the Lambda lane, {1 - low / high:.0%} less." in text


def test_headline_warns_of_a_lane_that_cannot_serve(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    over = compare(profile, flat_rate(5_000), book, stage, options=options)
    assert headline(over).endswith("But the Lambda and the container lane cannot serve all of it.")
    assert "cannot serve all:" in terminal(over)


def test_stale_book_is_said_on_every_report(
    profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    late = replace(options, report_date=date(2027, 3, 1))
    stale = compare(profile, flat_rate(5), book, stage, options=late)
    assert report_document(stale)["prices"]["stale"] is True
    assert "98 days old: out of date" in terminal(stale)


def test_fresh_book_still_names_figures_older_than_90_days(comparison: Comparison) -> None:
    prices = report_document(comparison)["prices"]
    assert prices["stale"] is False
    old = {each["dimension"] for each in prices["older_than_that"]}
    assert "out_internet" in old
    assert "alb_hour" not in old
    assert "AWSDataTransfer out_internet (2024-09-25)" in " ".join(terminal(comparison).split())


@pytest.mark.parametrize(("as_of", "days"), [("2026-11-20", 4), ("2026-10", 27), ("2025", 331), (None, None), ("2026", -34)])
def test_age_counts_from_the_latest_day_a_date_can_mean(as_of: str | None, days: int | None) -> None:
    assert age_days(as_of, date(2026, 11, 24)) == days


def test_terminal_has_lines_totals_and_no_colour_codes_in_a_pipe(comparison: Comparison) -> None:
    text = terminal(comparison)
    assert "\x1b[" not in text
    for lane in comparison.lanes:
        assert f"{lane.usd_per_month:,.2f}" in text
        assert all(line.name in text for line in lane.lines)


def test_terminal_colours_follow_the_console_and_no_color(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;32m" in terminal(comparison, force=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;32m" not in terminal(comparison, force=True)
