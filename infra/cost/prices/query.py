"""Offers from AWS's price list query API (`pricing:GetProducts`), each written as an offer file with what the book wants of it.

The API answers pages of products, each whole with its terms, under filters: hundreds of kilobytes of EC2 in place of its
gigabytes. Written in the bulk files' shape they go through the same readers, so that both sources give the same book.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from infra.aws_calls import AwsClients, asked, error_code
from infra.cost.prices.asks import Ask, asks_of_instances, asks_of_wishes, place
from infra.cost.prices.downloads import NoOffer
from infra.cost.prices.fees import fee_type
from infra.cost.prices.offers import Product, is_in
from infra.cost.prices.plan_list import OFFER as PLANS
from infra.cost.prices.plan_query import write_plans
from infra.cost.prices.wish import GLOBAL, Wish
from infra.cost.prices.wishes import WISHES, is_plain_instance
from infra.errors import InputError, KitError

API = "AWS's price list query API"
ENDPOINTS = {"ap": "ap-south-1", "eu": "eu-central-1"}
"""The API's three regions all tell the prices of all; the third is us-east-1 (AWS General Reference)."""
PAGE = 100
"""Products a page, the most that the API gives."""
GRANTED = "`crossover policy finance` grants what it takes"


class Clients(Protocol):
    """Of `AwsClients`, what is used here."""

    def client(self, service: str) -> Any: ...


class PatientClients(AwsClients):
    """The API lets few requests a second through: what it throttles is asked again for a minute or two."""

    attempts = 12


def clients_for(region: str) -> AwsClients:
    """Clients of the API's region that is nearest to a region."""
    return PatientClients(ENDPOINTS.get(region.partition("-")[0], "us-east-1"))


class Queries:
    """Offer files from the query API, each asked for once into a temporary folder; as `Downloads` are from the bulk list."""

    origin = "AWS Price List query API"

    def __init__(self, clients: Clients, types: Collection[str], say: Callable[[str], None] = lambda text: None) -> None:
        """`types`: the instance types that are wanted."""
        self._clients, self._types, self._say = clients, types, say
        self._folder = Path(tempfile.mkdtemp(prefix="crossover-prices-"))

    def __enter__(self) -> Queries:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def open(self, offer: str, region: str) -> Path:
        target = self._folder / f"{offer}-{region}.json"
        if target.exists():
            return target
        if offer == PLANS:
            self._say(f"asking for rates of Savings Plans in {region}")
            write_plans(self._clients.client("savingsplans"), region, self._types, target)
            return target
        found = _Found(offer, region, self._types)
        wishes = [wish for wish in WISHES if wish.offer == offer]
        asks = asks_of_wishes(wishes, region) + asks_of_instances(offer, self._types, region)
        self._say(f"asking {len(asks)} questions about {offer} in {region}")
        for ask in asks:
            self._add(found, ask)
        if region != GLOBAL:  # what all regions share names none, and cannot be asked for by its region
            for ask in asks_of_wishes([wish for wish in wishes if not found.has(wish)], region, anywhere=True):
                self._add(found, ask)
        if not found.items:
            self._probe(found, wishes[0])
        found.write(target)
        return target

    def _add(self, found: _Found, ask: Ask) -> None:
        for item in self._items(found.offer, ask, PAGE):
            found.add(item)

    def _probe(self, found: _Found, wish: Wish) -> None:
        """An offer of which nothing was found may be there all the same: whatever it has of the region tells its version."""
        for item in self._items(found.offer, Ask(equal=place(wish, found.region)), 1):
            found.see(item)
            return
        raise NoOffer(f"{API}: has no {found.offer} for {found.region!r}; is it a region?")

    def _items(self, offer: str, ask: Ask, size: int) -> Iterator[Mapping[str, Any]]:
        """Products page by page."""
        from botocore.exceptions import ClientError

        pages = self._clients.client("pricing").get_paginator("get_products")
        with asked(API):
            try:
                for page in pages.paginate(
                    ServiceCode=offer,
                    Filters=ask.filters(),
                    FormatVersion="aws_v1",
                    PaginationConfig={"PageSize": size},
                ):
                    yield from (_parsed(offer, text) for text in page["PriceList"])
            except ClientError as error:
                if error_code(error) == "AccessDeniedException":
                    raise KitError(f"{API}: {error}; {GRANTED}") from None
                if error_code(error) != "NotFoundException":
                    raise


class _Found:
    """What of an offer is wanted, by SKU."""

    def __init__(self, offer: str, region: str, types: Collection[str]) -> None:
        self.offer, self.region, self._types = offer, region, types
        self._wishes = [wish for wish in WISHES if wish.offer == offer]
        self.items: dict[str, Mapping[str, Any]] = {}
        self._satisfied: set[str] = set()
        self._versions: set[tuple[str, str]] = set()

    def add(self, item: Mapping[str, Any]) -> None:
        product = _product(self.offer, item)
        if not is_in(None if self.region == GLOBAL else self.region, product.attributes):
            return
        wanted = {wish.dimension for wish in self._wishes if wish.takes(product, self.region)}
        if wanted or self._is_of_a_type(product):
            self.see(item)
            self.items[product.sku] = item
            self._satisfied |= wanted

    def _is_of_a_type(self, product: Product) -> bool:
        if is_plain_instance(product):
            return product.attributes.get("instanceType") in self._types
        return fee_type(product) in self._types

    def see(self, item: Mapping[str, Any]) -> None:
        self._versions.add((str(item.get("publicationDate", "")), str(item.get("version", ""))))

    def has(self, wish: Wish) -> bool:
        return wish.dimension in self._satisfied

    def write(self, path: Path) -> None:
        """The oldest version and date of those that were answered: none of the prices is older."""
        published, version = min(self._versions)
        if not published or not version:
            raise InputError(f"{API}: {self.offer}: a product names no version and publicationDate")
        kinds = ("OnDemand", "Reserved")
        terms = {
            kind: {sku: item["terms"][kind] for sku, item in self.items.items() if kind in item.get("terms", {})}
            for kind in kinds
        }
        head = {"formatVersion": "v1.0", "offerCode": self.offer, "version": version, "publicationDate": published}
        products = {sku: item["product"] for sku, item in self.items.items()}
        path.write_text(json.dumps({**head, "products": products, "terms": terms}))


def _parsed(offer: str, text: str) -> Mapping[str, Any]:
    try:
        item = json.loads(text)
    except (ValueError, RecursionError):
        item = None
    if not isinstance(item, dict) or not isinstance(item.get("product"), dict):
        raise InputError(f"{API}: {offer}: answered what is no product: {text[:60]!r}")
    return item


def _product(offer: str, item: Mapping[str, Any]) -> Product:
    told = item["product"]
    attributes = told.get("attributes")
    if not isinstance(attributes, dict) or not isinstance(told.get("sku"), str):
        raise InputError(f"{API}: {offer}: a product needs a sku and attributes, {str(told.get('sku'))!r} has not both")
    return Product(sku=told["sku"], family=told.get("productFamily", ""), attributes=attributes)
