"""docs/cost.md names every option, every key of report.json, and every traffic column."""

from __future__ import annotations

import importlib
import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from infra.commands.cost import actuals, crossover, diff, optimize, report, schedule, sensitivity, simulate
from infra.commands.cost.outputs import WRITERS
from infra.commands.cost.traffic import Given
from infra.config import Stage
from infra.cost.compare import compare
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.reports.report import report_document
from infra.cost.traffic.profile import flat_rate
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def text() -> str:
    return Path(ROOT / "docs" / "cost.md").read_text()


COMMANDS = [module.command for module in (report, simulate, diff, actuals, sensitivity, crossover, schedule, optimize)]


def test_every_option_is_documented(text: str) -> None:
    for parameter in (each for command in COMMANDS for each in command.params if each.opts[0].startswith("-")):
        assert f"`{parameter.opts[0]}" in text, parameter.opts[0]


def test_what_says_workload_and_traffic_has_one_help_in_every_command() -> None:
    names = {field.name for field in fields(Given)}
    told = [{p.name: p.help for p in each.params if isinstance(p, click.Option) and p.name in names} for each in COMMANDS]
    taken = [each for command, each in zip(COMMANDS, told, strict=True) if command.name != "actuals"]
    assert {len(each) for each in taken} == {len(names), len(names) - 1}  # diff has no --stage
    for each in taken:
        assert each.items() <= taken[0].items()


def test_the_readers_page_traces_the_articles_largest_line_as_the_engine_computes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this fails, scripts/finance_pictures.py makes page and pictures anew."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    script = importlib.import_module("finance_pictures")
    page = (ROOT / "docs" / "finance.md").read_text()
    assert script.BEGIN in page
    assert script.with_trace(page, script.article()) == page


def test_the_readers_page_names_every_format_and_its_pictures_are_there_and_small() -> None:
    page = Path(ROOT / "docs" / "finance.md").read_text()
    for name in WRITERS:
        assert f"--{name}" in page
    pictures = re.findall(r"\]\((finance/[a-z]+\.png)\)", page)
    assert len(pictures) == 4
    for picture in pictures:
        assert (ROOT / "docs" / picture).stat().st_size < 120_000


def test_every_key_of_the_report_is_documented(
    text: str, profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions
) -> None:
    document = report_document(compare(profile, flat_rate(1), book, stage, options=options))
    lane = document["lanes"]["lambda"]
    (way, *_) = document["network_choices"]
    nested = [document["traffic"], document["prices"], document["crossover"], lane, lane["lines"][0], way]
    for key in [*document, *(key for each in nested for key in each)]:
        assert f"`{key}" in text or f".{key}`" in text or key in ("measured", "lanes"), key


def test_every_family_whose_savings_plan_is_unknown_is_named(text: str, book: PriceBook) -> None:
    known = {family for rate in book.savings_plans for family in rate.families}
    unknown = {name.partition(".")[0] for name in book.instances} - known
    assert unknown
    told = re.search(r"Of ([a-z0-9, \n]+ and [a-z0-9]+), and of", text)
    assert told is not None
    assert set(re.split(r",\s+| and ", told[1])) == unknown
