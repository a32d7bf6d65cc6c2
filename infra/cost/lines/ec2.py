"""EC2 instances on demand and on spot, and EBS volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from infra.cost.exact import EXACT
from infra.cost.lines.line import LineItem, priced, quantity
from infra.cost.prices.book import Price, PriceBook, Tier
from infra.errors import InputError

GP3_IOPS, GP3_THROUGHPUT = Decimal(3000), Decimal(125)
"""What every gp3 volume has without charge: operations a second, MB a second (AWS EBS pricing page)."""


def on_demand(book: PriceBook, instance_type: str, hours: Decimal, *, note: str) -> list[LineItem]:
    """Instance-hours on demand of one type."""
    price = book.instance(instance_type).on_demand
    return priced(price, hours, name=f"EC2 on demand, {instance_type}", note=note)


def spot(book: PriceBook, instance_types: Sequence[str], hours: Decimal, *, note: str) -> list[LineItem]:
    """Instance-hours on spot at the mean of the types' spot estimates.

    `price-capacity-optimized` takes whichever pools have room at a good price; which ones is not known beforehand.
    """
    price = mean_spot(book, instance_types)
    label = instance_types[0] if len(instance_types) == 1 else f"mean of {len(instance_types)} types"
    return priced(price, hours, name=f"EC2 spot, {label}", note=note)


def mean_spot(book: PriceBook, instance_types: Sequence[str]) -> Price:
    """The mean spot estimate of the types, rounded to a ten-thousandth of a cent, as one price."""
    prices = [book.spot(name) for name in instance_types]
    mean = EXACT.divide(sum((price.usd for price in prices), Decimal(0)), Decimal(len(prices)))
    each = ", ".join(f"{name} {price.usd.normalize():f}" for name, price in zip(instance_types, prices, strict=True))
    return replace(
        prices[0],
        dimension="spot, mean of types",
        tiers=(Tier(Decimal(0), None, quantity(mean)),),
        note=f"spot estimates a hour: {each}",
    )


def volumes(book: PriceBook, gb: int, instance_hours: Decimal, month_hours: Decimal, *, note: str) -> list[LineItem]:
    """gp3 storage of the instances' root volumes: GB-months, for as long as each instance runs."""
    amount = EXACT.divide(gb * instance_hours, month_hours)
    return priced(book.price("AmazonEBS", "gp3_storage"), amount, name="EBS gp3 volumes", note=note)


def provisioned_volumes(
    prices: Mapping[str, Price | None],
    *,
    gb: Decimal,
    iops: Decimal,
    throughput: Decimal,
    month_share: Decimal,
    note: str,
) -> list[LineItem]:
    """Volumes of any kind for a share of a month: storage, and what is provisioned of operations and throughput beyond what
    is included. `prices` are of storage, iops and throughput; `InputError` where one that is needed is None."""
    lines = []
    for name, amount in (("storage", gb), ("iops", iops), ("throughput", throughput)):
        price = prices[name]
        if amount and price is None:
            raise InputError(f"EBS volumes: no price of {name} for this kind of volume; give the publication's own")
        if amount and price is not None:
            lines += priced(price, EXACT.multiply(amount, month_share), name=f"EBS {name}", note=note)
    return lines


def unlimited_credits(book: PriceBook, vcpu_hours: Decimal, *, note: str) -> list[LineItem]:
    """What burstable instances use of their vCPUs beyond the credits that they earn."""
    return priced(book.price("AmazonEC2", "t3_unlimited_credit"), vcpu_hours, name="EC2 burst credits", note=note)
