"""Offer files of the AWS Price List's real shape, made for tests: products, on-demand terms with tiers, free tiers, noise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.cost.prices.wish import GLOBAL, Wish
from infra.cost.prices.wishes import INSTANCE_ATTRIBUTES, WISHES
from infra.cost.prices.wishes_managed import PLACES

PREFIX = {"us-east-1": "", "eu-west-1": "EU-", "eu-central-1": "EUC1-", GLOBAL: ""}
NEWER = {"AWSAppRunner", "AWSEvents", "AWSSecretsManager", "AWSSystemsManager", "AmazonECS", "awswaf"}
"""Offers whose usage types have a prefix in us-east-1 too."""
DECOY = "9"
PUBLISHED = "2026-11-01T00:00:00Z"
Tiers = Sequence[tuple[str, str, str]]


def sku_of(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:16].upper()


def place_of(offer: str, region: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """How a product names its region: one of data that goes somewhere, from where; from outside of AWS, where to."""
    if offer != "AWSDataTransfer":
        return {"regionCode": region}
    return {"toRegionCode" if attributes.get("transferType") == "AWS Inbound" else "fromRegionCode": region}


class OfferFile:
    """One region's offer; `add` puts in a product and its price."""

    def __init__(self, offer: str, region: str, *, version: str = "20261101000000") -> None:
        self.offer, self.region, self.version = offer, region, version
        self.products: dict[str, Any] = {}
        self.terms: dict[str, Any] = {}
        self.reserved: dict[str, Any] = {}

    def add(
        self, usagetype: str, unit: str, tiers: Tiers, *, family: str = "", prefix: str | None = None, **attributes: str
    ) -> str:
        prefix = PREFIX[self.region] if prefix is None else prefix
        sku = sku_of(self.offer, usagetype, family, json.dumps(attributes, sort_keys=True))
        place = place_of(self.offer, self.region.replace(GLOBAL, ""), attributes)
        own = {"usagetype": prefix + usagetype, "servicecode": self.offer, **place, **attributes}
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

    def reserve(self, usagetype: str, hourly: str, *, upfront: str) -> None:
        """Reserved terms of all products of this usage type: the wanted one, and two of another class and length."""
        for sku, product in self.products.items():
            if product["attributes"]["usagetype"] != PREFIX[self.region] + usagetype:
                continue
            self.reserved[sku] = {
                f"{sku}.{number}": {
                    "termAttributes": {
                        "LeaseContractLength": length,
                        "OfferingClass": kind,
                        "PurchaseOption": "Partial Upfront",
                    },
                    "priceDimensions": {
                        "a": {"unit": "Hrs", "pricePerUnit": {"USD": hourly}},
                        "b": {"unit": "Quantity", "pricePerUnit": {"USD": upfront}},
                    },
                }
                for number, (length, kind) in enumerate((("1yr", "standard"), ("1yr", "convertible"), ("5yr", "standard")))
            }

    def write(self, folder: Path) -> Path:
        path = folder / "offers" / "v1.0" / "aws" / self.offer / "current" / self.region / "index.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        document: Mapping[str, Any] = {
            "formatVersion": "v1.0",
            "disclaimer": "made for a test",
            "offerCode": self.offer,
            "version": self.version,
            "publicationDate": PUBLISHED,
            "products": self.products,
            "terms": {"OnDemand": self.terms, "Reserved": self.reserved},
        }
        path.write_text(json.dumps(document))
        return path


