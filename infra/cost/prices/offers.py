"""Reads AWS's Price List offer files as streams: the products that are wanted, and the tiers of their on-demand terms.

An offer file has `products` (a SKU's attributes) before `terms` (its prices); the one of EC2 is gigabytes. It is read twice,
event by event, and only what is wanted is kept. Formats: AWS Billing User Guide, "Reading an offer".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import ijson

from infra.cost.prices.book import Tier
from infra.cost.prices.depth import open_shallow
from infra.errors import InputError

NOT_OF_THE_FREE_TIER = "A429C66SYZ"
"""The offer term under which free tiers stand; on-demand prices stand under another."""
REGION_PREFIX = re.compile(r"^(?:(?:[A-Z]{3}\d{1,2}|EU|CPT|[a-z]{2}(?:-[a-z]+)+-\d)-)+")
"""Usage types of most regions begin with the region's short name (`EU-`, `APS3-`), KMS's with the whole (`eu-west-1-`), those
between regions with two, those of us-east-1 mostly with none. `IA-` (infrequent access) and `TS-` (trust store) are no regions.
"""
BEGINNING = (":", "-")
HERE = ("AWS Region", "")
"""What the place of a region's own product is called; outposts, local zones and wavelength zones are called otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What an offer file says of itself."""

    offer: str
    version: str
    published: str

    @property
    def source(self) -> str:
        """How the book names it. What has no version is no offer file but an API's answer, by its own name."""
        return f"AWS Price List, offer {self.offer}, version {self.version}" if self.version else self.offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One SKU; `usagetype` without its region's prefix."""

    sku: str
    family: str
    attributes: Mapping[str, str]

    @property
    def usagetype(self) -> str:
        return usage_without_region(self.attributes.get("usagetype", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A wanted product's price: the unit as the file names it, and tiers from 0 to no end."""

    product: Product
    unit: str
    tiers: tuple[Tier, ...]


def usage_without_region(usagetype: str) -> str:
    return REGION_PREFIX.sub("", usagetype)


def read_head(path: Path, offer: str | None = None) -> Head:
    """What stands before the products; `offer` is for a file that does not name its own."""
    found: dict[str, str] = {} if offer is None else {"offerCode": offer}
    for prefix, _, value in _events(path):
        if prefix in ("offerCode", "version", "publicationDate"):
            found[prefix] = str(value)
        if prefix.startswith("products") or len(found) == 3:
            break
    if len(found) < 3:
        raise InputError(f"{path}: not an offer file: it has no offerCode, version and publicationDate at its beginning")
    return Head(offer=found["offerCode"], version=found["version"], published=found["publicationDate"][:10])


def read_products(path: Path, region: str | None, usagetypes: Iterable[str], groups: Collection[str] = ()) -> list[Product]:
    """The region's products (None: all) whose usage type is one of `usagetypes`, or begins with one that ends in `:` or
    `-`, or that are of one of `groups`."""
    exact = {name for name in usagetypes if not name.endswith(BEGINNING)}
    beginnings = tuple(name for name in usagetypes if name.endswith(BEGINNING))
    kept = []
    for sku, body in read_pairs(path, "products"):
        attributes = _object(path, sku, _object(path, sku, body).get("attributes", {}))
        product = Product(sku=sku, family=body.get("productFamily", ""), attributes=attributes)
        if not is_in(region, attributes):
            continue
        named = product.usagetype in exact or (beginnings and product.usagetype.startswith(beginnings))
        if named or attributes.get("group") in groups:
            kept.append(product)
    return kept


def is_in(region: str | None, attributes: Mapping[str, str]) -> bool:
    """Whether a product is of the region itself (None: of any), not of an outpost or a local zone. What all regions share, as
    CloudWatch's dashboards, names none."""
    named = (attributes.get(name) for name in ("regionCode", "fromRegionCode", "toRegionCode"))
    return (region is None or next(filter(None, named), region) == region) and attributes.get("locationType", "") in HERE


def read_offers(path: Path, products: Iterable[Product]) -> list[Offer]:
    """The on-demand prices of these products; a product without one is left out."""
    wanted = {product.sku: product for product in products}
    return [
        _offer(path, wanted[sku], terms)
        for sku, terms in read_pairs(path, "terms.OnDemand")
        if sku in wanted and any(NOT_OF_THE_FREE_TIER not in key for key in _object(path, sku, terms))
    ]


def _object(path: Path, sku: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{path}: SKU {sku}: must be an object with names and values, as AWS writes it")
    return value


def _offer(path: Path, product: Product, terms: Mapping[str, Any]) -> Offer:
    (term, *_) = [body for key, body in terms.items() if NOT_OF_THE_FREE_TIER not in key]
    dimensions = list(term.get("priceDimensions", {}).values())
    where = f"{path}: SKU {product.sku}"
    if not dimensions:
        raise InputError(f"{where}: has no price dimension")
    units = {str(each.get("unit")) for each in dimensions}
    if len(units) != 1:
        raise InputError(f"{where}: its tiers have different units: {', '.join(sorted(units))}")
    tiers = sorted((_tier(where, each) for each in dimensions), key=lambda tier: tier.start)
    if tiers[0].start != 0 or tiers[-1].end is not None or [t.end for t in tiers[:-1]] != [t.start for t in tiers[1:]]:
        raise InputError(f"{where}: its tiers do not run from 0 without a gap to Inf")
    return Offer(product=product, unit=units.pop(), tiers=tuple(tiers))


def _tier(where: str, dimension: Mapping[str, Any]) -> Tier:
    try:
        usd = Decimal(dimension["pricePerUnit"]["USD"])
        start = Decimal(dimension.get("beginRange", "0"))
        end = dimension.get("endRange", "Inf")
        tier = Tier(start, None if end == "Inf" else Decimal(end), usd)
    except (KeyError, ArithmeticError, TypeError):
        raise InputError(f"{where}: a tier needs beginRange, endRange and pricePerUnit.USD, each a number") from None
    if not usd.is_finite() or usd < 0:
        raise InputError(f"{where}: price {usd} must be 0 or more")
    return tier


def read_items(path: Path, prefix: str) -> Iterable[Any]:
    """The members of a list in a price list file, one after another."""
    with open_shallow(path) as file:
        yield from ijson.items(file, prefix)


def read_pairs(path: Path, prefix: str) -> Iterable[tuple[str, Any]]:
    """The members of an object in a price list file, one after another."""
    with open_shallow(path) as file:
        yield from ijson.kvitems(file, prefix)


def _events(path: Path) -> Iterable[tuple[str, str, Any]]:
    with open_shallow(path) as file:
        yield from ijson.parse(file)
