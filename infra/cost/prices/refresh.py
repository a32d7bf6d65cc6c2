"""A new price book from AWS's own list: offer files in, a book out, and what was found, changed and not found.

What the list does not have keeps the old book's figure with its own source and date, or is left out where there is none:
nothing is guessed, nothing loses its date, and each is said with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from infra.cost.exact import EXACT
from infra.cost.prices.downloads import NoOffer
from infra.cost.prices.fees import fee_row
from infra.cost.prices.left import Left, left_instances, left_plans, left_prices
from infra.cost.prices.offers import Head, Offer, Product, read_head, read_offers, read_products
from infra.cost.prices.plan_list import OFFER as PLANS
from infra.cost.prices.plan_list import plan_rows, read_plan_rates, read_reserved_rates
from infra.cost.prices.wish import Wish
from infra.cost.prices.wishes import ALSO, ESSENTIAL, FEE, NOT_ASKED_FOR, OFFERS, WISHES, is_plain_instance
from infra.cost.prices.wishes_managed import PLACES
from infra.errors import InputError

Open = Callable[[str, str], Path]
"""From an offer's code and a region to its file on this machine; `NoOffer` where the list has none."""
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """`document` is the book as its JSON file; `left` is all that the list gave no price for, each with why."""

    document: dict[str, Any]
    found: int
    left: tuple[Left, ...]


def refresh(region: str, old: dict[str, Any], open_offer: Open, *, today: date, origin: str = "AWS Price List") -> Refreshed:
    """The region's book anew. `old` is the document of the one there is, or of another region's, which lends the shapes of
    instance types and no price but free tiers, which are the account's. `origin` is how the book names where its offers are
    from. `InputError` for a file that is no offer file."""
    rows: dict[Key, dict[str, Any]] = {}
    reasons = dict(NOT_ASKED_FOR)
    instances: dict[str, dict[str, Any]] = {}
    heads: list[Head] = []
    reserved: list[dict[str, Any]] = []
    fees: tuple[list[Offer], Head] | None = None
    for offer in OFFERS:
        wishes = [wish for wish in WISHES if wish.offer == offer]
        place = PLACES.get(offer, region)
        try:
            path = open_offer(offer, place)
        except NoOffer:
            if offer in ESSENTIAL:
                raise
            reasons |= {(wish.service, wish.dimension): f"the Price List has no offer {offer} for {place}" for wish in wishes}
            continue
        head = _head(path, offer)
        heads.append(head)
        products = _products(path, wishes, region if place == region else None)
        offers = read_offers(path, products)
        for wish in wishes:
            priced = _fulfil(wish, offers, region)
            if isinstance(priced, Offer):
                rows[wish.service, wish.dimension] = _row(wish, priced, head)
            else:
                reasons[wish.service, wish.dimension] = priced
        if offer == "AWSLambda":
            fees = offers, head
        if offer == "AmazonEC2":
            instances = _instances(path, offers, head, old["instances"]["types"], same_region=old["region"] == region)
            wanted = [each for each in products if is_plain_instance(each) and each.attributes["instanceType"] in instances]
            reserved = plan_rows(read_reserved_rates(path, wanted), _listed(rows, instances), head)
    if fees is not None:
        fee = fee_row(fees[0], instances, fees[1])
        rows |= {FEE: fee} if isinstance(fee, dict) else {}
        reasons |= {FEE: fee} if isinstance(fee, str) else {}
    path = open_offer(PLANS, region)
    heads.append(read_head(path, PLANS))
    plans = plan_rows(read_plan_rates(path), _listed(rows, instances), heads[-1])
    source = f"{origin}, offers " + ", ".join(f"{head.offer} {head.version}".strip() for head in heads)
    return _document(region, old, rows, instances, source, today, [*plans, *reserved], reasons)


def _head(path: Path, offer: str) -> Head:
    head = read_head(path)
    if head.offer != offer:
        raise InputError(f"{path}: is the offer {head.offer}, not {offer}")
    return head


def _listed(
    rows: dict[tuple[str, str], dict[str, Any]], instances: dict[str, dict[str, Any]]
) -> dict[tuple[str, str], Decimal]:
    """List prices as the rates of plans name them; of tiers the first."""
    functions = {key: Decimal(row["usd"]) for key, row in rows.items() if key[0] in ("AWSLambda", "AmazonECS")}
    return functions | {("AmazonEC2", name): Decimal(row["on_demand_usd_per_hour"]) for name, row in instances.items()}


def _products(path: Path, wishes: Iterable[Wish], region: str | None) -> list[Product]:
    """What is wished for of one offer, and what else of it makes prices."""
    usagetypes = {each for wish in wishes for each in (*wish.usagetypes, *ALSO.get(wish.offer, ()))}
    groups = {wish.attributes["group"] for wish in wishes if not wish.usagetypes}
    return read_products(path, region, usagetypes, groups)


