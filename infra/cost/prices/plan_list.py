"""Savings Plans and reserved instances from AWS's own lists: the rate of each instance type and of Lambda, as a share off list.

The file of Savings Plans has `products` (a plan: kind, term, payment) and, by plan, `rates` of what it covers; a rate's code
begins with its plan's SKU. Reserved prices stand in EC2's offer file under `terms.Reserved`, an upfront fee beside the hourly
price. Both are read as streams. Formats: AWS Billing User Guide, "Reading the service price list files".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.cost.exact import EXACT
from infra.cost.prices.offers import Head, Product, read_items, read_pairs, usage_without_region
from infra.cost.prices.wishes import INSTANCE_USAGE
from infra.errors import InputError

OFFER = "AWSComputeSavingsPlan"
KINDS = {"ComputeSavingsPlans": "compute", "EC2InstanceSavingsPlans": "ec2-instance"}
YEARS = {"1yr": 1, "3yr": 3}
PAYMENTS = {"No Upfront": "", "Partial Upfront": "-partial", "All Upfront": "-all"}
"""Nothing upfront is what a plan's bare name means."""
HOURS_A_YEAR = 8_760
LAMBDA_USAGE = {
    "Lambda-GB-Second": "duration_x86_64",
    "Lambda-GB-Second-ARM": "duration_arm64",
    "Lambda-Provisioned-Concurrency": "provisioned_concurrency_x86_64",
    "Lambda-Provisioned-Concurrency-ARM": "provisioned_concurrency_arm64",
    "Lambda-Provisioned-GB-Second": "provisioned_duration_x86_64",
    "Lambda-Provisioned-GB-Second-ARM": "provisioned_duration_arm64",
}
FARGATE_USAGE = {
    "Fargate-vCPU-Hours:perCPU": "fargate_vcpu_x86_64",
    "Fargate-GB-Hours": "fargate_memory_x86_64",
    "Fargate-ARM-vCPU-Hours:perCPU": "fargate_vcpu_arm64",
    "Fargate-ARM-GB-Hours": "fargate_memory_arm64",
}
"""By the hour; the book has them by the second."""
PLACES = Decimal("1e-10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one thing costs under a plan, in dollars a unit; `what` is an instance type, or a dimension of Lambda or Fargate."""

    plan: str
    service: str
    what: str
    usd: Decimal


def read_plan_rates(path: Path) -> Iterator[Rate]:
    """Every rate of a region's Savings Plans for instances of plain Linux, for Lambda and for Fargate on ECS."""
    plans = _plans(path)
    if not plans:
        raise InputError(f"{path}: not a list of Savings Plans: it has no products of {' or '.join(KINDS)}")
    for item in read_items(path, "terms.savingsPlan.item.rates.item"):
        where = f"{path}: rate {item.get('rateCode')}"
        plan = plans.get(str(item.get("rateCode", "")).partition(".")[0])
        service, usage = item.get("discountedServiceCode"), usage_without_region(str(item.get("discountedUsageType", "")))
        if plan is None:
            continue
        if service == "AWSLambda" and usage in LAMBDA_USAGE and plan.startswith("compute"):
            yield Rate(plan=plan, service="AWSLambda", what=LAMBDA_USAGE[usage], usd=_usd(where, item))
        elif service == "AmazonECS" and usage in FARGATE_USAGE and plan.startswith("compute"):
            each = EXACT.divide(_usd(where, item), Decimal(3600))
            yield Rate(plan=plan, service="AmazonECS", what=FARGATE_USAGE[usage], usd=each)
        elif service == "AmazonEC2" and usage.startswith(INSTANCE_USAGE) and item.get("discountedOperation") == "RunInstances":
            yield Rate(plan=plan, service="AmazonEC2", what=usage.removeprefix(INSTANCE_USAGE), usd=_usd(where, item))


def read_reserved_rates(path: Path, products: Iterable[Product]) -> Iterator[Rate]:
    """Standard reserved instances, the upfront fee spread over the term's hours."""
    types = {product.sku: product.attributes["instanceType"] for product in products}
    for sku, terms in read_pairs(path, "terms.Reserved"):
        if sku not in types:
            continue
        for term in terms.values():
            told = term.get("termAttributes", {})
            years, payment = YEARS.get(told.get("LeaseContractLength")), PAYMENTS.get(told.get("PurchaseOption"))
            if years is None or payment is None or told.get("OfferingClass") != "standard":
                continue
            usd = Decimal(0)
            for each in term.get("priceDimensions", {}).values():
                amount = _decimal(f"{path}: SKU {sku}", each.get("pricePerUnit", {}).get("USD"))
                usd += EXACT.divide(amount, Decimal(years * HOURS_A_YEAR)) if each.get("unit") == "Quantity" else amount
            yield Rate(plan=f"reserved-{years}y{payment}", service="AmazonEC2", what=types[sku], usd=usd)


def plan_rows(rates: Iterable[Rate], listed: Mapping[tuple[str, str], Decimal], head: Head) -> list[dict[str, Any]]:
    """Rows of the book: for each plan the instance types, and the dimensions of Lambda, with one share off their list price.
    A rate above the list price, or without one, is left out."""
    shares: dict[tuple[str, str], dict[Decimal, list[str]]] = defaultdict(lambda: defaultdict(list))
    for rate in rates:
        price = listed.get((rate.service, rate.what))
        if price and rate.usd <= price:
            share = (1 - EXACT.divide(rate.usd, price)).quantize(PLACES).normalize()
            shares[rate.plan, rate.service][share].append(rate.what)
    rows = []
    for (plan, service), by_share in sorted(shares.items()):
        rows += [_row(plan, service, share, sorted(set(what)), head) for share, what in sorted(by_share.items())]
    return rows


def _row(plan: str, service: str, share: Decimal, families: list[str], head: Head) -> dict[str, Any]:
    row: dict[str, Any] = {"plan": plan, "service": service, "discount": f"{share:f}", "source": head.source}
    return {**row, "as_of": head.published, "confidence": "high", "families": families}


def _plans(path: Path) -> dict[str, str]:
    """The plans' names by SKU."""
    found = {}
    for product in read_items(path, "products.item"):
        attributes = product.get("attributes", {})
        kind = KINDS.get(str(product.get("productFamily", "")).replace(" ", ""))
        years, payment = YEARS.get(attributes.get("purchaseTerm")), PAYMENTS.get(attributes.get("purchaseOption"))
        if kind and years and payment is not None:
            found[str(product["sku"])] = f"{kind}-{years}y{payment}"
    return found


def _usd(where: str, rate: Mapping[str, Any]) -> Decimal:
    told = rate.get("discountedRate", {})
    if told.get("currency") != "USD":
        raise InputError(f"{where}: currency {told.get('currency')!r}, must be USD")
    return _decimal(where, told.get("price"))


def _decimal(where: str, text: Any) -> Decimal:
    try:
        value = Decimal(text)
    except (ArithmeticError, TypeError, ValueError):
        raise InputError(f"{where}: {text!r} must be a price in dollars") from None
    if not value.is_finite() or value < 0:
        raise InputError(f"{where}: price {value} must be 0 or more")
    return value
