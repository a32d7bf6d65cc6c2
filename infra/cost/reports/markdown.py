"""The report as Markdown, for a pull request's comment: the answer and the totals, the lines folded below.

Made of report.json's document, as the comparison of two reports is (`infra/cost/reports/diff.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from infra.cost.reports.amounts import cell, usd

LANES = ("lambda", "container")

Document = Mapping[str, Any]


def render_markdown(document: Document) -> str:
    """GitHub's Markdown; every line of both lanes is in it."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    traffic, prices = document["traffic"], document["prices"]
    yield from ("### What each lane costs", "", cell(document["headline"]), "")
    yield from _warnings(document)
    yield from _totals(document)
    yield ""
    yield _crossover(document)
    yield ""
    for bill in _bills(document):
        yield from _bill(bill)
    yield from _folded("Assumptions", ("| what | value | why |", "|---|---|---|"), _assumptions(document))
    yield from _folded("Not priced", (), (f"- {cell(gap)}" for gap in document["not_priced"]))
    notes = "".join(f"{cell(note)}; " for note in traffic.get("notes", ()))
    yield (
        f"{cell(traffic['source'])}: mean {traffic['mean_rps']:,.2f}/s, peak {traffic['peak_rps']:,.2f}/s; {notes}prices of "
        f"{prices['region']}, {prices['as_of']} ({prices['age_days']} days old); report of {document['report_date']}."
    )


def _bills(document: Document) -> list[Document]:
    """The lanes, and the split of one deployment where the report has it."""
    bills = [document["lanes"][name] for name in LANES]
    return bills if document.get("split") is None else [*bills, document["split"]]


def _warnings(document: Document) -> Iterator[str]:
    prices = document["prices"]
    said = [f"{lane['title']} cannot serve all of it: {miss}" for lane in _bills(document) for miss in lane["misses"]]
    if prices["stale"]:
        said.append(f"prices are out of date: {prices['age_days']} days old, more than {prices['stale_after_days']}")
    for each in said:
        yield f"> **Note:** {cell(each)}."
    if said:
        yield ""


def _totals(document: Document) -> Iterator[str]:
    likely = document.get("likely")
    band = (" low to high |", "---:|") if likely else ("", "")
    yield from (f"| lane | $ a month |{band[0]} $ a day | $ a million searches |", f"|---|---:|{band[1]}---:|---:|")
    cheaper = document["lanes"][document["cheaper_lane"]]
    for name, lane in zip((*LANES, "split"), _bills(document), strict=False):
        title = f"**{cell(lane['title'])}**" if lane is cheaper else cell(lane["title"])
        figures = [f"${lane[figure]:,.2f}" for figure in ("usd_per_month", "usd_per_day", "usd_per_million_searches")]
        if likely:
            known = likely["usd_per_month"].get(name)
            figures.insert(1, "not computed" if known is None else f"${known['low']:,.0f} to ${known['high']:,.0f}")
        yield f"| {title} | {' | '.join(figures)} |"


def _crossover(document: Document) -> str:
    crossover = document["crossover"]
    if document["crossover_rps"] is None:
        return f"There is no crossover: {cell(crossover['reason'])}."
    below = crossover["cheaper_below"]
    above = LANES[1 - LANES.index(below)]
    reason = f" ({cell(crossover['reason'])}.)" if crossover["reason"] else ""
    rate = f"{document['crossover_rps']:,.2f}"
    return f"The cheaper lane changes at {rate} steady searches/s: {below} below it, {above} above it.{reason}"


def _bill(lane: Mapping[str, Any]) -> Iterator[str]:
    heads = ("| line | quantity | $ a unit | $ a month | price of |", "|---|---:|---:|---:|---|")
    rows = (
        f"| {cell(line['name'])} | {Decimal(line['quantity']):,.2f} {cell(line['unit'])} | {plain(line['unit_price'])} "
        f"| {usd(Decimal(line['usd_exact']))} | {line['as_of'] or 'undated'}{'' if line['confidence'] == 'high' else ' ?'} |"
        for line in lane["lines"]
    )
    total = usd(Decimal(lane["usd_per_month_exact"]))
    yield from _folded(f"{cell(lane['title'])}: {total} a month, line by line", heads, rows)


def plain(price: str) -> str:
    """A unit price with no zeros behind it and no exponent."""
    return f"{Decimal(price).normalize():f}"


def _assumptions(document: Document) -> Iterator[str]:
    for each in document["assumptions"]:
        yield f"| {cell(each['name'])} | {cell(each['value'])} | {cell(each['why'])} |"


def _folded(title: str, heads: tuple[str, ...], rows: Iterator[str]) -> Iterator[str]:
    yield from (f"<details><summary>{title}</summary>", "", *heads, *rows, "", "</details>", "")
