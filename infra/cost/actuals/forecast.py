"""What a month will come to, from its days so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from infra.cost.actuals.records import Bill, month_end
from infra.cost.exact import EXACT


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`usd` is the month's end; `method` how it came about. Days run from `first` to `last`, whole ones only."""

    usd: Decimal
    so_far: Decimal
    first: date
    last: date
    method: str

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def forecast(bill: Bill, basis: str) -> Forecast:
    """Usage goes on at the mean of the whole days so far; credits, refunds, fees and taxes stay as they are.

    AWS adds to a day's charges until the next, so the last day of a month that is not over does not count as whole, unless it
    is the only one.
    """
    first, last = bill.first, bill.last
    end = month_end(last)
    whole = last if last in (end, first) else last - timedelta(days=1)
    days = (whole - first).days + 1
    used = bill.between(first, whole).usd(basis, usage=True)
    once = bill.usd(basis, usage=False)
    left = (end - whole).days
    mean = EXACT.divide(used, Decimal(days))
    partial = "" if whole == last else f"; {last} is left out, as it may not be whole"
    whole_days = "1 whole day" if days == 1 else f"{days} whole days"
    method = (
        f"usage of {whole_days} ({first} to {whole}) goes on at its mean of ${mean:,.2f} a day for {left} days more; "
        f"credits, refunds, fees and taxes stay as they are{partial}"
        if left
        else f"the month is over ({first} to {whole})"
    )
    return Forecast(
        usd=EXACT.add(EXACT.add(used, EXACT.multiply(mean, Decimal(left))), once),
        so_far=bill.usd(basis),
        first=first,
        last=whole,
        method=method,
    )
