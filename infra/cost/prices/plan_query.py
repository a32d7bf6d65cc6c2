"""Rates of Savings Plans from their own API, written as a file of the bulk list's shape, which is read as that one is.

Of instances plain Linux on shared hardware family by family, of Lambda and of Fargate, in one region. The API tells no version:
its rates are of the day on which they were asked. Formats: AWS Savings Plans API reference, DescribeSavingsPlansOfferingRates.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.aws_calls import asked
from infra.errors import InputError, KitError

API = "AWS Savings Plans API, offering rates"
YEARS = {31_536_000: 1, 94_608_000: 3}
PAGE = 1000
INSTANCES = {"productDescription": "Linux/UNIX", "tenancy": "shared"}


def write_plans(savingsplans: Any, region: str, types: Iterable[str], path: Path, *, today: str | None = None) -> None:
    """All rates of these types, of Lambda and of Fargate; `KitError` where there are none or AWS does not tell."""
    products: dict[str, dict[str, Any]] = {}
    rates: list[dict[str, Any]] = []
    families = sorted({name.partition(".")[0] for name in types})
    questions = [({"region": region, "instanceFamily": family, **INSTANCES}, "EC2") for family in families]
    for filters, product in [*questions, *(({"region": region}, product) for product in ("Lambda", "Fargate"))]:
        for told in _answers(savingsplans, filters, product):
            offering = _offering(told)
            if offering is None or not _is_of(region, told):
                continue
            products.setdefault(offering["sku"], offering)
            rates.append(_rate(offering["sku"], len(rates), told))
    if not rates:
        raise KitError(f"{API}: has no rates in {region!r}; is it a region?")
    head = {"offerCode": API, "version": "", "publicationDate": today or datetime.now(UTC).date().isoformat()}
    path.write_text(json.dumps({**head, "products": list(products.values()), "terms": {"savingsPlan": [{"rates": rates}]}}))


def _answers(savingsplans: Any, filters: Mapping[str, str], product: str) -> Iterator[Mapping[str, Any]]:
    """Page by page; boto3 has no paginator for this."""
    asking: dict[str, Any] = {
        "savingsPlanTypes": ["Compute", "EC2Instance"] if product == "EC2" else ["Compute"],
        "products": [product],
        "filters": [{"name": name, "values": [value]} for name, value in filters.items()],
        "maxResults": PAGE,
    }
    while True:
        with asked(API):
            page = savingsplans.describe_savings_plans_offering_rates(**asking)
        yield from page.get("searchResults", ())
        if not page.get("nextToken"):
            return
        asking["nextToken"] = page["nextToken"]


def _is_of(region: str, told: Mapping[str, Any]) -> bool:
    return all(each.get("value") == region for each in told.get("properties", ()) if each.get("name") == "region")


def _offering(told: Mapping[str, Any]) -> dict[str, Any] | None:
    """A plan as the bulk list has it; None of another length than one or three years."""
    offering = told.get("savingsPlanOffering", {})
    years = YEARS.get(offering.get("durationSeconds"))
    if years is None:
        return None
    if not offering.get("offeringId") or not offering.get("planType"):
        raise InputError(f"{API}: an offering needs offeringId and planType, one of {years} years has not both")
    return {
        "sku": offering["offeringId"],
        "productFamily": f"{offering['planType']}SavingsPlans",
        "attributes": {"purchaseTerm": f"{years}yr", "purchaseOption": offering.get("paymentOption")},
    }


def _rate(sku: str, number: int, told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rateCode": f"{sku}.{number}",
        "discountedServiceCode": told.get("serviceCode"),
        "discountedUsageType": told.get("usageType"),
        "discountedOperation": told.get("operation"),
        "discountedRate": {"price": told.get("rate"), "currency": told["savingsPlanOffering"].get("currency")},
    }
