"""Reads a price book from its file: one JSON document a region, each figure a row with source, date and confidence."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from infra.cost.prices.book import FreeTier, InstanceType, PlanRate, Price, PriceBook, Tier
from infra.documents import read_bytes
from infra.errors import InputError

SHIPPED = Path(__file__).parent / "books"
MOST_USD = 1_000_000
"""A unit: the dearest instance is some hundred dollars an hour."""


MOST_FREE = Decimal("1e12")
"""Units a month."""


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
    service: Literal["AmazonEC2", "AmazonECS", "AWSLambda"]
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
    return read_price_book(path, region)


def read_price_book(path: Path, region: str) -> PriceBook:
    """The book of a region at `path`; `InputError` names file and figure."""
    try:
        file = msgspec.json.decode(read_bytes(path), type=_BookFile)
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: not a price book: {error}") from None
    if file.region != region:
        raise InputError(f"{path}: region is {file.region!r}, but {region!r} was asked for")
    if file.currency != "USD":
        raise InputError(f"{path}: currency is {file.currency!r}, must be USD")
    if file.schema != 1:
        raise InputError(f"{path}: schema: {file.schema}, must be 1")
    _refuse_repeated(file, path)
    return PriceBook(
        region=region,
        as_of=file.as_of,
        source=file.source,
        prices={(row.service, row.dimension): _price(row, region, path) for row in file.prices},
        free_tiers={(row.service, row.dimension): _free(row, path) for row in file.free_tiers},
        instances={name: _instance(name, row, file.instances, region, path) for name, row in file.instances.types.items()},
        savings_plans=tuple(_plan(row, path) for row in file.savings_plans),
    )


def _refuse_repeated(file: _BookFile, path: Path) -> None:
    """Of two prices for one thing none is known to be right."""
    prices = [(row.service, row.dimension) for row in file.prices]
    allowances = [(row.service, row.dimension) for row in file.free_tiers]
    for name, keys in (("prices", prices), ("free_tiers", allowances)):
        repeated = [key for key, count in Counter(keys).items() if count > 1]
        if repeated:
            raise InputError(f"{path}: {name}: {' '.join(repeated[0])} stands more than once; each price once")


def _price(row: _PriceRow, region: str, path: Path) -> Price:
    tiers = tuple(Tier(*tier) for tier in row.tiers) or (Tier(Decimal(0), None, row.usd),)
    ends = [tier.end for tier in tiers]
    where = f"{path}: {row.service} {row.dimension}"
    unlike = ends[-1] is not None or ends[:-1] != [tier.start for tier in tiers[1:]]
    if tiers[0].start != 0 or unlike or any(tier.end is not None and tier.end <= tier.start for tier in tiers):
        raise InputError(f"{where}: tiers must run from 0 without a gap to null")
    for tier in tiers:
        _dollars(tier.usd, where)
    if row.usd != tiers[0].usd:
        raise InputError(f"{where}: usd is {row.usd}, its first tier {tiers[0].usd}; both are the price of the first unit")
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


def _free(row: _FreeRow, path: Path) -> FreeTier:
    if not row.quantity.is_finite() or not 0 <= row.quantity <= MOST_FREE:
        raise InputError(f"{path}: free tier of {row.service} {row.dimension}: quantity must be 0 or more, not {row.quantity}")
    return FreeTier(**{name: getattr(row, name) for name in row.__struct_fields__})


def _dollars(usd: Decimal, where: str) -> None:
    if not usd.is_finite() or not 0 <= usd <= MOST_USD:
        raise InputError(f"{where}: a price must be 0 or more, and {MOST_USD:,} at most, not {usd}")


def _check_instance(row: _InstanceRow, where: str) -> None:
    for name in ("on_demand_usd_per_hour", "spot_usd_per_hour", "spot_current", "spot_highest"):
        usd = getattr(row, name)
        if usd is not None:
            _dollars(usd, f"{where}: {name}")
    if row.vcpu < 1 or not row.memory_gib.is_finite() or not 0 < row.memory_gib <= MOST_USD:
        raise InputError(f"{where}: vcpu and memory_gib: must be more than 0, not {row.vcpu} and {row.memory_gib}")
    if row.spot_saving_percent is not None and not 0 <= row.spot_saving_percent <= 100:
        raise InputError(f"{where}: spot_saving_percent: must be 0 to 100, not {row.spot_saving_percent}")
    if row.spot_usd_per_hour is not None and None in (row.spot_current, row.spot_highest, row.spot_days):
        raise InputError(f"{where}: spot_usd_per_hour: goes with spot_current, spot_highest and spot_days")


def _plan(row: _PlanRow, path: Path) -> PlanRate:
    if not row.discount.is_finite() or not 0 <= row.discount < 1:
        raise InputError(f"{path}: savings plan {row.plan}, {row.service}: a discount must be 0 or more, and below 1")
    return PlanRate(**{name: getattr(row, name) for name in row.__struct_fields__})


def _instance(name: str, row: _InstanceRow, head: _Instances, region: str, path: Path) -> InstanceType:
    _check_instance(row, f"{path}: {name}")
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
