"""Savings Plans and reserved instances: an hourly commitment, used or lost, found exactly for the traffic's hours.

A commitment of C dollars an hour buys usage at its discounted price, highest discount first (so EC2 before Lambda; AWS Savings
Plans User Guide, "Understanding how Savings Plans apply to your usage"). What an hour does not use of it is lost; what an hour
needs beyond it is paid at the list price. Over the hours that cost is convex and piecewise linear in C, so its minimum lies
where some hour's usage ends: those points are sorted and walked until another dollar no longer pays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal

from infra.cost.exact import EXACT
from infra.cost.lane import LaneCost, Savings, Usage
from infra.cost.lines.line import LineItem, quantity
from infra.cost.prices.book import PlanRate, PriceBook
from infra.errors import InputError

KINDS = {"compute": ("AmazonEC2", "AmazonECS", "AWSLambda"), "ec2-instance": ("AmazonEC2",), "reserved": ("AmazonEC2",)}
"""What each kind of plan covers, of AmazonECS Fargate; never Lambda's requests, spot, or the fee for Managed Instances."""
FEW = 12
"""Names up to which all that a plan has rates for are listed; beyond, their families."""
STEP = Decimal("0.001")
"""Commitments are made in tenths of a cent an hour."""


def plan_names(book: PriceBook) -> tuple[str, ...]:
    return tuple(sorted({rate.plan for rate in book.savings_plans}))


def check_plan(book: PriceBook, plan: str) -> None:
    """Refuse (`InputError`) a plan of which the book has no rate at all."""
    if plan not in plan_names(book):
        known = ", ".join(plan_names(book)) or "none"
        raise InputError(f"savings plan {plan!r}: the price book of {book.region} has rates for: {known}")


def with_savings_plan(lane: LaneCost, book: PriceBook, plan: str | None) -> LaneCost:
    """The lane with the plan's lines after its list prices: a discount for each thing covered, and what of the commitment is
    lost. Unchanged where the plan covers nothing of it; `InputError` where the book does not know a rate that it needs."""
    if plan is None:
        return lane
    check_plan(book, plan)
    covered = [
        (usage, _rate(book, plan, usage))
        for usage in lane.committable
        if usage.service in KINDS[_kind(plan)] and any(usd for usd, _ in usage.hourly)
    ]
    if not covered:
        return lane
    covered.sort(key=lambda pair: -pair[1].discount)
    hours = _Hours.of(covered, lane.month_hours)
    commitment = cheapest(hours, _granule(covered, plan))
    return _applied(lane, plan, covered, hours, commitment)


@dataclass(frozen=True, slots=True)
class _Hours:
    """For each hour of the profile its weight in the month, in hours, and the usage at list price by descending discount."""

    weights: tuple[Decimal, ...]
    usage: tuple[tuple[Decimal, ...], ...]
    discounts: tuple[Decimal, ...]

    @classmethod
    def of(cls, covered: Sequence[tuple[Usage, PlanRate]], month_hours: Decimal) -> _Hours:
        lengths = [quantity(hours) for _, hours in covered[0][0].hourly]
        whole = sum(lengths, Decimal(0))
        return cls(
            weights=tuple(EXACT.divide(EXACT.multiply(month_hours, length), whole) for length in lengths),
            usage=tuple(zip(*(tuple(usd for usd, _ in usage.hourly) for usage, _ in covered), strict=True)),
            discounts=tuple(rate.discount for _, rate in covered),
        )

    def month_usd(self, commitment: Decimal) -> Decimal:
        """What the month costs under a commitment: the commitment, and what is beyond it at list price."""
        total = EXACT.multiply(commitment, sum(self.weights, Decimal(0)))
        for weight, used, taken in zip(self.weights, self.usage, self.covered(commitment), strict=True):
            beyond = sum((each - part for each, part in zip(used, taken, strict=True)), Decimal(0))
            total = EXACT.add(total, EXACT.multiply(weight, beyond))
        return total

    def covered(self, commitment: Decimal) -> Iterator[tuple[Decimal, ...]]:
        """Usage covered in each hour, at list price."""
        for used in self.usage:
            left, taken = commitment, []
            for usd, discount in zip(used, self.discounts, strict=True):
                paid = min(left, EXACT.multiply(usd, 1 - discount))
                left -= paid
                taken.append(min(usd, EXACT.divide(paid, 1 - discount)))
            yield tuple(taken)