class PlanFile:
    """One region's Savings Plans, with the index that names its newest version."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.products: list[dict[str, Any]] = []
        self.terms: list[dict[str, Any]] = []

    def add(self, family: str, years: int, payment: str, rates: Mapping[tuple[str, str, str], Decimal]) -> str:
        sku = sku_of(family, str(years), payment)
        attributes = {"purchaseOption": payment, "purchaseTerm": f"{years}yr", "granularity": "hourly"}
        self.products.append(
            {"sku": sku, "productFamily": family, "serviceCode": "ComputeSavingsPlans", "attributes": attributes}
        )
        self.terms.append(
            {
                "sku": sku,
                "description": f"{years} year {payment}",
                "effectiveDate": "2026-11-01T00:00:00Z",
                "leaseContractLength": {"duration": years, "unit": "year"},
                "rates": [
                    {
                        "discountedSku": sku_of(service, usage, operation),
                        "discountedUsageType": PREFIX[self.region] + usage,
                        "discountedOperation": operation,
                        "discountedServiceCode": service,
                        "rateCode": f"{sku}.{sku_of(service, usage, operation)}",
                        "unit": "Hrs",
                        "discountedRate": {"price": f"{usd:f}", "currency": "USD"},
                    }
                    for (service, usage, operation), usd in rates.items()
                ],
            }
        )
        return sku

    def write(self, folder: Path) -> Path:
        """The terms before the products, as nothing says that they come last."""
        root = folder / "savingsPlan" / "v1.0" / "aws" / "AWSComputeSavingsPlan"
        path = root / "20261101000000" / self.region / "index.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        index = root / "current" / "region_index.json"
        index.parent.mkdir(exist_ok=True)
        listed = [{"regionCode": self.region, "versionUrl": f"/{path.relative_to(folder)}"}]
        index.write_text(json.dumps({"formatVersion": "v1.0", "publicationDate": PUBLISHED, "regions": listed}))
        head = {"version": "20261101000000", "publicationDate": PUBLISHED, "regionCode": self.region}
        path.write_text(json.dumps({**head, "terms": {"savingsPlan": self.terms}, "products": self.products}))
        return path


def prefix_of(wish: Wish, region: str) -> str:
    """What the wish's usage type begins with in the list."""
    if wish.offer == "awskms":
        return f"{region}-"
    if wish.to is not None:
        return {"us-east-1": "USE1-USE2-", "eu-west-1": "EU-USE1-", "eu-central-1": "EUC1-USE1-"}[region]
    if wish.dimension == "dashboard" or wish.offer in PLACES:
        return ""
    return "USE1-" if region == "us-east-1" and wish.offer in NEWER else PREFIX[region]


def add_with_decoys(file: OfferFile, wish: Wish, region: str, usd: str, *, there: bool = True) -> None:
    """The wish's SKU, and beside it what a filter too wide would take for it: each at another price."""
    usagetype, prefix = usagetype_of(wish, region), prefix_of(wish, region)
    attributes = wish.attributes_in(region)
    if wish.dimension == "dashboard":
        attributes["regionCode"] = ""
    right: dict[str, Any] = {"family": wish.family or "Some", "prefix": prefix, "locationType": "AWS Region", **attributes}
    decoys: list[dict[str, Any]] = [{name: "another"} for name in wish.attributes] + [{"locationType": "AWS Outposts"}]
    decoys += [{"family": "Another"}] if wish.family else []
    decoys += [{"toRegionCode": "ap-south-1"}] if wish.to else []
    decoys += [{"prefix": "SAE1-", **place_of(wish.offer, "sa-east-1", attributes)}] if wish.offer not in PLACES else []
    if there:
        file.add(usagetype, "Unit", [("0", "Inf", usd)], **right)
    for decoy in decoys:
        file.add(usagetype, "Unit", [("0", "Inf", DECOY)], **{**right, **decoy})
    others = (f"IA-{usagetype}", f"TS-{usagetype}", f"Global-{usagetype}", f"{usagetype}-Other")
    for other in others if wish.usagetypes else ():  # by a group, whatever is in it is meant
        file.add(other, "Unit", [("0", "Inf", DECOY)], **right)
    free = file.add(usagetype, "Unit", [("0", "Inf", "0")], **right, groupDescription="free tier")
    file.terms[free].pop(f"{free}.JRTCKXETXF")


