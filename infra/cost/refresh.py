"""A new price book from AWS's own list: offer files in, a book out, and what was found, changed and not found.

What the list does not have keeps the old book's figure with its own source and date, or is left out where there is none:
nothing is guessed, and nothing loses its date.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.cost.lines.line import EXACT
from infra.cost.plan_list import OFFER as PLANS
from infra.cost.plan_list import plan_rows, read_plan_rates, read_reserved_rates
from infra.cost.price_list import Head, Offer, Product, read_head, read_offers, read_products
from infra.cost.price_wishes import HOUR, INSTANCE_ATTRIBUTES, INSTANCE_USAGE, OFFERS, WISHES, Wish
from infra.errors import InputError, KitError

PRICE_LIST_URL = "https://pricing.us-east-1.amazonaws.com"
TIMEOUT_S = 60

Open = Callable[[str, str], Path]
"""From an offer's code and a region to its file on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """`document` is the book as its JSON file; `missing` are dimensions for which the list has no price, `kept` those of
    them that keep the old book's."""

    document: dict[str, Any]
    found: int
    missing: tuple[str, ...]
    kept: tuple[str, ...]


class Downloads:
    """Offer files from AWS, or from a mirror or folder laid out like it, each fetched once into a temporary folder."""

    def __init__(self, source: str = PRICE_LIST_URL, say: Callable[[str], None] = lambda text: None) -> None:
        self._source, self._say = source.rstrip("/"), say
        self._folder = Path(tempfile.mkdtemp(prefix="crossover-prices-"))

    def __enter__(self) -> Downloads:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def open(self, offer: str, region: str) -> Path:
        if offer != PLANS:
            return self._fetch(f"offers/v1.0/aws/{offer}/current/{region}/index.json", region, f"{offer}.json")
        index = self._fetch(f"savingsPlan/v1.0/aws/{offer}/current/region_index.json", region, f"{offer}-regions.json")
        return self._fetch(_plans_of(index, region), region, f"{offer}.json")

    def _fetch(self, path: str, region: str, name: str) -> Path:
        if not self._source.startswith(("http://", "https://")):
            return Path(self._source) / path
        target = self._folder / name
        url = f"{self._source}/{path}"
        if not target.exists():
            self._say(f"fetching {url}")
            try:
                with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer, target.open("wb") as file:  # noqa: S310
                    shutil.copyfileobj(answer, file, 1 << 20)
            except urllib.error.HTTPError as error:
                raise KitError(f"{url}: answered {error.code}; is {region!r} a region?") from None
            except (OSError, ValueError) as error:
                target.unlink(missing_ok=True)
                raise KitError(f"{url}: cannot be fetched ({getattr(error, 'reason', error)})") from None
        return target


def _plans_of(index: Path, region: str) -> str:
    """Where the region's Savings Plans stand in their newest version."""
    try:
        listed = {each["regionCode"]: each["versionUrl"] for each in json.loads(index.read_bytes())["regions"]}
    except OSError as error:
        raise InputError(f"{index}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"{index}: not an index of Savings Plans: it needs regions, each with regionCode and versionUrl"
        ) from None
    if region not in listed:
        raise InputError(f"{index}: has no region {region!r}")
    return str(listed[region]).lstrip("/")


def refresh(region: str, old: dict[str, Any], open_offer: Open, *, today: date) -> Refreshed:
    """The region's book anew. `old` is the document of the one there is, or of another region's, which lends the shapes of
    instance types and no price but free tiers, which are the account's. `InputError` for a file that is no offer file."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    instances: dict[str, dict[str, Any]] = {}
    heads, reserved = [], []
    for offer in OFFERS:
        path = open_offer(offer, region)
        head = read_head(path)
        if head.offer != offer:
            raise InputError(f"{path}: is the offer {head.offer}, not {offer}")
        heads.append(head)
        wishes = [wish for wish in WISHES if wish.offer == offer]
        usagetypes = {wish.usagetype for wish in wishes} | ({INSTANCE_USAGE} if offer == "AmazonEC2" else set())
        products = read_products(path, region, usagetypes)
        offers = read_offers(path, products)
        for wish in wishes:
            priced = _fulfil(path, wish, offers)
            if priced is not None:
                rows[wish.service, wish.dimension] = _row(wish, priced, head)
        if offer == "AmazonEC2":
            instances = _instances(path, offers, head, old["instances"]["types"], same_region=old["region"] == region)
            wanted = [
                product
                for product in products
                if _is_plain_instance(product) and product.attributes["instanceType"] in instances
            ]
            reserved = plan_rows(read_reserved_rates(path, wanted), _listed(rows, instances), head)
    path = open_offer(PLANS, region)
    heads.append(read_head(path, PLANS))
    plans = plan_rows(read_plan_rates(path), _listed(rows, instances), heads[-1])
    return _document(region, old, rows, instances, heads, today, [*plans, *reserved])


def _listed(
    rows: dict[tuple[str, str], dict[str, Any]], instances: dict[str, dict[str, Any]]
) -> dict[tuple[str, str], Decimal]:
    """List prices as the rates of plans name them; of tiers the first."""
    functions = {key: Decimal(row["usd"]) for key, row in rows.items() if key[0] == "AWSLambda"}
    return functions | {("AmazonEC2", name): Decimal(row["on_demand_usd_per_hour"]) for name, row in instances.items()}


def _is_plain_instance(product: Product) -> bool:
    wanted = all(product.attributes.get(key) == value for key, value in INSTANCE_ATTRIBUTES.items())
    return wanted and product.usagetype.startswith(INSTANCE_USAGE)


def _fulfil(path: Path, wish: Wish, offers: Iterable[Offer]) -> Offer | None:
    """The one offer that is meant; several at one price are one (AWS lists some per operation)."""
    fitting = [
        each
        for each in offers
        if each.product.usagetype == wish.usagetype
        and (wish.family is None or each.product.family == wish.family)
        and all(each.product.attributes.get(name) == value for name, value in wish.attributes.items())
    ]
    if len({each.tiers for each in fitting}) > 1:
        skus = ", ".join(sorted(each.product.sku for each in fitting))
        raise InputError(f"{path}: {wish.service} {wish.dimension}: SKUs {skus} have different prices for {wish.usagetype}")
    return fitting[0] if fitting else None


def _row(wish: Wish, offer: Offer, head: Head) -> dict[str, Any]:
    factor = wish.factor * (HOUR if wish.per_second else 1)
    tiers = [(tier.start, tier.end, _plain(tier.usd, factor)) for tier in offer.tiers]
    row: dict[str, Any] = {
        "service": wish.service,
        "dimension": wish.dimension,
        "unit": wish.unit,
        "usd": f"{tiers[0][2]:f}",
        "source": f"AWS Price List, offer {head.offer}, version {head.version}, SKU {offer.product.sku}",
        "as_of": head.published,
        "confidence": "high",
    }
    if len(tiers) > 1:
        row["tiers"] = [[f"{start:f}", None if end is None else f"{end:f}", f"{usd:f}"] for start, end, usd in tiers]
    if factor != 1:
        row["note"] = f"listed as {offer.tiers[0].usd.normalize():f} a {offer.unit}"
    return row


def _plain(usd: Decimal, factor: Decimal) -> Decimal:
    """To sixteen places: an hour's price in seconds has no end."""
    return EXACT.multiply(usd, factor).quantize(Decimal("1e-16")).normalize()