def cheapest(hours: _Hours, step: Decimal) -> Decimal:
    """The commitment an hour, in whole steps, with which the month costs least; the lowest of equals."""
    gains = [EXACT.divide(Decimal(1), 1 - discount) for discount in hours.discounts]
    ends: dict[Decimal, Decimal] = {}  # commitment -> by how much less one more dollar then saves
    saved = Decimal(0)
    for weight, used in zip(hours.weights, hours.usage, strict=True):
        at = Decimal(0)
        kinds = [(usd, number) for number, usd in enumerate(used) if usd]
        for place, (usd, number) in enumerate(kinds):
            at += EXACT.multiply(usd, 1 - hours.discounts[number])
            following = gains[kinds[place + 1][1]] if place + 1 < len(kinds) else Decimal(0)
            ends[at] = ends.get(at, Decimal(0)) + EXACT.multiply(weight, gains[number] - following)
        if kinds:
            saved += EXACT.multiply(weight, gains[kinds[0][1]])
    whole, best = sum(hours.weights, Decimal(0)), Decimal(0)
    for at in sorted(ends):
        if saved <= whole:
            break
        best, saved = at, saved - ends[at]
    below = EXACT.divide(best, step).to_integral_value(ROUND_FLOOR) * step
    return min((below, below + step), key=lambda each: (hours.month_usd(each), each))


def _applied(
    lane: LaneCost, plan: str, covered: Sequence[tuple[Usage, PlanRate]], hours: _Hours, commitment: Decimal
) -> LaneCost:
    taken = list(hours.covered(commitment))
    lines = []
    paid = Decimal(0)
    for number, (usage, rate) in enumerate(covered):
        usd = sum((EXACT.multiply(w, each[number]) for w, each in zip(hours.weights, taken, strict=True)), Decimal(0))
        usd = quantity(usd)
        paid += EXACT.multiply(usd, 1 - rate.discount)
        lines.append(_discount(plan, usage, rate, usd))
    committed = EXACT.multiply(commitment, lane.month_hours)
    lost = quantity(max(Decimal(0), committed - paid))
    note = f"{commitment.normalize():f} USD committed an hour, the cheapest for these hours; used or lost"
    lines.append(_line(f"Savings plan {plan}, unused commitment", plan, lost, Decimal(1), covered[0][1], note))
    listed = sum((usage.usd for usage, _ in covered), Decimal(0))
    result = replace(lane, lines=(*lane.lines, *lines))
    return replace(
        result,
        savings=Savings(
            plan=plan,
            commitment_usd_per_hour=commitment,
            list_usd=lane.usd_per_month,
            discount_usd=-sum((line.usd for line in lines[:-1]), Decimal(0)),
            unused_usd=lost,
            effective_usd=result.usd_per_month,
            coverage=float(sum((line.quantity for line in lines[:-1]), Decimal(0)) / listed),
            utilization=float(1 - lost / committed) if committed else 1.0,
        ),
    )


def _discount(plan: str, usage: Usage, rate: PlanRate, usd: Decimal) -> LineItem:
    name = f"{'EC2' if usage.service == 'AmazonEC2' else 'Lambda'} discount of savings plan {plan}"
    return _line(
        name, f"{plan} {usage.what}", usd, -rate.discount, rate, f"{rate.discount:.0%} off what is covered of {usage.what}"
    )


def _line(name: str, dimension: str, amount: Decimal, each: Decimal, rate: PlanRate, note: str) -> LineItem:
    return LineItem(
        name=name,
        service="SavingsPlans",
        dimension=dimension,
        quantity=amount,
        unit="USD",
        unit_price=each,
        usd=EXACT.multiply(amount, each),
        source=rate.source,
        as_of=rate.as_of,
        confidence=rate.confidence,
        note=note,
    )


def covers(plan: str, service: str) -> bool:
    """Whether a plan is of a kind that covers usage of a service."""
    return service in KINDS[_kind(plan)]


def _kind(plan: str) -> str:
    return next(kind for kind in KINDS if plan.startswith(f"{kind}-"))


def _granule(covered: Sequence[tuple[Usage, PlanRate]], plan: str) -> Decimal:
    """Reserved instances are bought whole."""
    if _kind(plan) != "reserved":
        return STEP
    usage, rate = covered[0]
    return EXACT.multiply(usage.each_usd, 1 - rate.discount)


def _rate(book: PriceBook, plan: str, usage: Usage) -> PlanRate:
    rate = book.plan_rate(plan, usage.service, usage.what)
    if rate is not None:
        return rate
    rates = [rate for rate in book.savings_plans if rate.plan == plan and rate.service == usage.service]
    names = {name for rate in rates for name in rate.families}
    known = sorted(names if len(names) <= FEW else {name.partition(".")[0] for name in names})
    raise InputError(
        f"no rate of savings plan {plan} for {usage.service} {usage.what} in {book.region} (price book of {book.as_of}); "
        f"it has those of: {', '.join(known) or 'nothing of that service'}; `crossover prices refresh` reads those of all"
    )
