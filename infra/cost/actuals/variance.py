"""The bill against the estimate, line by line: what is due to price (rate), to quantity (volume) and to a different mix.

For a line with estimate Q₀ at mean price P₀, and charges qᵢ for cᵢ whose list prices are pᵢ (of instance types; else P₀):
volume = (Σqᵢ - Q₀) P₀, mix = Σ qᵢpᵢ - Σqᵢ P₀, rate = Σcᵢ - Σ qᵢpᵢ. Their sum is exactly bill less estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from infra.cost.actuals.mapping import ON_DEMAND, SPOT, Key, key_of, key_of_line
from infra.cost.actuals.records import USAGE, Bill, Charge, total
from infra.cost.exact import EXACT
from infra.cost.prices.book import PriceBook
from infra.errors import InputError

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variance:
    """One line. Estimates are for the days of the bill."""

    name: str
    key: Key
    unit: str
    estimated_quantity: Decimal
    estimated_usd: Decimal
    quantity: Decimal
    usd: Decimal
    rate: Decimal
    volume: Decimal
    mix: Decimal

    @property
    def change(self) -> Decimal:
        return EXACT.subtract(self.usd, self.estimated_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexplained:
    """What was billed and no line of the estimate stands for."""

    what: str
    why: str
    usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`lines` by the size of their change; the sum of lines and unexplained is the bill of the days."""

    lane: str
    lines: tuple[Variance, ...]
    unexplained: tuple[Unexplained, ...]

    @property
    def estimated_usd(self) -> Decimal:
        return total(line.estimated_usd for line in self.lines)

    @property
    def usd(self) -> Decimal:
        return total((*(line.usd for line in self.lines), *(each.usd for each in self.unexplained)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Estimate:
    """`price` is the unit price, which stands where the quantity is 0 and so has no mean."""

    name: str
    unit: str
    quantity: Decimal
    usd: Decimal
    price: Decimal

    @property
    def mean_price(self) -> Decimal:
        return EXACT.divide(self.usd, self.quantity) if self.quantity else self.price


def lane_shares(lambda_share: Decimal) -> dict[str, Decimal]:
    """What each lane has of the traffic; the estimates of both, so weighted, are the estimate of the whole."""
    return {"lambda": lambda_share, "container": 1 - lambda_share}


def compare_bill(
    bill: Bill,
    report: Mapping[str, Any],
    lane: str | Mapping[str, Decimal],
    hours: Decimal,
    book: PriceBook,
    basis: str,
) -> Comparison:
    """Hold a bill of so many hours against one lane of report.json, or both by `lane_shares`, whose month is brought to those
    hours."""
    shares = {lane: Decimal(1)} if isinstance(lane, str) else lane
    month = EXACT.divide(hours, month_hours(report))
    estimates: dict[Key, _Estimate] = {}
    for each, share in shares.items():
        for key, found in _estimates(report["lanes"][each]["lines"]).items():
            estimates[key] = _joined(estimates.get(key), _scaled(found, EXACT.multiply(month, share)))
    named = ", ".join(f"{share:.0%} {each}" if len(shares) > 1 else each for each, share in shares.items())
    charged: dict[Key, list[tuple[Charge, str | None]]] = {}
    unexplained: dict[tuple[str, str], Decimal] = {}
    for charge in bill.charges:
        why = _unexplained(charge, shares, estimates)
        if why is None:
            key, instance = key_of(charge.service, charge.usage_type) or (ON_DEMAND, None)
            charged.setdefault(key, []).append((charge, instance))
        else:
            what = (f"{charge.service} {charge.usage_type}".strip() or charge.kind, why)
            unexplained[what] = EXACT.add(unexplained.get(what, ZERO), charge.usd(basis))
    lines = [_variance(key, estimate, charged.get(key, []), book, basis) for key, estimate in estimates.items()]
    rest = [Unexplained(what=what, why=why, usd=usd) for (what, why), usd in unexplained.items()]
    return Comparison(
        lane=named,
        lines=tuple(sorted(lines, key=lambda line: (-abs(line.change), line.name))),
        unexplained=tuple(sorted(rest, key=lambda each: (-abs(each.usd), each.what))),
    )


def month_hours(report: Mapping[str, Any]) -> Decimal:
    for each in report["assumptions"]:
        if each["name"] == "Month":
            return Decimal(str(each["value"]).partition(" ")[0])
    raise InputError("the estimate says no length of its month; make it anew with `crossover cost report --json`")


def _estimates(lines: Iterable[Mapping[str, Any]]) -> dict[Key, _Estimate]:
    """Lines of one key (tiers, and instance types bought one way) together."""
    found: dict[Key, _Estimate] = {}
    for line in lines:
        key = key_of_line(line["service"], line["dimension"])
        name = {ON_DEMAND: "EC2 on demand", SPOT: "EC2 spot"}.get(key) or str(line["name"]).partition(", tier ")[0]
        quantity, usd, price = (Decimal(line[field]) for field in ("quantity", "usd_exact", "unit_price"))
        one = _Estimate(name=name, unit=line["unit"], quantity=quantity, usd=usd, price=price)
        found[key] = _joined(found.get(key), one)
    return found


def _joined(before: _Estimate | None, more: _Estimate) -> _Estimate:
    if before is None:
        return more
    names = dict.fromkeys((*before.name.split(" + "), *more.name.split(" + ")))
    quantity, usd = EXACT.add(before.quantity, more.quantity), EXACT.add(before.usd, more.usd)
    return replace(before, name=" + ".join(names), unit=more.unit, quantity=quantity, usd=usd)


def _scaled(estimate: _Estimate, share: Decimal) -> _Estimate:
    return replace(estimate, quantity=EXACT.multiply(estimate.quantity, share), usd=EXACT.multiply(estimate.usd, share))


def _unexplained(charge: Charge, shares: Mapping[str, Decimal], estimates: Mapping[Key, _Estimate]) -> str | None:
    """Why a charge stands behind no line; None where it does."""
    if charge.kind != USAGE:
        return f"a {charge.kind}, which no estimate has"
    if charge.lane is not None and charge.lane not in shares:
        return f"of the {charge.lane} lane; the estimate is of the {', '.join(shares)} lane"
    found = key_of(charge.service, charge.usage_type)
    if found is None:
        return "a usage type that maps to no line"
    return None if found[0] in estimates else "no line in this estimate"


def _variance(key: Key, estimate: _Estimate, charged: list[tuple[Charge, str | None]], book: PriceBook, basis: str) -> Variance:
    mean = estimate.mean_price
    amount = total(charge.quantity for charge, _ in charged)
    usd = total(charge.usd(basis) for charge, _ in charged)
    at_list = total(EXACT.multiply(charge.quantity, _list_price(key, kind, book, mean)) for charge, kind in charged)
    at_mean = EXACT.multiply(amount, mean)
    return Variance(
        name=estimate.name,
        key=key,
        unit=estimate.unit,
        estimated_quantity=estimate.quantity,
        estimated_usd=estimate.usd,
        quantity=amount,
        usd=usd,
        rate=EXACT.subtract(usd, at_list),
        volume=EXACT.subtract(at_mean, estimate.usd),
        mix=EXACT.subtract(at_list, at_mean),
    )


def _list_price(key: Key, instance: str | None, book: PriceBook, mean: Decimal) -> Decimal:
    """An instance type's own price, where the book knows it; else the estimate's."""
    known = None if instance is None else book.instances.get(instance)
    if known is None:
        return mean
    if key == SPOT:
        return mean if known.spot is None else known.spot.usd
    return known.on_demand.usd
