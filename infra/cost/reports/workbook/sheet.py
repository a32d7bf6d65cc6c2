"""What the sheets are written with: a figure with a name, the looks of cells, and rows of named figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

Value = float | int | str | Decimal

LINE_HEIGHT = 15
INPUT, FIXED, FORMULA = "input", "fixed", "formula"
KINDS = {
    INPUT: "change it: every total follows",
    FIXED: "fixed value: make a new report to change it",
    FORMULA: "formula",
}
LOOKS: Mapping[str, Mapping[str, object]] = {
    "title": {"bold": True, "font_size": 15},
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"},
    "section": {"bold": True, "bg_color": "#E5E7EB"},
    "text": {"text_wrap": True, "valign": "top"},
    "soft": {"font_color": "#4B5563", "text_wrap": True, "valign": "top", "indent": 1},
    "lead": {"font_color": "#4B5563"},
    "warn": {"font_color": "#92400E", "bg_color": "#FFFBEB", "text_wrap": True, "valign": "top"},
    INPUT: {"bg_color": "#FEF9C3", "border": 1, "border_color": "#CA8A04", "valign": "top"},
    FIXED: {"bg_color": "#F3F4F6", "font_color": "#4B5563", "italic": True, "text_wrap": True, "valign": "top"},
    FORMULA: {"valign": "top", "num_format": "[>=1000]#,##0;[>=1]#,##0.000;0.000000"},
    "plain": {"valign": "top"},
    "usd": {"num_format": "$#,##0.00", "valign": "top"},
    "usd4": {"num_format": "$#,##0.0000", "valign": "top"},
    "usd_sum": {"num_format": "$#,##0.00", "bold": True, "top": 1},
    "price": {"num_format": "$0.00########", "bg_color": "#FEF9C3", "border": 1, "border_color": "#CA8A04", "valign": "top"},
    "price_of": {"num_format": "$0.00########", "valign": "top"},
    "bold": {"bold": True, "valign": "top"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A named cell. `value` is what stands there, or what `formula` comes to for the report's own inputs."""

    name: str
    label: str
    value: Value
    unit: str = ""
    why: str = ""
    formula: str | None = None
    kind: str = INPUT


@dataclass(frozen=True, slots=True)
class Book:
    """The workbook under construction and its formats."""

    file: Workbook
    looks: Mapping[str, Format]
    widths: dict[str, tuple[float, ...]] = field(default_factory=dict)
    heights: dict[tuple[str, int], int] = field(default_factory=dict)

    def sheet(self, name: str, widths: Iterable[float], *, landscape: bool = True) -> Worksheet:
        """A sheet that prints one page wide."""
        sheet = self.file.add_worksheet(name)
        self.widths[name] = tuple(widths)
        for column, width in enumerate(self.widths[name]):
            sheet.set_column(column, column, width)
        sheet.hide_gridlines(2)
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        if landscape:
            sheet.set_landscape()
        return sheet

    def head(self, sheet: Worksheet, row: int, titles: Iterable[str]) -> None:
        for column, title in enumerate(titles):
            self.put(sheet, row, column, title, "head")
        sheet.repeat_rows(row)

    def put(self, sheet: Worksheet, row: int, column: int, value: Value, look: str) -> None:
        if isinstance(value, str):
            sheet.write_string(row, column, value, self.looks[look])
            if LOOKS[look].get("text_wrap"):
                self._make_room(sheet, row, column, value)
        else:
            sheet.write_number(row, column, float(value), self.looks[look])

    def _make_room(self, sheet: Worksheet, row: int, column: int, text: str) -> None:
        """Rows as high as their longest text needs: not every program finds that out by itself."""
        place = (sheet.get_name(), row)
        lines = math.ceil(len(text) * 1.1 / self.widths[place[0]][column])
        if lines > self.heights.get(place, 1):
            self.heights[place] = lines
            sheet.set_row(row, LINE_HEIGHT * lines)

    def compute(self, sheet: Worksheet, row: int, column: int, formula: str, value: Value, look: str) -> None:
        """A formula with the value that it has as delivered."""
        kept = value if isinstance(value, str) else float(value)
        sheet.write_formula(row, column, f"={formula}", self.looks[look], kept)

    def figures(self, sheet: Worksheet, row: int, figures: Iterable[Figure]) -> int:
        """Rows of named figures: label, value, unit, why, what may be done with it. Returns the row after the last."""
        for figure in figures:
            self.put(sheet, row, 0, figure.label, "text")
            if figure.formula is not None:
                self.compute(sheet, row, 1, figure.formula, figure.value, FORMULA)
            else:
                self.put(sheet, row, 1, figure.value, figure.kind)
            for column, text in ((2, figure.unit), (3, figure.why), (4, KINDS[figure.kind])):
                self.put(sheet, row, column, text, "soft")
            self.put(sheet, row, 5, figure.name, "soft")
            self.file.define_name(figure.name, f"='{sheet.get_name()}'!$B${row + 1}")
            row += 1
        return row
