"""What the Python peers share: the query's checks, the request's address and signature, merging and sorting.

Plain dicts, standard library and floats, as such services are written; `aiohttp_msgspec` brings its own structs.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

CONFIG: dict[str, Any] = json.loads(Path(os.environ["BENCH_SUPPLIERS"]).read_text())
SUPPLIERS: list[dict[str, Any]] = CONFIG["suppliers"]
DEADLINE_S: float = CONFIG["deadline_ms"] / 1000
LIMIT = 50


def check(args: Any) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """The search asked for, or what is wrong with each field. `args` is any mapping with `get`."""
    errors: dict[str, str] = {}
    place, currency = args.get("place"), args.get("currency", "USD")
    if not place:
        errors["place"] = "is required"
    if len(currency) != 3 or not currency.isupper():
        errors["currency"] = "must be a code such as USD"
    days: list[date] = []
    for name in ("check_in", "check_out"):
        try:
            days.append(date.fromisoformat(args.get(name, "")))
        except ValueError:
            errors[name] = "must be a date as YYYY-MM-DD"
    if len(days) == 2 and not 1 <= (days[1] - days[0]).days <= 30:
        errors["check_out"] = "must be 1 to 30 nights after check_in"
    try:
        adults = int(args.get("adults", "2"))
        if not 1 <= adults <= 9:
            raise ValueError
    except ValueError:
        errors["adults"] = "must be 1 to 9"
    if errors:
        return None, errors
    search = {"place": place, "check_in": str(days[0]), "check_out": str(days[1]), "adults": adults, "currency": currency}
    return search, {}


def availability_url(supplier: dict[str, Any], search: dict[str, Any]) -> str:
    query = {
        "checkin": search["check_in"],
        "checkout": search["check_out"],
        "currency": search["currency"],
        "country_code": "US",
        "language": "en-US",
        "occupancy": str(search["adults"]),
        "rate_plan_count": "4",
        "sales_channel": "website",
        "sales_environment": "hotel_only",
        "property_id": supplier["property_ids"],
    }
    return f"{supplier['url']}/v3/properties/availability?{urlencode(query, doseq=True)}"


def headers() -> dict[str, str]:
    """Rapid's signature: SHA-512 of key, secret and the time."""
    stamp = int(time.time())
    signature = hashlib.sha512(f"{CONFIG['api_key']}{CONFIG['shared_secret']}{stamp}".encode()).hexdigest()
    authorization = f"EAN APIKey={CONFIG['api_key']},Signature={signature},timestamp={stamp}"
    return {"Authorization": authorization, "Accept": "application/json", "Customer-Ip": "127.0.0.1"}


def offers_of(supplier: str, answer: list[dict[str, Any]], occupancy: str) -> list[dict[str, Any]]:
    """Every rate of one supplier's answer, flat; raises `KeyError` or `TypeError` on an answer that is not Rapid's."""
    return [
        {
            "hotel": hotel["property_id"],
            "supplier": supplier,
            "offer_id": rate["id"],
            "room": room["room_name"],
            "price": float(price["value"]),
            "currency": price["currency"],
            "refundable": rate.get("refundable"),
        }
        for hotel in answer
        for room in hotel["rooms"]
        for rate in room["rates"]
        for price in (rate["occupancy_pricing"][occupancy]["totals"]["inclusive"]["request_currency"],)
    ]


def result(search: dict[str, Any], answers: list[tuple[str, str, list[dict[str, Any]]]], started: float) -> dict[str, Any]:
    """Merge (supplier, status, offers) by hotel and sort by price; the answer's body. `started` as `time.perf_counter`."""
    hotels: dict[str, list[dict[str, Any]]] = {}
    for _, _, offers in answers:
        for offer in offers:
            hotels.setdefault(offer.pop("hotel"), []).append(offer)
    for offers in hotels.values():
        offers.sort(key=lambda offer: offer["price"])
    ranked = sorted(hotels.items(), key=lambda item: item[1][0]["price"])
    return {
        "search": search,
        "hotels_found": len(ranked),
        "hotels": [{"id": hotel, "offers": offers} for hotel, offers in ranked[:LIMIT]],
        "outcomes": [{"supplier": supplier, "status": status, "offers": len(offers)} for supplier, status, offers in answers],
        "elapsed_ms": round((time.perf_counter() - started) * 1000, 1),
    }
