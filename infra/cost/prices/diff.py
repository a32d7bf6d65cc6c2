"""What changed between two price books, and what that does to a bill."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from infra.cost.prices.book import Price, PriceBook
from infra.cost.prices.plan_list import FARGATE_USAGE, LAMBDA_USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One price in both books, or in one of them (None)."""

    service: str
    dimension: str
    unit: str
    before: Price | None
    after: Price | None

    @property
    def share(self) -> Decimal | None:
        """Change of the first tier's price as a share of the old one; None where there is none, or it was 0."""
        if self.before is None or self.after is None or self.before.usd == 0:
            return None
        return (self.after.usd - self.before.usd) / self.before.usd


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """How the rates of one plan differ, by instance types (and Lambda as one): how many changed, are new, are gone, and the
    least and the greatest change of the share that the plan takes off."""

    plan: str
    changed: int
    new: int
    gone: int
    least: Decimal
    greatest: Decimal


def plan_changes(before: PriceBook, after: PriceBook) -> list[PlanChange]:
    """Plans of which some rate differs, in the order of their names."""
    types = sorted(before.instances.keys() | after.instances.keys())
    of = {"AWSLambda": LAMBDA_USAGE.values(), "AmazonECS": FARGATE_USAGE.values(), "AmazonEC2": types}
    things = [(service, name) for service, names in of.items() for name in names]
    found = []
    for plan in sorted({rate.plan for book in (before, after) for rate in book.savings_plans}):
        pairs = [(before.plan_rate(plan, *thing), after.plan_rate(plan, *thing)) for thing in things]
        moves = [now.discount - was.discount for was, now in pairs if was and now and now.discount != was.discount]
        new, gone = (
            sum(was is None and now is not None for was, now in pairs),
            sum(now is None and was is not None for was, now in pairs),
        )
        if moves or new or gone:
            least, greatest = (min(moves), max(moves)) if moves else (Decimal(0), Decimal(0))
            found.append(PlanChange(plan=plan, changed=len(moves), new=new, gone=gone, least=least, greatest=greatest))
    return found


def changes(before: PriceBook, after: PriceBook) -> list[Change]:
    """Prices that are new, gone, or have other tiers, in the order of their names; a new date alone is no change."""
    old = {(price.service, price.dimension): price for price in before.every_price()}
    new = {(price.service, price.dimension): price for price in after.every_price()}
    found = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was is None or now is None or was.tiers != now.tiers:
            known = now or was
            assert known is not None
            found.append(Change(service=key[0], dimension=key[1], unit=known.unit, before=was, after=now))
    return found
