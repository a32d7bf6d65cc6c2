"""The sheet *Split*: both lanes behind one load balancer, where a split was priced. Prices are live, quantities as reported.

A share of the traffic has steps of its own, so its instances and environments do not follow from those on *Steps*.
"""

from __future__ import annotations

from itertools import groupby

from infra.cost.reports.workbook.prices import Placed, tiers_of
from infra.cost.reports.workbook.sheet import FIXED, Book
from infra.cost.split import Split

TITLES = (("Line", 52), ("Quantity", 20), ("Unit", 18), ("$ a unit", 16), ("Amount", 14), ("As reported", 14), ("Whose", 22))
FIXED_SAID = "the split: its quantities are as reported, its prices and amounts live"


def write_split(book: Book, split: Split, placed: Placed) -> None:
    """Lines, each with whose they are, their sum, and what of it each lane and what they share come to."""
    sheet = book.sheet("Split", [width for _, width in TITLES])
    book.put(sheet, 0, 0, split.whole.title, "title")
    about = "Grey quantities are fixed: make a new report for another split. Unit prices are those on Prices, and live."
    book.put(sheet, 1, 0, about, "lead")
    book.head(sheet, 2, [title for title, _ in TITLES])
    row = first = 3
    whose = _whose(split)
    for owner, lines in groupby(zip(split.whole.lines, whose, strict=True), key=lambda pair: pair[1]):
        for line, _ in lines:
            tier = next(each for each in tiers_of(line, placed) or () if each.tier.usd == line.unit_price)
            book.put(sheet, row, 0, line.name, "text")
            book.put(sheet, row, 1, line.quantity, FIXED)
            book.put(sheet, row, 2, line.unit, "text")
            book.compute(sheet, row, 3, tier.usd, line.unit_price, "price_of")
            book.compute(sheet, row, 4, f"B{row + 1}*D{row + 1}", line.usd, "usd")
            book.put(sheet, row, 5, line.usd, "usd")
            book.put(sheet, row, 6, owner, "soft")
            row += 1
    amounts, owners = f"E{first + 1}:E{row}", f"G{first + 1}:G{row}"
    whole = split.whole.usd_per_month
    totals = [("Total of the month", "split_usd_month", f"SUM({amounts})", whole)]
    for owner in dict.fromkeys(whose):
        part = sum((line.usd for line, mine in zip(split.whole.lines, whose, strict=True) if mine == owner), whole * 0)
        totals.append((f"of it {owner}", "", f'SUMIF({owners},"{owner}",{amounts})', part))
    for label, name, formula, value in totals:
        book.put(sheet, row, 0, label, "bold")
        book.compute(sheet, row, 4, formula, value, "usd_sum")
        book.put(sheet, row, 5, value, "usd_sum")
        if name:
            book.file.define_name(name, f"=Split!$E${row + 1}")
        row += 1
    sheet.freeze_panes(3, 1)


def _whose(split: Split) -> list[str]:
    """Of each line of the whole, in its order: the lanes' own, what they share, a savings plan's."""
    on_lambda, on_containers = split.own
    found = [
        *("Lambda" for _ in on_lambda.lines),
        *("containers" for _ in on_containers.lines),
        *("both" for _ in split.shared),
    ]
    return [*found, *("savings plan" for _ in split.whole.lines[len(found) :])]
