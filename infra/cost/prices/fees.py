"""The fee of Lambda Managed Instances: AWS lists it by instance type and hour, the book has it as a share of the price.

`Lambda-Managed-Instances-c7g.large-Management-Hours`, as public scripts read usage types from `pricing:GetProducts` (2026).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from infra.cost.exact import EXACT
from infra.cost.prices.offers import Head, Offer, Product
from infra.cost.prices.wishes import FEE, FEE_USAGE, NOT_ASKED_FOR

TYPE = re.compile(rf"{FEE_USAGE}(?P<type>.+)-Management-Hours")
PLACES = Decimal("1e-4")
"""Fees are listed to ten places, which makes shares differ beyond this."""


def fee_type(product: Product) -> str:
    """The instance type whose fee this is; empty of anything else."""
    named = TYPE.fullmatch(product.usagetype)
    return named["type"] if named else ""


def fee_row(offers: Iterable[Offer], instances: Mapping[str, Mapping[str, Any]], head: Head) -> dict[str, Any] | str:
    """The one share that all types have which the book has a price on demand of (`instances`), or why there is none."""
    by_share: dict[Decimal, list[str]] = {}
    for offer in offers:
        name = fee_type(offer.product)
        if name in instances and len(offer.tiers) == 1:
            share = EXACT.divide(offer.tiers[0].usd, Decimal(instances[name]["on_demand_usd_per_hour"]))
            by_share.setdefault(share.quantize(PLACES), []).append(name)
    if not by_share:
        return NOT_ASKED_FOR[FEE]
    if len(by_share) > 1:
        told = ", ".join(f"{share:.2%} of {min(names)}" for share, names in sorted(by_share.items()))
        return f"the Price List has it as different shares of the price on demand: {told}"
    ((share, names),) = by_share.items()
    return {
        "service": FEE[0],
        "dimension": FEE[1],
        "unit": "USD of EC2 on demand",
        "usd": f"{share.normalize():f}",
        "source": f"{head.source}, management hours of {len(names)} instance types over their prices on demand",
        "as_of": head.published,
        "confidence": "high",
    }