def _instances(
    path: Path, offers: Iterable[Offer], head: Head, old: dict[str, Any], *, same_region: bool
) -> dict[str, dict[str, Any]]:
    of_the_region = ("spot_", "on_demand_")
    found: dict[str, dict[str, Any]] = {}
    for offer in offers:
        attributes = offer.product.attributes
        name = attributes.get("instanceType", "")
        if name not in old or not _is_plain_instance(offer.product):
            continue
        if len(offer.tiers) != 1:
            raise InputError(f"{path}: {name}: an instance's price has no tiers, this one has {len(offer.tiers)}")
        found[name] = {
            **{key: value for key, value in old[name].items() if same_region or not key.startswith(of_the_region)},
            "on_demand_usd_per_hour": f"{offer.tiers[0].usd.normalize():f}",
            "on_demand_source": f"AWS Price List, offer {head.offer}, version {head.version}, SKU {offer.product.sku}",
            "on_demand_as_of": head.published,
        }
    return found


def _document(
    region: str,
    old: dict[str, Any],
    rows: dict[tuple[str, str], dict[str, Any]],
    instances: dict[str, dict[str, Any]],
    heads: list[Head],
    today: date,
    plans: list[dict[str, Any]],
) -> Refreshed:
    same_region = old["region"] == region
    kept = {(row["service"], row["dimension"]): row for row in old["prices"]} if same_region else {}
    wished = [(wish.service, wish.dimension) for wish in WISHES]
    missing = [key for key in wished if key not in rows]
    merged = {**kept, **rows}
    types = old["instances"]["types"] if same_region else {}
    document = {
        **old,
        "region": region,
        "as_of": today.isoformat(),
        "source": "AWS Price List, offers " + ", ".join(f"{head.offer} {head.version}" for head in heads),
        "savings_plans": plans + _plans_kept(old.get("savings_plans", []) if same_region else [], plans),
        "prices": [merged[key] for key in sorted(merged)],
        "instances": {**old["instances"], "types": dict(sorted({**types, **instances}.items()))},
    }
    return Refreshed(
        document=document,
        found=len(rows) + len(instances),
        missing=(
            *(" ".join(key) for key in missing),
            *_without_plan(document["instances"]["types"], document["savings_plans"]),
        ),
        kept=tuple(" ".join(key) for key in missing if key in kept),
    )


def _plans_kept(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Old rates of which the list has nothing: of a plan and service, or of a family under a plan."""
    found = {(row["plan"], row["service"]) for row in new}
    families = {(row["plan"], name.partition(".")[0]) for row in new for name in row.get("families", ())}
    kept = []
    for row in old:
        left = [name for name in row.get("families", ()) if (row["plan"], name.partition(".")[0]) not in families]
        if left:
            kept.append({**row, "families": left})
        elif not row.get("families") and (row["plan"], row["service"]) not in found:
            kept.append(row)
    return kept


def _without_plan(types: Iterable[str], plans: list[dict[str, Any]]) -> list[str]:
    """Instance families of which no Savings Plan has a rate, as things that the list does not have."""
    covered = {name.partition(".")[0] for row in plans if row["service"] == "AmazonEC2" for name in row.get("families", ())}
    return [f"AmazonEC2 savings plans of {family}" for family in sorted({name.partition(".")[0] for name in types} - covered)]
