"""Spot prices as they were: from EC2's history of the last weeks to one mean a type, with what it is now and was at most.

The history lists changes, zone by zone; a price holds until the next one. So the mean is over time, not over changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from infra.cost.exact import EXACT
from infra.errors import KitError

DAYS = 30


class Ec2(Protocol):
    """The one call of boto3's EC2 client that is used."""

    def get_paginator(self, name: str) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Dollars an hour of one type: the mean over time and zones, the mean of the zones' prices now, the highest of all."""

    mean: Decimal
    current: Decimal
    highest: Decimal


def read_history(ec2: Ec2, types: Sequence[str], *, now: datetime, days: int = DAYS) -> list[Mapping[str, Any]]:
    """The changes of these types' prices, plain Linux, of the last `days`; `KitError` where EC2 cannot be asked."""
    try:
        pages = ec2.get_paginator("describe_spot_price_history").paginate(
            InstanceTypes=list(types),
            ProductDescriptions=["Linux/UNIX", "Linux/UNIX (Amazon VPC)"],
            StartTime=now - timedelta(days=days),
            EndTime=now,
        )
        return [change for page in pages for change in page["SpotPriceHistory"]]
    except Exception as error:  # botocore's errors have no common base that is not imported with it
        raise KitError(f"EC2's spot price history cannot be read: {error}") from None


def summarize(history: Iterable[Mapping[str, Any]], *, now: datetime, days: int = DAYS) -> dict[str, Spot]:
    """By instance type; a type without any price in that time is not in it."""
    zones: dict[str, dict[str, list[tuple[datetime, Decimal]]]] = defaultdict(lambda: defaultdict(list))
    for change in history:
        since = change["Timestamp"]
        at = since if since.tzinfo else since.replace(tzinfo=UTC)
        zones[change["InstanceType"]][change["AvailabilityZone"]].append((at, Decimal(change["SpotPrice"])))
    start = now - timedelta(days=days)
    return {name: _one_type([sorted(changes) for changes in by_zone.values()], start, now) for name, by_zone in zones.items()}


def _one_type(zones: Sequence[Sequence[tuple[datetime, Decimal]]], start: datetime, now: datetime) -> Spot:
    weighted, seconds = Decimal(0), Decimal(0)
    for changes in zones:
        ends = [at for at, _ in changes[1:]] + [now]
        for (begin, price), end in zip(changes, ends, strict=True):
            held = Decimal(str(max(0.0, (end - max(begin, start)).total_seconds())))
            weighted += price * held
            seconds += held
    latest = [changes[-1][1] for changes in zones]
    current = EXACT.divide(sum(latest, Decimal(0)), Decimal(len(latest)))
    mean = EXACT.divide(weighted, seconds) if seconds else current
    return Spot(
        mean=mean.quantize(Decimal("1e-6")),
        current=current.quantize(Decimal("1e-6")),
        highest=max(price for changes in zones for _, price in changes),
    )
