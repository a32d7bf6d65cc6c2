"""The price book: dated public prices, each with unit, region, source and confidence (`prices/file.py` reads it).

A price that is not in the book raises `InputError` naming service, region and dimension; nothing has a default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from infra.errors import InputError

STALE_AFTER_DAYS = 90


@dataclass(frozen=True, slots=True)
class Tier:
    """`usd` a unit for the quantity from `start` up to `end` within one month; `end` None is without limit."""

    start: Decimal
    end: Decimal | None
    usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One public price. `as_of` is what its source says: a date, a month, a year, or None where it says nothing."""

    service: str
    dimension: str
    unit: str
    region: str
    tiers: tuple[Tier, ...]
    source: str
    as_of: str | None
    confidence: str
    note: str | None = None

    @property
    def usd(self) -> Decimal:
        """The price of the first unit."""
        return self.tiers[0].usd


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeTier:
    """What is free of charge each month and account, where the account has a claim to it."""

    service: str
    dimension: str
    unit: str
    quantity: Decimal
    source: str
    as_of: str | None
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """One EC2 instance type: its shape, and its price on demand and, as an estimate, on spot (None: unknown)."""

    name: str
    architecture: str
    vcpu: int
    memory_gib: Decimal
    on_demand: Price
    spot: Price | None
    spot_interruption: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRate:
    """How much less one service costs under a commitment, as a share; `families` (or types) of instances, or dimensions of
    Lambda; empty: for all."""

    plan: str
    service: str
    families: tuple[str, ...]
    discount: Decimal
    source: str
    as_of: str | None
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """All prices of one region. `as_of` is the day the book was compiled; every figure carries its own date too."""

    region: str
    as_of: date
    source: str
    prices: Mapping[tuple[str, str], Price]
    free_tiers: Mapping[tuple[str, str], FreeTier]
    instances: Mapping[str, InstanceType]
    savings_plans: tuple[PlanRate, ...] = ()

    def price(self, service: str, dimension: str) -> Price:
        """The price of one dimension; `InputError` where the book has none."""
        try:
            return self.prices[service, dimension]
        except KeyError:
            raise self._missing(service, dimension) from None

    def free_tier(self, service: str, dimension: str) -> FreeTier:
        """The monthly free allowance of one dimension; `InputError` where the book has none."""
        try:
            return self.free_tiers[service, dimension]
        except KeyError:
            raise self._missing(service, f"free tier of {dimension}") from None

    def instance(self, name: str) -> InstanceType:
        """Shape and prices of one instance type; `InputError` where the book has none."""
        try:
            return self.instances[name]
        except KeyError:
            raise self._missing("AmazonEC2", f"instance type {name}") from None

    def spot(self, name: str) -> Price:
        """The spot estimate of one instance type; `InputError` where the book has none."""
        price = self.instance(name).spot
        if price is None:
            raise self._missing("AmazonEC2", f"spot price of {name}")
        return price

    def plan_prices(self) -> Iterator[Price]:
        """The rates of plans as rows to show: the unit is a share off the list price."""
        for rate in self.savings_plans:
            yield Price(
                service="SavingsPlans",
                dimension=f"{rate.plan} {', '.join(rate.families) or rate.service}",
                unit="share off list",
                region=self.region,
                tiers=(Tier(Decimal(0), None, rate.discount),),
                source=rate.source,
                as_of=rate.as_of,
                confidence=rate.confidence,
            )

    def plan_rate(self, plan: str, service: str, what: str) -> PlanRate | None:
        """The rate of a plan for an instance type, or for what has no families; a type's own goes before its family's."""
        rates = [rate for rate in self.savings_plans if rate.plan == plan and rate.service == service]
        for name in (what, what.partition(".")[0]):
            for rate in rates:
                if name in rate.families:
                    return rate
        return next((rate for rate in rates if not rate.families), None)

    def is_stale(self, on: date) -> bool:
        """Whether the book is more than 90 days old on that day."""
        return (on - self.as_of).days > STALE_AFTER_DAYS

    def without(self, service: str, dimension: str) -> PriceBook:
        """The same book without one price, to see what depends on it."""
        return replace(self, prices={k: v for k, v in self.prices.items() if k != (service, dimension)})

    def every_price(self) -> Iterator[Price]:
        """All prices: services first, then instance types on demand and on spot."""
        yield from self.prices.values()
        for instance in self.instances.values():
            yield instance.on_demand
            if instance.spot is not None:
                yield instance.spot

    def _missing(self, service: str, dimension: str) -> InputError:
        return InputError(
            f"no price for {service} {dimension} in {self.region} (price book of {self.as_of}); "
            f"`crossover prices show --region {self.region}` lists what there is"
        )
