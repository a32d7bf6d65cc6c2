"""The sheet *Line items*: quantity × unit price = amount, each a formula, lane by lane, with the price's source."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby

from infra.cost.compare import Comparison
from infra.cost.free_tiers import allowance
from infra.cost.lane import LaneCost
from infra.cost.lines.line import LineItem, base_name
from infra.cost.reports.workbook.prices import Placed, PricedTier, free_name, tiers_of
from infra.cost.reports.workbook.quantities import quantity_formula
from infra.cost.reports.workbook.sheet import FIXED, FORMULA, Book
from infra.cost.reports.workbook.workings import fixed_by_steps

TITLES = (
    ("Line", 40),
    ("Quantity", 20),
    ("Unit", 18),
    ("$ a unit", 16),
    ("Amount", 14),
    ("As reported", 14),
    ("Quantity is", 16),
    ("How the quantity came about, as reported", 70),
    ("Price of", 36),
    ("Source of the price", 44),
    ("As of", 12),
    ("Confidence", 12),
)


@dataclass(slots=True)
class Written:
    """Where each lane's total stands, and which lines are fixed."""

    totals: dict[str, str] = field(default_factory=dict)
    fixed: list[str] = field(default_factory=list)


class LineSheet:
    """Writes the sheet row by row."""

    def __init__(self, book: Book, comparison: Comparison, placed: Placed) -> None:
        self._book, self._comparison, self._placed = book, comparison, placed
        self._sheet = book.sheet("Line items", [width for _, width in TITLES])
        self._row = 3
        self._written = Written()
        self._used: dict[tuple[str, str], list[str]] = {}
        """Quantities of the lane so far of each price of which some is free, as formulas."""

    def write(self) -> Written:
        month = f"{self._comparison.options.month_hours:f}"
        self._book.put(self._sheet, 0, 0, f"Line items: one month, {month} hours as reported", "title")
        about = "Amount = quantity × unit price. Grey quantities are fixed values: this workbook has no formula for them."
        self._book.put(self._sheet, 1, 0, about, "lead")
        self._book.head(self._sheet, 2, [title for title, _ in TITLES])
        for lane in self._comparison.lanes:
            self._lane(lane)
        reason = fixed_by_steps(self._comparison)
        if reason:
            self._written.fixed.append(f"what steps decide (instance-hours, cold starts, peaks on Workings): {reason}")
        self._sheet.freeze_panes(3, 1)
        return self._written

    def _lane(self, lane: LaneCost) -> None:
        for column in range(len(TITLES)):
            self._book.put(self._sheet, self._row, column, lane.title if column == 0 else "", "section")
        first = self._row = self._row + 1
        amounts: dict[str, str] = {}
        self._used.clear()
        for _, group in groupby(lane.lines, key=lambda line: (base_name(line), line.service, line.dimension)):
            self._price(lane, list(group), amounts)
        row, book, sheet = self._row, self._book, self._sheet
        book.put(sheet, row, 0, "Total of the month", "bold")
        book.compute(sheet, row, 4, f"SUM(E{first + 1}:E{row})", lane.usd_per_month, "usd_sum")
        book.put(sheet, row, 5, lane.usd_per_month, "usd_sum")
        self._written.totals[lane.lane] = f"'Line items'!$E${row + 1}"
        self._row += 2

    def _price(self, lane: LaneCost, lines: list[LineItem], amounts: dict[str, str]) -> None:
        """All tiers of one price where its quantity is live: another quantity may reach another tier."""
        line = lines[0]
        tiers = tiers_of(line, self._placed)
        assert tiers is not None, "the sheet of prices has every line's"
        formula = quantity_formula(line, lane.lane, self._comparison, amounts)
        formula = self._after_free(line, formula)
        if formula is None:
            for each in lines:
                self._written.fixed.append(f"{lane.lane} lane: {each.name}")
                of_line = tiers_of(each, self._placed) or tiers
                self._line(each.name, each, next(t for t in of_line if t.tier.usd == each.unit_price), None, each.quantity)
            return
        amounts[base_name(line)] = f"$E${self._row + 1}"
        if len(tiers) == 1:
            self._line(line.name, line, tiers[0], formula, line.quantity)
            return
        used = dict(enumerate(lines))
        for number, tier in enumerate(tiers):
            upper = f"({formula})" if tier.end is None else f"MIN({formula},{tier.end})"
            quantity = used[number].quantity if number in used else Decimal(0)
            name = f"{base_name(line)}, tier {number + 1}"
            self._line(name, used.get(number, line), tier, f"MAX(0,{upper}-{tier.start})", quantity)

    def _after_free(self, line: LineItem, formula: str | None) -> str | None:
        """What is billed of a quantity: the first lines of a price take what is free of it (`free_tiers.take_free`)."""
        if formula is None or allowance(self._comparison.prices, line) is None:
            return formula
        earlier = self._used.setdefault((line.service, line.dimension), [])
        left = "".join(("IF(free_tier=1,", free_name(line.service, line.dimension), ",0)", *(f"-({each})" for each in earlier)))
        earlier.append(formula)
        return f"MAX(0,({formula})-MAX(0,{left}))"

    def _line(self, name: str, line: LineItem, tier: PricedTier, formula: str | None, quantity: Decimal) -> None:
        row, book, sheet = self._row, self._book, self._sheet
        usd = quantity * tier.tier.usd
        book.put(sheet, row, 0, name, "text")
        if formula is None:
            book.put(sheet, row, 1, quantity, FIXED)
        else:
            book.compute(sheet, row, 1, formula, quantity, FORMULA)
        book.put(sheet, row, 2, line.unit, "text")
        book.compute(sheet, row, 3, tier.usd, tier.tier.usd, "price_of")
        book.compute(sheet, row, 4, f"B{row + 1}*D{row + 1}", usd, "usd")
        book.put(sheet, row, 5, usd, "usd")
        kind = "fixed value" if formula is None else "formula"
        texts = (kind, line.note, f"{line.service} {line.dimension}", line.source, line.as_of or "undated", line.confidence)
        for column, text in enumerate(texts, start=6):
            book.put(sheet, row, column, text, "soft")
        self._row += 1