def usagetype_of(wish: Wish, region: str) -> str:
    """The first that is wished for in us-east-1, elsewhere the last; where only a group is known, one of its own."""
    usagetypes = wish.usagetypes or (f"Own-{wish.attributes['group']}",)
    return usagetypes[0 if region == "us-east-1" else -1]


def set_tiers(file: OfferFile, usagetype: str, tiers: Tiers) -> str:
    """Other tiers for the SKU that is the right one: of the usage type's the first that was put in."""
    sku = next(sku for sku, each in file.products.items() if each["attributes"]["usagetype"].endswith(usagetype))
    term = file.terms[sku][f"{sku}.JRTCKXETXF"]
    term["priceDimensions"] = {
        f"{sku}.JRTCKXETXF.{number}": {"unit": "Unit", "beginRange": begin, "endRange": end, "pricePerUnit": {"USD": usd}}
        for number, (begin, end, usd) in enumerate(reversed(tiers))  # AWS does not list tiers in order
    }
    return sku


def price_list(
    folder: Path, region: str = "us-east-1", *, usd: str | Callable[[Wish], str] = "0.5", without: str = ""
) -> dict[str, OfferFile]:
    """Every offer of the book at one price, or each at its own, with what else such a file holds."""
    files: dict[str, OfferFile] = {}
    for wish in WISHES:
        file = files.setdefault(wish.offer, OfferFile(wish.offer, PLACES.get(wish.offer, region)))
        price = usd if isinstance(usd, str) else usd(wish)
        add_with_decoys(file, wish, region, price, there=wish.dimension != without)
    set_tiers(files["AWSLambda"], "Lambda-GB-Second-ARM", [("0", "7500000000", "0.00002"), ("7500000000", "Inf", "0.00001")])
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
        fee = [("0", "Inf", str(Decimal(price) * Decimal("0.15")))]
        files["AWSLambda"].add(f"Lambda-Managed-Instances-{name}-Management-Hours", "Hrs", fee, family="Serverless")
    for name, price in (("c7g.large", "0.08"), ("m7g.large", "0.09")):
        files["AmazonEC2"].reserve(f"BoxUsage:{name}", str(Decimal(price) / 2), upfront="87.60")
    for file in files.values():
        file.write(folder)
    plan_list(folder, region)
    return files


def plan_list(folder: Path, region: str = "us-east-1") -> PlanFile:
    """Savings Plans off the prices of `price_list`: two kinds, three payments, and what such a file holds besides."""
    file = PlanFile(region)
    for years, off in ((1, "0.3"), (3, "0.5")):
        for payment, more in (("No Upfront", "0"), ("Partial Upfront", "0.02"), ("All Upfront", "0.04")):
            share = 1 - Decimal(off) - Decimal(more)
            file.add(
                "ComputeSavingsPlans",
                years,
                payment,
                {
                    ("AmazonEC2", "BoxUsage:c7g.large", "RunInstances"): Decimal("0.08") * share,
                    ("AmazonEC2", "BoxUsage:m7g.large", "RunInstances"): Decimal("0.09") * share,
                    ("AmazonEC2", "BoxUsage:c7g.large", "RunInstances:0002"): Decimal("9"),
                    ("AmazonEC2", "DedicatedUsage:c7g.large", "RunInstances"): Decimal("8"),
                    ("AWSLambda", "Lambda-GB-Second", ""): Decimal("0.5") * Decimal("0.88"),
                    ("AWSLambda", "Lambda-Provisioned-GB-Second-ARM", ""): Decimal("0.5") * Decimal("0.85"),
                    ("AmazonECS", "Fargate-vCPU-Hours:perCPU", ""): Decimal("0.01"),
                },
            )
    file.add("EC2InstanceSavingsPlans", 1, "No Upfront", {("AmazonEC2", "BoxUsage:c7g.large", "RunInstances"): Decimal("0.05")})
    file.add("MachineLearningSavingsPlans", 1, "No Upfront", {("AmazonSageMaker", "ml.c7g.large", "RunInstance"): Decimal("1")})
    file.write(folder)
    return file
