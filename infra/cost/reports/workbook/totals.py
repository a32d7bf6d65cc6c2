"""The sheet *Totals*: both lanes' month, day and million searches, the cheaper lane, and what to know before believing it."""

from __future__ import annotations

from decimal import Decimal

from xlsxwriter.worksheet import Worksheet

from infra.cost.compare import Comparison
from infra.cost.reports.assumptions import not_priced
from infra.cost.reports.findings import crossover_sentence, headline, likely_sentence
from infra.cost.reports.workbook.inputs import budget
from infra.cost.reports.workbook.lines import Written
from infra.cost.reports.workbook.sheet import Book, Value

LANES = ("lambda", "container")


def totals_sheet(book: Book) -> Worksheet:
    """Made first, so that it is the first that a reader sees; written last."""
    return book.sheet("Totals", (46, 22, 22, 26, 26), landscape=False)


def write_totals(book: Book, sheet: Worksheet, comparison: Comparison, written: Written) -> None:
    options = comparison.options
    book.put(sheet, 0, 0, "Lambda or containers: what each costs", "title")
    book.put(sheet, 1, 0, f"Report of {options.report_date.isoformat()}. As reported: {headline(comparison)}", "lead")
    titles = [lane.title for lane in comparison.lanes]
    book.head(sheet, 3, ("With the inputs as they stand", *titles, "Lambda as reported", "Containers as reported"))
    row = _figures(book, sheet, 4, comparison, written)
    row = _answer(book, sheet, row + 1, comparison)
    row = _checks(book, sheet, row + 1, comparison)
    row = _budget(book, sheet, row + 1, comparison)
    row = _list(book, sheet, row + 1, "Not live in this workbook", written.fixed or ["nothing: every line is a formula"])
    said = {
        "Where the cheaper lane changes": crossover_sentence(comparison),
        "How sure this is": likely_sentence(comparison),
    }
    for title, sentence in said.items():
        if sentence is not None:
            row = _list(book, sheet, row + 1, title, [f"as reported, not computed here: {sentence}"])
    if comparison.traffic.notes:
        row = _list(book, sheet, row + 1, "How the traffic was read", comparison.traffic.notes)
    _list(book, sheet, row + 1, "Not in the totals", not_priced(comparison))
    sheet.activate()
    sheet.freeze_panes(4, 1)


def _figures(book: Book, sheet: Worksheet, row: int, comparison: Comparison, written: Written) -> int:
    rows: list[tuple[str, str, str, str, tuple[Decimal, ...]]] = [
        ("A month", "usd_month", "{total}", "usd", tuple(lane.usd_per_month for lane in comparison.lanes)),
        ("A day", "usd_day", "{lane}_usd_month*24/month_hours", "usd", tuple(lane.usd_per_day for lane in comparison.lanes)),
        (
            "A million searches",
            "usd_million",
            "{lane}_usd_month*1000000/searches",
            "usd4",
            tuple(lane.usd_per_million_searches for lane in comparison.lanes),
        ),
        (
            "1,000 searches",
            "usd_thousand",
            "{lane}_usd_month*1000/searches",
            "usd4",
            tuple(lane.usd_per_million_searches / 1000 for lane in comparison.lanes),
        ),
    ]
    for label, name, formula, look, values in rows:
        book.put(sheet, row, 0, label, "bold")
        for column, (lane, value) in enumerate(zip(LANES, values, strict=True), start=1):
            book.compute(sheet, row, column, formula.format(lane=lane, total=written.totals[lane]), value, look)
            book.put(sheet, row, column + 2, value, look)
            book.file.define_name(f"{lane}_{name}", f"=Totals!${'ABC'[column]}${row + 1}")
        row += 1
    return row


def _answer(book: Book, sheet: Worksheet, row: int, comparison: Comparison) -> int:
    low, high = comparison.cheaper.usd_per_month, comparison.dearer.usd_per_month
    cheaper = "neither" if low == high else comparison.cheaper.lane
    choice = 'IF(lambda_usd_month=container_usd_month,"neither",IF(lambda_usd_month<container_usd_month,"lambda","container"))'
    saved = "ABS(lambda_usd_month-container_usd_month)"
    rows: tuple[tuple[str, str, str, Value, str], ...] = (
        ("Cheaper lane", "cheaper_lane", choice, cheaper, "bold"),
        ("It saves, a month", "saved_usd_month", saved, high - low, "usd"),
        ("Searches a month", "", "searches", comparison.lambda_lane.searches_per_month, "formula"),
    )
    for label, name, formula, value, look in rows:
        book.put(sheet, row, 0, label, "bold")
        book.compute(sheet, row, 1, formula, value, look)
        if name:
            book.file.define_name(name, f"=Totals!$B${row + 1}")
        row += 1
    return row


def _checks(book: Book, sheet: Worksheet, row: int, comparison: Comparison) -> int:
    """What the engine would refuse or warn of, for the inputs as they stand."""
    over = [lane.capacity["steps_over_capacity"] for lane in comparison.lanes]
    book.put(sheet, row, 0, "Can each lane serve it?", "section")
    needed = "instance_vcpu*workers_per_vcpu*container_used_mb+os_memory_mib"
    said = '"yes"'
    checks = [
        (
            "Lambda: within the environments allowed",
            f'IF(lambda_steps_over>0,lambda_steps_over&" steps exceed it",{said})',
            over[0],
        ),
        (
            "Containers: within the largest fleet",
            f'IF(container_steps_over>0,container_steps_over&" steps exceed it",{said})',
            over[1],
        ),
        ("Lambda: memory holds what was measured", f'IF(lambda_used_mb>lambda_memory_mb,"NO: choose more memory",{said})', 0.0),
        (
            "Containers: workers fit the instance",
            f'IF({needed}>instance_memory_gib*1024,"NO: choose a larger type",{said})',
            0.0,
        ),
    ]
    if comparison.stage.lambda_lane.managed_concurrency is not None:
        del checks[2]
    for number, (label, formula, steps) in enumerate(checks, start=row + 1):
        book.put(sheet, number, 0, label, "text")
        book.compute(sheet, number, 1, formula, f"{steps:g} steps exceed it" if steps else "yes", "bold")
    return row + 1 + len(checks)


def _budget(book: Book, sheet: Worksheet, row: int, comparison: Comparison) -> int:
    book.put(sheet, row, 0, "Is a month within the budget?", "section")
    given = budget(comparison)
    bills = (("Lambda", "lambda"), ("Containers", "container"), ("Split", "split"))
    for (label, name), bill in zip(bills, comparison.bills, strict=False):
        row += 1
        said = "no budget given" if not given else "NO" if bill.usd_per_month > given else "yes"
        formula = f'IF(budget_usd=0,"no budget given",IF({name}_usd_month>budget_usd,"NO","yes"))'
        book.put(sheet, row, 0, f"{label}: at most budget_usd on Inputs", "text")
        book.compute(sheet, row, 1, formula, said, "bold")
        book.file.define_name(f"{name}_in_budget", f"=Totals!$B${row + 1}")
    return row + 1


def _list(book: Book, sheet: Worksheet, row: int, title: str, texts: list[str] | tuple[str, ...]) -> int:
    book.put(sheet, row, 0, title, "section")
    for number, text in enumerate(texts, start=row + 1):
        sheet.merge_range(number, 0, number, 4, text, book.looks["text"])
        sheet.set_row(number, 15 * (1 + len(text) // 130))
    return row + 1 + len(texts)
