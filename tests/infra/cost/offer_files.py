"""Offer files of the AWS Price List's real shape, made for tests: products, on-demand terms with tiers, free tiers, noise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.cost.price_wishes import INSTANCE_ATTRIBUTES, WISHES

PREFIX = {"us-east-1": "", "eu-west-1": "EU-"}
Tiers = Sequence[tuple[str, str, str]]


def sku_of(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:16].upper()


class OfferFile:
    """One region's offer; `add` puts in a product and its price."""

    def __init__(self, offer: str, region: str, *, version: str = "20261101000000") -> None:
        self._offer, self._region, self._version = offer, region, version
        self.products: dict[str, Any] = {}
        self.terms: dict[str, Any] = {}

    def add(
        self, usagetype: str, unit: str, tiers: Tiers, *, family: str = "", prefix: str | None = None, **attributes: str
    ) -> str:
        prefix = PREFIX[self._region] if prefix is None else prefix
        sku = sku_of(self._offer, usagetype, family, json.dumps(attributes, sort_keys=True))
        own = {"usagetype": prefix + usagetype, "servicecode": self._offer, "regionCode": self._region, **attributes}
        self.products[sku] = {"sku": sku, "productFamily": family, "attributes": own}
        dimensions = {
            f"{sku}.JRTCKXETXF.{number}": {
                "unit": unit,
                "beginRange": begin,
                "endRange": end,
                "pricePerUnit": {"USD": usd},
                "description": "made for a test",
            }
            for number, (begin, end, usd) in enumerate(reversed(tiers))  # AWS does not list tiers in order
        }
        self.terms[sku] = {
            f"{sku}.A429C66SYZ": {"priceDimensions": {"x": {"unit": unit, "pricePerUnit": {"USD": "0"}}}},
            f"{sku}.JRTCKXETXF": {"offerTermCode": "JRTCKXETXF", "priceDimensions": dimensions},
        }
        return sku

    def write(self, folder: Path) -> Path:
        path = folder / "offers" / "v1.0" / "aws" / self._offer / "current" / self._region / "index.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        document: Mapping[str, Any] = {
            "formatVersion": "v1.0",
            "disclaimer": "made for a test",
            "offerCode": self._offer,
            "version": self._version,
            "publicationDate": "2026-11-01T00:00:00Z",
            "products": self.products,
            "terms": {"OnDemand": self.terms, "Reserved": {}},
        }
        path.write_text(json.dumps(document))
        return path


def price_list(folder: Path, region: str = "us-east-1", *, usd: str = "0.5", without: str = "") -> dict[str, OfferFile]:
    """Every offer of the book at one price, with what else such a file holds."""
    files: dict[str, OfferFile] = {}
    for wish in WISHES:
        file = files.setdefault(wish.offer, OfferFile(wish.offer, region))
        if wish.dimension != without:
            file.add(wish.usagetype, "Unit", [("0", "Inf", usd)], family=wish.family or "", **wish.attributes)
    files["AWSLambda"].add(
        "Lambda-GB-Second-ARM",
        "Lambda-GB-Second",
        [("0", "7500000000", "0.00002"), ("7500000000", "Inf", "0.00001")],
    )
    for name, price in (("c7g.large", "0.08"), ("m7g.large", "0.09"), ("z9.unheard", "9")):
        files["AmazonEC2"].add(
            f"BoxUsage:{name}",
            "Hrs",
            [("0", "Inf", price)],
            family="Compute Instance",
            instanceType=name,
            **INSTANCE_ATTRIBUTES,
        )
        windows = {**INSTANCE_ATTRIBUTES, "operatingSystem": "Windows"}
        files["AmazonEC2"].add(
            f"BoxUsage:{name}", "Hrs", [("0", "Inf", "7")], family="Compute Instance", instanceType=name, **windows
        )
    for file in files.values():
        file.write(folder)
    return files
