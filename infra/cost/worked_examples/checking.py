"""The engine beside a publication: equal to the cent, or by what the publication rounds, or different."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from infra.cost.exact import EXACT
from infra.cost.lines.line import LineItem, total
from infra.cost.prices.book import PriceBook
from infra.cost.worked_examples.kinds import KINDS
from infra.cost.worked_examples.reading import Example, example_of, read_cases
from infra.errors import InputError

CENT = Decimal("0.01")
TO_THE_CENT = "to the cent"
LINES_ROUNDED = "adds up rounded lines"
WITHIN = "within its rounding"
DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One example priced. `verdict` is one of the four above."""

    example: Example
    lines: tuple[LineItem, ...]
    ours: Decimal
    verdict: str

    @property
    def agrees(self) -> bool:
        return self.verdict != DIFFERS


@dataclass(frozen=True, slots=True)
class Refused:
    """A case that cannot be priced; `reason` is one line with file, example and field."""

    id: str
    reason: str


def check_file(path: Path, book: PriceBook) -> list[Checked | Refused]:
    """Every case of a file, one by one, so that one that cannot be priced hides no other; `InputError` for what is no file of
    cases."""
    found: list[Checked | Refused] = []
    for where, case in read_cases(path):
        try:
            found.append(check_example(example_of(where, case), book))
        except InputError as error:
            reason = str(error) if str(error).startswith(str(path)) else f"{where}: {error}"
            found.append(Refused(where.removeprefix(f"{path}: "), reason))
    return found


def price_example(example: Example, book: PriceBook) -> tuple[LineItem, ...]:
    """The example's lines; `InputError` for a missing input, one that its kind does not know, or a price the book has not."""
    region = example.inputs.text("region", default=book.region)
    if region != book.region:
        raise example.inputs.refuse(f"region: {region!r}, but the prices are of {book.region}; give --region {region}")
    lines = KINDS[example.kind](book, example.inputs)
    example.inputs.refuse_unasked()
    return tuple(lines)


def check_example(example: Example, book: PriceBook) -> Checked:
    lines = price_example(example, book)
    ours = total(lines)
    return Checked(example=example, lines=lines, ours=ours, verdict=_verdict(example, lines, ours))


def rounded(value: Decimal) -> Decimal:
    """Half up, as publications round; those that compute in floating point state 222.28499999999997 for 222.285."""
    return value.quantize(Decimal("1e-9"), context=EXACT).quantize(CENT, rounding=ROUND_HALF_UP, context=EXACT)


def _verdict(example: Example, lines: tuple[LineItem, ...], ours: Decimal) -> str:
    published = example.published
    if rounded(ours) == rounded(published) or abs(ours - published) < CENT / 2:
        return TO_THE_CENT
    if sum((rounded(line.usd) for line in lines), Decimal(0)) == published:
        return LINES_ROUNDED
    return WITHIN if abs(ours - published) <= example.tolerance else DIFFERS
