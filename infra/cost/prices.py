"""The price book: dated public prices, each with unit, region, source and confidence, from one JSON file a region.

A price that is not in the book raises `InputError` naming service, region and dimension; nothing has a default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from infra.errors import InputError

SHIPPED = Path(__file__).parent / "price_books"
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
    """How much less one service costs under a commitment, as a share; `families` (or types) of instances, empty: for all."""

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


class _PriceRow(Struct, frozen=True, forbid_unknown_fields=True):
    service: str
    dimension: str
    unit: str
    usd: Decimal
    source: str
    as_of: str | None
    confidence: str
    tiers: tuple[tuple[Decimal, Decimal | None, Decimal], ...] = ()
    note: str | None = None


class _FreeRow(Struct, frozen=True, forbid_unknown_fields=True):
    service: str
    dimension: str
    unit: str
    quantity: Decimal
    source: str
    as_of: str | None
    confidence: str


class _PlanRow(Struct, frozen=True, forbid_unknown_fields=True):
    plan: Annotated[str, Meta(pattern=r"^(compute|ec2-instance|reserved)-")]
    service: Literal["AmazonEC2", "AWSLambda"]
    discount: Decimal
    source: str
    as_of: str | None
    confidence: str
    families: tuple[str, ...] = ()


class _InstanceRow(Struct, frozen=True, forbid_unknown_fields=True):
    architecture: str
    vcpu: int
    memory_gib: Decimal
    on_demand_usd_per_hour: Decimal
    spot_saving_percent: int | None = None
    spot_interruption: str | None = None
    on_demand_source: str | None = None
    on_demand_as_of: str | None = None
    spot_usd_per_hour: Decimal | None = None
    spot_current: Decimal | None = None
    spot_highest: Decimal | None = None
    spot_days: int | None = None
    spot_read_on: str | None = None


class _Instances(Struct, frozen=True, forbid_unknown_fields=True):
    on_demand_source: str
    on_demand_as_of: str
    shape_source: str
    spot_source: str
    spot_as_of: str
    spot_confidence: str
    types: dict[str, _InstanceRow]


class _BookFile(Struct, frozen=True, forbid_unknown_fields=True):
    schema: int
    region: str
    currency: str
    as_of: date
    source: str
    prices: tuple[_PriceRow, ...]
    free_tiers: tuple[_FreeRow, ...]
    instances: _Instances
    savings_plans: tuple[_PlanRow, ...] = ()


def shipped_regions() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.json")))


def load_price_book(region: str, path: Path | None = None) -> PriceBook:
    """Read the shipped book of a region, or the one at `path`; `InputError` where there is none or it is malformed."""
    if path is None:
        if region not in shipped_regions():
            raise InputError(f"no price book for region {region!r}; there is one for: {', '.join(shipped_regions())}")
        path = SHIPPED / f"{region}.json"
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_BookFile)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: not a price book: {error}") from None
    if file.region != region:
        raise InputError(f"{path}: region is {file.region!r}, but {region!r} was asked for")
    if file.currency != "USD":
        raise InputError(f"{path}: currency is {file.currency!r}, must be USD")
    return PriceBook(
        region=region,
        as_of=file.as_of,
        source=file.source,
        prices={(row.service, row.dimension): _price(row, region, path) for row in file.prices},
        free_tiers={
            (row.service, row.dimension): FreeTier(**{f: getattr(row, f) for f in row.__struct_fields__})
            for row in file.free_tiers
        },
        instances={name: _instance(name, row, file.instances, region) for name, row in file.instances.types.items()},
        savings_plans=tuple(_plan(row, path) for row in file.savings_plans),
    )


def _price(row: _PriceRow, region: str, path: Path) -> Price:
    tiers = tuple(Tier(*tier) for tier in row.tiers) or (Tier(Decimal(0), None, row.usd),)
    ends = [tier.end for tier in tiers]
    if tiers[0].start != 0 or ends[-1] is not None or ends[:-1] != [tier.start for tier in tiers[1:]]:
        raise InputError(f"{path}: {row.service} {row.dimension}: tiers must run from 0 without a gap to null")
    if any(not tier.usd.is_finite() or tier.usd < 0 for tier in tiers):
        raise InputError(f"{path}: {row.service} {row.dimension}: a price must be 0 or more")
    return Price(
        service=row.service,
        dimension=row.dimension,
        unit=row.unit,
        region=region,
        tiers=tiers,
        source=row.source,
        as_of=row.as_of,
        confidence=row.confidence,
        note=row.note,
    )


def _plan(row: _PlanRow, path: Path) -> PlanRate:
    if not 0 <= row.discount < 1:
        raise InputError(f"{path}: savings plan {row.plan}, {row.service}: a discount must be 0 or more, and below 1")
    return PlanRate(**{name: getattr(row, name) for name in row.__struct_fields__})


def _instance(name: str, row: _InstanceRow, head: _Instances, region: str) -> InstanceType:
    on_demand = Price(
        service="AmazonEC2",
        dimension=f"{name} on demand",
        unit="instance-hour",
        region=region,
        tiers=(Tier(Decimal(0), None, row.on_demand_usd_per_hour),),
        source=row.on_demand_source or head.on_demand_source,
        as_of=row.on_demand_as_of or head.on_demand_as_of,
        confidence="high",
    )
    spot = None
    if row.spot_usd_per_hour is not None:
        spot = replace(
            on_demand,
            dimension=f"{name} spot",
            tiers=(Tier(Decimal(0), None, row.spot_usd_per_hour),),
            source="EC2 DescribeSpotPriceHistory, mean over time and zones",
            as_of=row.spot_read_on,
            note=f"mean of {row.spot_days} days; now {row.spot_current:f}, highest {row.spot_highest:f}",
        )
    elif row.spot_saving_percent is not None:
        usd = row.on_demand_usd_per_hour * (100 - row.spot_saving_percent) / 100
        spot = replace(
            on_demand,
            dimension=f"{name} spot",
            tiers=(Tier(Decimal(0), None, usd),),
            source=head.spot_source,
            as_of=head.spot_as_of,
            confidence=head.spot_confidence,
            note=f"estimate: {row.spot_saving_percent}% below on demand",
        )
    return InstanceType(
        name=name,
        architecture=row.architecture,
        vcpu=row.vcpu,
        memory_gib=row.memory_gib,
        on_demand=on_demand,
        spot=spot,
        spot_interruption=row.spot_interruption,
    )
