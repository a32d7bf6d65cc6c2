"""Puts the workbook together; the same comparison gives the same bytes."""

from __future__ import annotations

import io
from datetime import UTC, datetime, time

from xlsxwriter.workbook import Workbook

from infra.cost.compare import Comparison
from infra.cost.reports.workbook.inputs import write_inputs
from infra.cost.reports.workbook.lines import LineSheet
from infra.cost.reports.workbook.needs import needs_of
from infra.cost.reports.workbook.prices import PriceSheet
from infra.cost.reports.workbook.sheet import LOOKS, Book
from infra.cost.reports.workbook.split import FIXED_SAID, write_split
from infra.cost.reports.workbook.totals import totals_sheet, write_totals
from infra.cost.reports.workbook.traffic import held, write_steps, write_traffic
from infra.cost.reports.workbook.workings import write_workings


def workbook_bytes(comparison: Comparison) -> bytes:
    """An .xlsx file. Its dates are the day of the report."""
    out = io.BytesIO()
    file = Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    made = datetime.combine(comparison.options.report_date, time(), tzinfo=UTC).replace(tzinfo=None)
    file.set_properties({"title": "Lambda or containers: what each costs", "created": made})
    book = Book(file, {name: file.add_format(dict(look)) for name, look in LOOKS.items()})
    needs = needs_of(comparison)
    totals = totals_sheet(book)
    write_inputs(book, comparison)
    placed = PriceSheet(book, comparison).write(line for bill in comparison.bills for line in bill.lines)
    write_traffic(book, comparison)
    written = LineSheet(book, comparison, placed).write()
    if comparison.split is not None:
        write_split(book, comparison.split, placed)
        written.fixed.append(FIXED_SAID)
    write_workings(book, comparison, needs)
    if held(comparison.traffic):
        write_steps(book, comparison, needs)
    write_totals(book, totals, comparison, written)
    file.close()
    return out.getvalue()
