"""The report as Markdown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infra.cost.compare import Comparison
from infra.cost.reports.amounts import usd
from infra.cost.reports.markdown import render_markdown
from infra.cost.reports.report import report_document


@pytest.fixture
def document(everything: Comparison) -> dict[str, Any]:
    return report_document(everything)


def test_answer_totals_and_every_line_are_there(everything: Comparison, document: dict[str, Any]) -> None:
    text = render_markdown(document)
    assert document["headline"] in text
    for lane in everything.lanes:
        assert f"{usd(lane.usd_per_month)} a month, line by line" in text
        for line in lane.lines:
            assert f"| {line.name} | " in text
            assert f"| {usd(line.usd)} | " in text
    for gap in document["not_priced"]:
        assert f"- {gap}" in text


def test_tables_have_as_many_cells_in_each_row_as_in_their_head(document: dict[str, Any]) -> None:
    width = None
    for row in render_markdown(document).splitlines():
        cells = row.replace("\\|", "").count("|") if row.startswith("|") else None
        if cells is not None:
            assert width in (None, cells), row
        width = cells


def test_folds_are_closed_and_blank_lines_let_tables_be_tables(document: dict[str, Any]) -> None:
    text = render_markdown(document)
    assert text.count("<details>") == text.count("</details>") == 4
    assert "</summary>\n\n" in text
    assert "</summary>\n|" not in text


def test_what_limits_the_answer_stands_above_it(everything: Comparison) -> None:
    late = replace(everything, options=replace(everything.options, report_date=date(2027, 3, 1)))
    text = render_markdown(report_document(late))
    assert "> **Note:** prices are out of date: 98 days old, more than 90." in text
    assert text.index("**Note:**") < text.index("| lane |")


def test_a_split_of_one_deployment_is_a_bill_of_its_own(document: dict[str, Any]) -> None:
    split = {**document["lanes"]["lambda"], "title": "Split 70/30"}
    text = render_markdown({**document, "split": split})
    assert "| Split 70/30 | $" in text
    assert "<summary>Split 70/30: $" in text


def test_a_line_that_takes_off_has_its_sign_before_the_dollars() -> None:
    assert [usd(Decimal(text)) for text in ("-160.114", "-0.001", "1234.5")] == ["-$160.11", "$0.00", "$1,234.50"]


def test_no_crossover_is_said(document: dict[str, Any]) -> None:
    none = {**document, "crossover_rps": None, "crossover": {**document["crossover"], "reason": "the lambda lane is cheaper"}}
    assert "There is no crossover: the lambda lane is cheaper." in render_markdown(none)


def test_text_from_inputs_cannot_break_the_page(everything: Comparison) -> None:
    nasty = replace(everything.traffic, source="a | b <script>\nnew")
    text = render_markdown(report_document(replace(everything, traffic=nasty)))
    assert "a \\| b &lt;script> new: mean" in text
