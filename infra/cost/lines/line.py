"""A line item, and the one place where a quantity meets a price.

Everything is `Decimal`: quantities are rounded to a millionth of their unit as they enter, amounts are exact products.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from infra.cost.exact import EXACT
from infra.cost.prices.book import FreeTier, Price, Tier
from infra.errors import InputError

SMALLEST = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """`usd` is exactly `quantity` × `unit_price` for one month; `free` is what was used beside it free of charge. `note` says
    how the quantity came about; `resources` are the logical ids it is billed for, `stack/LogicalId`, where templates were
    read."""

    name: str
    service: str
    dimension: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    usd: Decimal
    source: str
    as_of: str | None
    confidence: str
    note: str
    resources: tuple[str, ...] = ()
    free: Decimal = Decimal(0)

    @property
    def used(self) -> Decimal:
        """What is billed and what is free, together."""
        return self.quantity + self.free

    def less(self, free: Decimal) -> LineItem:
        """The line with so much more of its quantity free of charge, which its note says."""
        quantity = self.quantity - free
        said = f"{free.normalize(EXACT):,f} of {self.used.normalize(EXACT):,f} free of charge"
        usd = EXACT.multiply(quantity, self.unit_price)
        return replace(self, quantity=quantity, usd=usd, free=self.free + free, note=f"{self.note}; {said}")


def base_name(line: LineItem) -> str:
    """The line's name without its tier."""
    return re.sub(r", tier \d+$", "", line.name)


def quantity(value: float | int | Decimal) -> Decimal:
    """A physical quantity as a Decimal, to a millionth of its unit; `InputError` unless finite and not negative."""
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not number.is_finite() or number < 0:
        raise InputError(f"a quantity must be a finite number of 0 or more, not {value}")
    return number.quantize(SMALLEST, context=EXACT)


def priced(price: Price, amount: Decimal, *, name: str, note: str, free: FreeTier | None = None) -> list[LineItem]:
    """Price an amount, less what is free of it, through the tiers: one line for each tier that is used, and at least one.

    The tiers count from 0 within one month, so the lines of one price add up to the bill for it.
    """
    given = quantity(amount)
    amount = after_free(given, free)
    taken = given - amount
    if taken:
        note = f"{note}; {taken.normalize(EXACT):,f} of {given.normalize(EXACT):,f} free of charge"
    used = [tier for tier in price.tiers if tier.start < amount] or [price.tiers[0]]
    lines = [
        _line(price, tier, amount, f"{name}, tier {number}" if len(used) > 1 else name, note)
        for number, tier in enumerate(used, start=1)
    ]
    return [replace(lines[0], free=taken or Decimal(0)), *lines[1:]]


def _line(price: Price, tier: Tier, amount: Decimal, name: str, note: str) -> LineItem:
    part = (amount if tier.end is None else min(amount, tier.end)) - tier.start
    return LineItem(
        name=name,
        service=price.service,
        dimension=price.dimension,
        quantity=part,
        unit=price.unit,
        unit_price=tier.usd,
        usd=EXACT.multiply(part, tier.usd),
        source=price.source,
        as_of=price.as_of,
        confidence=price.confidence,
        note="; ".join(filter(None, (note, price.note))),
    )


def after_free(amount: Decimal, free: FreeTier | None) -> Decimal:
    """What remains to be paid of an amount once the free allowance is used up."""
    return amount if free is None else max(Decimal(0), amount - free.quantity)


def total(lines: Iterable[LineItem]) -> Decimal:
    """The exact sum of the lines' amounts."""
    result = Decimal(0)
    for line in lines:
        result = EXACT.add(result, line.usd)
    return result
