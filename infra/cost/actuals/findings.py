"""The bill against the estimate, as a table and as JSON. Amounts in JSON are exact, as text."""

from __future__ import annotations

from decimal import Decimal

from msgspec import to_builtins
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.cost.actuals.calibration import Calibration
from infra.cost.actuals.forecast import Forecast
from infra.cost.actuals.records import Bill
from infra.cost.actuals.variance import Comparison, Variance


def document(
    bill: Bill, compared: Comparison, expected: Forecast, proposed: Calibration | str, *, basis: str, budget: Decimal | None
) -> dict[str, object]:
    """Everything that is said, as JSON values."""
    return {
        "schema": 1,
        "source": bill.source,
        "stage": bill.stage,
        "lane": compared.lane,
        "basis": basis,
        "first_day": expected.first.isoformat(),
        "last_day": expected.last.isoformat(),
        "estimated_usd": f"{compared.estimated_usd:f}",
        "billed_usd": f"{compared.usd:f}",
        "lines": [_line(line) for line in compared.lines],
        "unexplained": [{"what": each.what, "why": each.why, "usd": f"{each.usd:f}"} for each in compared.unexplained],
        "untagged_usd": None if bill.untagged_usd is None else f"{bill.untagged_usd:f}",
        "other_stages_usd": None if bill.others_usd is None else f"{bill.others_usd:f}",
        "forecast": {
            "usd": f"{expected.usd:f}",
            "so_far_usd": f"{expected.so_far:f}",
            "days": expected.days,
            "method": expected.method,
        },
        "budget": None if budget is None else {"usd": f"{budget:f}", "over": expected.usd > budget},
        "calibration": None if isinstance(proposed, str) else to_builtins(proposed),
        "no_calibration": proposed if isinstance(proposed, str) else None,
    }


def _line(line: Variance) -> dict[str, object]:
    return {
        "name": line.name,
        "service": line.key[0],
        "dimension": line.key[1],
        "unit": line.unit,
        "estimated_quantity": f"{line.estimated_quantity:f}",
        "quantity": f"{line.quantity:f}",
        "estimated_usd": f"{line.estimated_usd:f}",
        "billed_usd": f"{line.usd:f}",
        "change_usd": f"{line.change:f}",
        "rate_usd": f"{line.rate:f}",
        "volume_usd": f"{line.volume:f}",
        "mix_usd": f"{line.mix:f}",
    }


def render(
    bill: Bill, compared: Comparison, expected: Forecast, proposed: Calibration | str, *, basis: str, console: Console
) -> None:
    """Print the lines, what no line explains, the forecast and the calibration proposed."""
    console.print(_lines(bill, compared, expected, basis))
    for each in compared.unexplained:
        console.print(f"[yellow]unexplained:[/yellow] {_usd(each.usd)} {escape(each.what)}: {escape(each.why)}")
    if bill.untagged_usd is not None and bill.others_usd is not None:
        console.print(
            f"In the same export, not counted: {_usd(bill.untagged_usd)} without the tag crossover:stage, "
            f"{_usd(bill.others_usd)} of other stages (cash)."
        )
    console.print(f"[bold]Month's end: {_usd(expected.usd)}[/bold], so far {_usd(expected.so_far)}: {escape(expected.method)}.")
    if isinstance(proposed, str):
        console.print(f"No calibration is proposed: {escape(proposed)}.")
    else:
        console.print(
            f"[bold]Proposed calibration:[/bold] CPU scale {proposed.cpu_scale} instead of {proposed.was}: "
            f"{escape(proposed.why)}. Nothing uses it unless it is written (--write-calibration FILE) and given "
            "(cost report --calibration FILE)."
        )


def _lines(bill: Bill, compared: Comparison, expected: Forecast, basis: str) -> Table:
    title = (
        f"{escape(bill.source)}, stage {escape(bill.stage)}, {expected.first} to {expected.last}, {basis}, against the "
        f"estimate ({compared.lane} lane) for those days"
    )
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_footer=True
    )
    table.add_column("Line", footer="Total, unexplained included")
    totals = (compared.estimated_usd, compared.usd, compared.usd - compared.estimated_usd)
    for name, amount in zip(("estimate", "billed", "change"), totals, strict=True):
        table.add_column(name, justify="right", footer=_usd(amount))
    for name in ("by price", "by quantity", "by mix"):
        table.add_column(name, justify="right")
    for line in compared.lines:
        amounts = (line.estimated_usd, line.usd, line.change, line.rate, line.volume, line.mix)
        table.add_row(escape(line.name), *(_usd(amount) for amount in amounts))
    return table


def _usd(amount: Decimal) -> str:
    cents = round(amount, 2)
    return f"{'-' if cents < 0 else ''}${abs(cents):,.2f}"
