"""The sheet *Prices*: the rows of the price book that the bill uses, tier by tier, and the free allowances."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from xlsxwriter.worksheet import Worksheet

from infra.cost.compare import Comparison
from infra.cost.free_tiers import allowance
from infra.cost.lines.ec2 import mean_spot
from infra.cost.lines.line import LineItem
from infra.cost.prices.book import Price, Tier
from infra.cost.reports.workbook.sheet import FIXED, INPUT, Book
from infra.errors import InputError

FREE = (
    ("free_requests", "AWSLambda", "requests"),
    ("free_gb_s", "AWSLambda", "duration"),
    ("free_transfer_gb", "AWSDataTransfer", "out_internet"),
)
MEAN_OF_TYPES = "spot, mean of types"
COLUMNS = (
    "Service",
    "Dimension",
    "Unit",
    "From",
    "To",
    "$ a unit",
    "Source",
    "As of",
    "Confidence",
    "Note",
    "Name in formulas",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedTier:
    """One tier of a price on the sheet: where its figures stand, and what they are."""

    start: str
    end: str | None
    usd: str
    tier: Tier


Placed = dict[tuple[str, str], tuple[PricedTier, ...]]


def tiers_of(line: LineItem, placed: Placed) -> tuple[PricedTier, ...] | None:
    """The tiers that a line is priced by; None where they are not on the sheet."""
    for key in ((line.service, line.dimension), _other(line)):
        if line.unit_price in {each.tier.usd for each in placed.get(key, ())}:
            return placed[key]
    return None


def _other(line: LineItem) -> tuple[str, str]:
    """Where a price stands whose dimension has another price before it."""
    return line.service, f"{line.dimension} at {line.unit_price:f}"


class PriceSheet:
    """Writes the sheet row by row; `placed` says where each price stands."""

    def __init__(self, book: Book, comparison: Comparison) -> None:
        self._book = book
        self._comparison = comparison
        self._sheet: Worksheet = book.sheet("Prices", (20, 34, 18, 14, 14, 16, 44, 12, 12, 50, 40))
        self._row = 3
        self._names: set[str] = set()
        self.placed: Placed = {}

    def write(self, lines: Iterable[LineItem]) -> Placed:
        prices, book = self._comparison.prices, self._book
        title = f"Prices of {prices.region}, book of {prices.as_of.isoformat()}"
        days = (self._comparison.options.report_date - prices.as_of).days
        old = "out of date: " if prices.is_stale(self._comparison.options.report_date) else ""
        book.put(self._sheet, 0, 0, title, "title")
        book.put(self._sheet, 1, 0, f"{old}{days} days old on the day of the report; {prices.source}", "lead")
        book.head(self._sheet, 2, COLUMNS)
        lines = list(lines)
        for line in lines:
            if tiers_of(line, self.placed) is None:
                self._place(line)
        self._free(lines)
        self._sheet.freeze_panes(3, 2)
        return self.placed

    def _place(self, line: LineItem) -> None:
        price = self._price(line)
        key = (line.service, line.dimension)
        if key in self.placed:
            key = _other(line)
        if line.dimension == MEAN_OF_TYPES and price.tiers[0].usd == line.unit_price:
            types = [self._comparison.prices.spot(name) for name in self._comparison.stage.container_lane.instance_types]
            cells = [self._tier(each, each.tiers[0], "", INPUT).usd for each in types]
            mean = f"ROUND(AVERAGE({','.join(cells)}),6)"
            self.placed[key] = (self._tier(price, price.tiers[0], "", "", formula=mean),)
            return
        several = len(price.tiers) > 1
        self.placed[key] = tuple(
            self._tier(price, tier, f"_{number}" if several else "", INPUT) for number, tier in enumerate(price.tiers, start=1)
        )

    def _price(self, line: LineItem) -> Price:
        """The price as the book has it, else as the line does."""
        prices, stage = self._comparison.prices, self._comparison.stage
        if line.dimension == MEAN_OF_TYPES:
            return mean_spot(prices, stage.container_lane.instance_types)
        found = prices.prices.get((line.service, line.dimension))
        if found is None and line.dimension.endswith(" on demand"):
            instance = prices.instances.get(line.dimension.removesuffix(" on demand"))
            found = None if instance is None else instance.on_demand
        if found is not None and line.unit_price in {tier.usd for tier in found.tiers}:
            return found
        return Price(
            service=line.service,
            dimension=line.dimension,
            unit=line.unit,
            region=prices.region,
            tiers=(Tier(Decimal(0), None, line.unit_price),),
            source=line.source,
            as_of=line.as_of,
            confidence=line.confidence,
        )

    def _tier(self, price: Price, tier: Tier, suffix: str, kind: str, *, formula: str | None = None) -> PricedTier:
        row, book, sheet = self._row, self._book, self._sheet
        name = cell_name(f"price_{price.service}_{price.dimension}{suffix}")
        if name in self._names:
            name = f"{name}_row_{row + 1}"
        self._names.add(name)
        for column, text in ((0, price.service), (1, price.dimension), (2, price.unit)):
            book.put(sheet, row, column, text, "text")
        book.put(sheet, row, 3, tier.start, INPUT)
        if tier.end is not None:
            book.put(sheet, row, 4, tier.end, INPUT)
        if formula is None:
            book.put(sheet, row, 5, tier.usd, "price")
        else:
            book.compute(sheet, row, 5, formula, tier.usd, "price_of")
        texts = (price.source, price.as_of or "undated", price.confidence, price.note or "", name)
        for column, text in enumerate(texts, start=6):
            book.put(sheet, row, column, text, "soft" if price.confidence == "high" or column != 8 else "warn")
        book.file.define_name(name, f"=Prices!$F${row + 1}")
        self._row += 1
        cells = [f"Prices!${column}${row + 1}" for column in "DEF"]
        return PricedTier(start=cells[0], end=None if tier.end is None else cells[1], usd=cells[2], tier=tier)

    def _free(self, lines: Iterable[LineItem]) -> None:
        """The monthly allowances, counted where `free_tier` is 1; one that the book does not have is an error then."""
        used = {(line.service, line.dimension) for line in lines if allowance(self._comparison.prices, line) is not None}
        for name, service, dimension in (*FREE, *((free_name(*key), *key) for key in sorted(used))):
            row, book = self._row, self._book
            try:
                free = self._comparison.prices.free_tier(service, dimension)
            except InputError:
                missing = f"the book has no free tier of {service} {dimension}"
                book.put(self._sheet, row, 0, missing, FIXED)
                book.compute(self._sheet, row, 3, "IF(free_tier=1,NA(),0)", 0, "plain")
            else:
                for column, text in ((0, service), (1, f"{dimension}, free of charge"), (2, free.unit)):
                    book.put(self._sheet, row, column, text, "text")
                book.put(self._sheet, row, 3, free.quantity, INPUT)
                for column, text in ((6, free.source), (7, free.as_of or "undated"), (8, free.confidence)):
                    book.put(self._sheet, row, column, text, "soft")
            book.put(self._sheet, row, 10, name, "soft")
            book.file.define_name(name, f"=Prices!$D${row + 1}")
            self._row += 1


def free_name(service: str, dimension: str) -> str:
    """The named cell of what is free of a price."""
    return cell_name(f"free_{service}_{dimension}")


def cell_name(text: str) -> str:
    """A name that a spreadsheet takes: letters, digits and underscores."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