def _fulfil(wish: Wish, offers: Iterable[Offer], region: str) -> Offer | str:
    """The one offer that is meant, or why there is none; several at one price are one (AWS lists some per operation)."""
    fitting = [each for each in offers if wish.takes(each.product, region)]
    for usagetype in wish.usagetypes or (wish.named,):
        found = [each for each in fitting if not wish.usagetypes or each.product.usagetype == usagetype]
        if len({each.tiers for each in found}) > 1:
            skus = ", ".join(sorted(each.product.sku for each in found))
            return f"SKUs {skus} of the Price List have different prices for {usagetype}"
        if found:
            return min(found, key=lambda each: each.product.sku)
    return f"not in the Price List under {wish.offer} {wish.named} as it is asked for"


def _row(wish: Wish, offer: Offer, head: Head) -> dict[str, Any]:
    listed = offer.tiers
    notes = []
    if listed[0].usd == 0 and len(listed) > 1:  # an account's free allowance, which the book has as a free tier or not at all
        notes.append(f"the first {listed[0].end:f} a month free of charge in the list, and priced here")
        listed = (replace(listed[1], start=listed[0].start), *listed[2:])
    if wish.factor != 1:
        notes.append(f"listed as {listed[0].usd.normalize():f} a {offer.unit}")
    tiers = [
        (_times(tier.start, 1 / wish.factor), None if tier.end is None else _times(tier.end, 1 / wish.factor),
         _times(tier.usd, wish.factor))
        for tier in listed
    ]  # fmt: skip
    row: dict[str, Any] = {
        "service": wish.service,
        "dimension": wish.dimension,
        "unit": wish.unit,
        "usd": f"{tiers[0][2]:f}",
        "source": f"{head.source}, SKU {offer.product.sku}",
        "as_of": head.published,
        "confidence": "high",
    }
    if len(tiers) > 1:
        row["tiers"] = [[f"{start:f}", None if end is None else f"{end:f}", f"{usd:f}"] for start, end, usd in tiers]
    if notes:
        row["note"] = "; ".join(notes)
    return row


def _times(number: Decimal, factor: Fraction) -> Decimal:
    """To sixteen places: an hour's price in seconds has no end."""
    exact = EXACT.divide(EXACT.multiply(number, Decimal(factor.numerator)), Decimal(factor.denominator))
    return exact.quantize(Decimal("1e-16")).normalize()


def _instances(
    path: Path, offers: Iterable[Offer], head: Head, old: dict[str, Any], *, same_region: bool
) -> dict[str, dict[str, Any]]:
    of_the_region = ("spot_", "on_demand_")
    found: dict[str, dict[str, Any]] = {}
    for offer in offers:
        attributes = offer.product.attributes
        name = attributes.get("instanceType", "")
        if name not in old or not is_plain_instance(offer.product):
            continue
        if len(offer.tiers) != 1:
            raise InputError(f"{path}: {name}: an instance's price has no tiers, this one has {len(offer.tiers)}")
        found[name] = {
            **{key: value for key, value in old[name].items() if same_region or not key.startswith(of_the_region)},
            "on_demand_usd_per_hour": f"{offer.tiers[0].usd.normalize():f}",
            "on_demand_source": f"{head.source}, SKU {offer.product.sku}",
            "on_demand_as_of": head.published,
        }
    return found


def _document(
    region: str,
    old: dict[str, Any],
    rows: dict[Key, dict[str, Any]],
    instances: dict[str, dict[str, Any]],
    source: str,
    today: date,
    plans: list[dict[str, Any]],
    reasons: dict[Key, str],
) -> Refreshed:
    same_region = old["region"] == region
    kept = {(row["service"], row["dimension"]): row for row in old["prices"]} if same_region else {}
    merged = {**kept, **rows}
    types = old["instances"]["types"] if same_region else {}
    kept_plans = _plans_kept(old.get("savings_plans", []) if same_region else [], plans)
    document = {
        **old,
        "region": region,
        "as_of": today.isoformat(),
        "source": source,
        "savings_plans": plans + kept_plans,
        "prices": [merged[key] for key in sorted(merged)],
        "instances": {**old["instances"], "types": dict(sorted({**types, **instances}.items()))},
    }
    wished = {(wish.service, wish.dimension) for wish in WISHES} | {(row["service"], row["dimension"]) for row in old["prices"]}
    return Refreshed(
        document=document,
        found=len(rows) + len(instances),
        left=(
            *left_prices((wished | set(reasons)) - set(rows), kept, reasons),
            *left_instances(set(old["instances"]["types"]) - set(instances), old["instances"], kept=same_region),
            *left_plans(document["instances"]["types"], document["savings_plans"], kept_plans),
        ),
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
