"""What is asked and what suppliers answer: 40 suppliers speaking Expedia Rapid availability, and the searches.

Each supplier offers 12 rates in 4 of the place's 24 hotels, in about 3.8 KB of JSON, so one search merges 480 offers. The
same files feed the service (a catalogue and its content) and the peers (`suppliers.json`).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from urllib.parse import urlencode

SUPPLIERS = 40
HOTELS = 24
HOTELS_A_SUPPLIER = 4
RATES_A_HOTEL = 3
OFFERS_A_SEARCH = SUPPLIERS * HOTELS_A_SUPPLIER * RATES_A_HOTEL
ANSWER_BYTES = 3_800
"""Size aimed at; a test holds the real one within 5%."""

DEADLINE_MS = 1_500
PLACE = "LON"
CURRENCY = "USD"
API_KEY = "benchmark"
SHARED_SECRET = "not-a-secret"

_ROOMS = ("Standard Double Room", "Superior Twin Room", "Deluxe King Room", "Junior Suite")
_BEDS = ("1 Double Bed", "2 Twin Beds", "1 King Bed", "1 Queen Bed")


@dataclass(frozen=True, slots=True)
class Property:
    """One hotel as every supplier knows it: same id everywhere, so that merging by id is right."""

    id: str
    name: str
    latitude: float
    longitude: float


def properties() -> list[Property]:
    """The place's hotels, about 700 m apart, with names that share no telling word."""
    words = (
        "Albany", "Brunel", "Cavendish", "Dorset", "Everard", "Fitzroy", "Grosvenor", "Hanover", "Ivory", "Jubilee",
        "Kensal", "Langham", "Montague", "Norfolk", "Osborne", "Portland", "Quadrant", "Regent", "Selwyn", "Tavistock",
        "Ulster", "Verulam", "Waverley", "Yeoman",
    )  # fmt: skip
    return [
        Property(
            str(10_000 + 37 * n), f"{word} Court Hotel", round(51.48 + 0.007 * (n // 5), 5), round(-0.2 + 0.01 * (n % 5), 5)
        )
        for n, word in enumerate(words[:HOTELS])
    ]


def supplier_ids() -> list[str]:
    return [f"bench{n:02d}" for n in range(SUPPLIERS)]


def properties_of(supplier: int) -> list[Property]:
    """The hotels that the supplier with this number sells; the same in every run."""
    return random.Random(f"hotels {supplier}").sample(properties(), HOTELS_A_SUPPLIER)


def answer(supplier: int) -> bytes:
    """One supplier's JSON answer to any availability request for two adults."""
    rng = random.Random(f"answer {supplier}")
    hotels = [_available(prop, rng) for prop in properties_of(supplier)]
    return json.dumps(hotels, separators=(",", ":")).encode()


def _available(prop: Property, rng: random.Random) -> dict[str, object]:
    rooms = []
    for n in rng.sample(range(len(_ROOMS)), RATES_A_HOTEL):
        rooms.append({"id": str(rng.randint(200_000, 999_999)), "room_name": _ROOMS[n], "rates": [_rate(n, rng)]})
    return {"property_id": prop.id, "status": "available", "rooms": rooms}


def _rate(room: int, rng: random.Random) -> dict[str, object]:
    total = rng.randint(9_000, 60_000)
    money = {"value": f"{total // 100}.{total % 100:02d}", "currency": CURRENCY}
    return {
        "id": str(rng.randint(2_000_000, 9_999_999)),
        "status": "available",
        "available_rooms": rng.randint(1, 9),
        "refundable": rng.random() < 0.6,
        "bed_groups": {"37": {"id": "37", "description": _BEDS[room]}},
        "occupancy_pricing": {"2": {"totals": {"inclusive": {"request_currency": money}}}},
    }


def suppliers_json(urls: list[str]) -> str:
    """What the peers read at start: every supplier's base URL, the property ids to ask it for, and the credentials."""
    return json.dumps(
        {
            "api_key": API_KEY,
            "shared_secret": SHARED_SECRET,
            "deadline_ms": DEADLINE_MS,
            "suppliers": [
                {"id": name, "url": url, "property_ids": [prop.id for prop in properties_of(n)]}
                for n, (name, url) in enumerate(zip(supplier_ids(), urls, strict=True))
            ],
        },
        indent=1,
    )


def write_catalogue(folder: Path, urls: list[str]) -> Path:
    """Write the service's catalogue and content index into `folder`; returns the catalogue's path.

    Positions differ by up to 100 m from supplier to supplier, as suppliers' do.
    """
    hotels = {}
    tables = ['content = "content.json"\n']
    for number, (name, url) in enumerate(zip(supplier_ids(), urls, strict=True)):
        rng = random.Random(f"position {number}")
        hotels[name] = {
            PLACE: [
                (p.id, p.name, p.latitude + rng.uniform(-0.0006, 0.0006), p.longitude + rng.uniform(-0.0006, 0.0006))
                for p in properties_of(number)
            ]
        }
        tables.append(
            f'[suppliers.{name}]\nformat = "rapid"\nurl = "{url}"\ntimeout_ms = {DEADLINE_MS}\n'
            f'key = "{API_KEY}"\nsecret = "{SHARED_SECRET}"\n'
        )
    (folder / "content.json").write_text(json.dumps({"places": {PLACE: "Benchmark"}, "hotels": hotels}))
    (folder / "catalogue.toml").write_text("\n".join(tables))
    return folder / "catalogue.toml"


def search_paths() -> Iterator[str]:
    """Endless `/search?…` paths, two adults, 2,800 different stays: identical searches in flight would be answered as one,
    and no two in flight are the same."""
    today = datetime.now(UTC).date()
    return cycle([_path(today + timedelta(days=7 + n), nights) for nights in range(1, 8) for n in range(400)])


def _path(check_in: date, nights: int) -> str:
    check_out = check_in + timedelta(days=nights)
    fields = {"place": PLACE, "check_in": check_in, "check_out": check_out, "adults": 2, "currency": CURRENCY}
    return f"/search?{urlencode(fields)}"
