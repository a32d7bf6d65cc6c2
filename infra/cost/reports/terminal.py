"""The comparison as tables on a terminal. Colours appear only where the console has them (and NO_COLOR is not set)."""

from __future__ import annotations

from decimal import Decimal

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.cost.carbon import SOURCE, carbon
from infra.cost.compare import Comparison
from infra.cost.lane import LANE_NAMES, LaneCost
from infra.cost.reports.findings import (
    crossover_sentence,
    headline,
    likely_sentence,
    savings_sentence,
    stale_figures,
)


def render_terminal(comparison: Comparison, console: Console) -> None:
    """Print totals, line items, crossover, and what to know about the prices."""
    console.print(f"\n[bold]{escape(headline(comparison))}[/bold]")
    console.print(escape(crossover_sentence(comparison)))
    console.print(_totals(comparison))
    sure = likely_sentence(comparison)
    if sure is not None:
        console.print(sure, highlight=False)
    for note in comparison.traffic.notes:
        console.print(f"[yellow]traffic:[/yellow] {escape(note)}")
    for lane in comparison.bills:
        console.print(_lines(lane))
        plan = savings_sentence(lane)
        if plan is not None:
            console.print(escape(plan))
        for miss in lane.misses:
            console.print(f"[bold red]cannot serve all:[/bold red] {escape(miss)}")
        for gap in lane.not_priced:
            console.print(f"[yellow]not priced:[/yellow] {escape(gap)}")
    for gap in comparison.unpriced:
        console.print(f"[yellow]not priced:[/yellow] {escape(gap)}")
    for name, value, why in comparison.stated:
        console.print(f"[yellow]{escape(name)}:[/yellow] {escape(value)}: {escape(why)}")
    console.print(_egress(comparison))
    if comparison.options.carbon:
        said = ", ".join(f"{LANE_NAMES[each.lane]} {each.kg_co2e:,.3g} kg CO2e" for each in carbon(comparison))
        console.print(f"Carbon of a month's compute: {said}. {SOURCE}.", highlight=False)
    _prices(comparison, console)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def _totals(comparison: Comparison) -> Table:
    traffic = comparison.traffic
    table = _table(f"{escape(traffic.source)}: mean {traffic.mean_rps:,.2f}/s, peak {traffic.peak_rps:,.2f}/s")
    table.add_column("Lane")
    for name in ("$ a month", "$ a day", "$ per million searches"):
        table.add_column(name, justify="right")
    for lane in comparison.bills:
        table.add_row(
            escape(lane.title),
            f"{lane.usd_per_month:,.2f}",
            f"{lane.usd_per_day:,.2f}",
            f"{lane.usd_per_million_searches:,.4f}",
            style="bold green" if lane is comparison.cheaper else "",
        )
    return table


def _lines(lane: LaneCost) -> Table:
    table = _table(f"{escape(lane.title)}: one month")
    table.show_footer = True
    table.add_column("Line", footer="Total")
    table.add_column("Quantity", justify="right")
    table.add_column("$ a unit", justify="right")
    table.add_column("$", justify="right", footer=f"{lane.usd_per_month:,.2f}")
    table.add_column("Price of")
    for line in lane.lines:
        table.add_row(
            escape(line.name),
            f"{_amount(line.quantity)} {line.unit}" + (f", {_amount(line.free)} free" if line.free else ""),
            f"{line.unit_price.normalize():f}",
            f"{line.usd:,.2f}",
            f"{(line.as_of or 'undated')[:7]}{'' if line.confidence == 'high' else ' ?'}",
        )
    return table


def _egress(comparison: Comparison) -> Table:
    table = _table("How instances reach out: what each way adds to the container lane's month")
    table.add_column("Way")
    for name in ("$ a month", "$ a day"):
        table.add_column(name, justify="right")
    table.add_column("Remark")
    for choice in comparison.egress:
        month, day = choice.usd_per_month, choice.usd_per_day
        table.add_row(
            f"{escape(choice.title)}{' (chosen)' if choice.chosen else ''}",
            "unknown" if month is None else f"{month:,.2f}",
            "unknown" if day is None else f"{day:,.2f}",
            escape(choice.unknown or choice.remark),
            style="bold green" if choice.chosen else "",
        )
    return table


def _amount(quantity: Decimal) -> str:
    return f"{quantity:,.0f}" if quantity >= 1000 else f"{quantity:,.2f}"


def _prices(comparison: Comparison, console: Console) -> None:
    book, day = comparison.prices, comparison.options.report_date
    stale = f"; [bold yellow]{(day - book.as_of).days} days old: out of date[/bold yellow]" if book.is_stale(day) else ""
    console.print(f"Prices: {book.region}, book of {book.as_of}{stale}; list prices, no discounts, taxes or supplier fees.")
    if any(line.confidence != "high" for lane in comparison.lanes for line in lane.lines):
        console.print("A price marked ? is an estimate or not confirmed by AWS's own list.")
    old = stale_figures(comparison)
    if old:
        names = ", ".join(f"{line.service} {line.dimension} ({line.as_of or 'undated'})" for line in old)
        console.print(f"[yellow]Last confirmed more than 90 days ago:[/yellow] {escape(names)}")
