"""A bill as the kit reads it: charges by day, and what of the bill is not the stage's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from infra.cost.exact import EXACT
from infra.errors import InputError

USAGE = "usage"
"""The kind of a charge that grows with what runs; the others (`credit`, `refund`, `tax`, `fee`, `discount`, …) are one-off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What one usage type cost on one day. `cash` is what is invoiced, `amortized` spreads plans and reservations over what
    they cover; credits and refunds are negative. `lane` is the tag `crossover:lane`, None where a charge has none."""

    service: str
    usage_type: str
    lane: str | None
    day: date
    kind: str
    quantity: Decimal
    cash: Decimal
    amortized: Decimal

    def usd(self, basis: str) -> Decimal:
        return self.cash if basis == "cash" else self.amortized


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """The charges of one stage. `untagged_usd` and `others_usd` are what the same source holds of no stage and of other stages,
    None where it was not asked."""

    source: str
    stage: str
    charges: tuple[Charge, ...]
    untagged_usd: Decimal | None = None
    others_usd: Decimal | None = None

    @property
    def first(self) -> date:
        return min(each.day for each in self.charges)

    @property
    def last(self) -> date:
        return max(each.day for each in self.charges)

    def of_month(self, year_month: str | None) -> Bill:
        """The charges of one month, `2026-11`; None takes the last that there is."""
        wanted = year_month or f"{self.last:%Y-%m}"
        found = tuple(each for each in self.charges if f"{each.day:%Y-%m}" == wanted)
        if not found:
            have = sorted({f"{each.day:%Y-%m}" for each in self.charges})
            raise InputError(f"{self.source}: nothing of {wanted}; it has {', '.join(have)}")
        return replace(self, charges=found)

    def between(self, first: date, last: date) -> Bill:
        return replace(self, charges=tuple(each for each in self.charges if first <= each.day <= last))

    def usd(self, basis: str, *, usage: bool | None = None) -> Decimal:
        """The sum; `usage` True or False takes only what is usage, or what is not."""
        return total(each.usd(basis) for each in self.charges if usage is None or (each.kind == USAGE) == usage)


def total(amounts: Iterable[Decimal]) -> Decimal:
    result = Decimal(0)
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
