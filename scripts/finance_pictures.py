"""Makes the pictures of docs/finance.md, and the line traced in it, from the article's case.

    .venv/bin/python scripts/finance_pictures.py

Needs Chromium and LibreOffice on PATH. The report's day is the price book's, so the same checkout gives the same figures.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import FloatRect, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from infra.cost.compare import Comparison, compare  # noqa: E402 - a script finds its project first
from infra.cost.likely import likely  # noqa: E402
from infra.cost.prices.file import load_price_book  # noqa: E402
from infra.cost.reports.report import html_bytes  # noqa: E402
from infra.cost.reports.workbook.build import workbook_bytes  # noqa: E402
from infra.cost.scenario import load_scenario  # noqa: E402

PICTURES = ROOT / "docs" / "finance"
BEGIN, END = "<!-- made by scripts/finance_pictures.py -->", "<!-- until here -->"
PARTS = {
    "answer.png": "section[aria-labelledby=totals]",
    "crossover.png": "section[aria-labelledby=crossover]",
}


def article() -> Comparison:
    book = load_price_book("us-east-1")
    case = load_scenario(ROOT / "examples" / "article.toml", report_date=book.as_of)
    comparison = compare(case.profile, case.traffic, book, case.stage, options=case.options)
    return replace(comparison, likely=likely(comparison.world, comparison.lanes, comparison.split))


def of_the_page(page: Page) -> None:
    """Two sections, and the first lines of the bill up to what most of it is."""
    for name, selector in PARTS.items():
        page.locator(selector).screenshot(path=PICTURES / name)
    page.evaluate("window.scrollTo(0, 0)")
    table = page.locator("section[aria-labelledby=lines] table").first
    box = table.bounding_box()
    third = table.locator("tbody tr").nth(2).bounding_box()
    assert box is not None
    assert third is not None
    clip: FloatRect = {**box, "height": third["y"] - box["y"]}
    page.screenshot(path=PICTURES / "line.png", clip=clip, full_page=True)


def of_the_workbook(page: Page, comparison: Comparison, folder: Path) -> None:
    """The first inputs, as LibreOffice calculates and draws them."""
    file = folder / "workbook.xlsx"
    file.write_bytes(workbook_bytes(comparison))
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = ["soffice", "--headless", "--norestore", profile, "--convert-to", "html", "--outdir", str(folder), str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    page.set_viewport_size({"width": 1300, "height": 900})
    page.goto((folder / "workbook.html").as_uri())
    box = page.locator("table").nth(1).bounding_box()
    assert box is not None
    clip: FloatRect = {**box, "height": 400}
    page.screenshot(path=PICTURES / "inputs.png", clip=clip, full_page=True)


def trace(comparison: Comparison) -> str:
    """How the largest line of the Lambda lane comes about, as a numbered list."""
    lane, book = comparison.lambda_lane, comparison.prices
    line = max(lane.lines, key=lambda each: each.usd)
    seconds, init = lane.capacity["billed_ms_per_search"] / 1000, lane.capacity["init_gb_seconds"]
    memory, searches = comparison.stage.lambda_lane.memory_mb, lane.searches_per_month
    rate, hours = comparison.traffic.mean_rps, comparison.options.month_hours
    return f"""Prices of {book.as_of}.

1. **The amount**, ${line.usd:,.2f}, is {line.quantity:,.2f} GB-s × ${line.unit_price:f}.
2. **The price** is dated {line.as_of}; its number leads to its source, below the bill. `crossover prices show {line.service}`
   has the same row.
3. **The quantity** is explained below the line's name: {searches:,.0f} searches × {seconds:.6f} s × {memory / 1024:g} GB, and
   {init:,.0f} GB-s for starting. The time of a search is CPU stretched by what {memory:,} MB get of a vCPU, waiting as it is,
   and half a millisecond of rounding up.
4. **CPU and waiting** stand under *What was measured*, with the SHA-256 of the bundle that was measured, machine, day and
   load. In this example they are typed in, and the report says so; with `--profile` they are a measurement.
5. **The searches** are {rate:,.0f} a second × 3,600 × {hours:f}, from *The traffic*.
6. Everything else that decided it stands under *What was assumed*, with its reason.
"""


def with_trace(page: str, comparison: Comparison) -> str:
    """The page with its traced line as the engine computes it today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{trace(comparison)}{END}{after}"


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    comparison = article()
    page_file = ROOT / "docs" / "finance.md"
    page_file.write_text(with_trace(page_file.read_text(), comparison))
    with TemporaryDirectory() as made, sync_playwright() as playwright:
        folder = Path(made)
        (folder / "report.html").write_bytes(html_bytes(comparison))
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": 900, "height": 900})
        page.goto((folder / "report.html").as_uri())
        of_the_page(page)
        of_the_workbook(page, comparison, folder)
        chromium.close()
    for picture in sorted(PICTURES.glob("*.png")):
        print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
