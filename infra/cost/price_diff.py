"""What changed between two price books, and what that does to a bill."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from infra.cost.prices import Price, PriceBook


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
