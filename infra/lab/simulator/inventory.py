"""A made-up world of hotels, the same for the same seed on any machine.

Every place has true hotels; each supplier carries a random part of them, under its own id, with its own spelling of the
name and its own idea of the position. The truth is kept, so that consolidation can be scored against it.
"""

from __future__ import annotations

import hashlib
import math
import random
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

SUPPLIERS: dict[str, str] = {
    f"{wire_format}-{number:02}": wire_format
    for wire_format, count in (("rapid", 12), ("amadeus", 9), ("hotelbeds", 12), ("liteapi", 12))
    for number in range(1, count + 1)
}
"""Supplier id -> wire format, as the shipped catalogue lists them."""

HOTELS_PER_PLACE = 34
CARRIED = 0.24
"""Share of a place's hotels that one supplier carries: about eight, so an answer has about a dozen offers."""

MAX_OFFSET_M = 300.0


class Place(NamedTuple):
    code: str
    name: str
    latitude: float
    longitude: float
    currency: str


PLACES = (
    Place("AMS", "Amsterdam", 52.3702, 4.8952, "EUR"),
    Place("BCN", "Barcelona", 41.3874, 2.1686, "EUR"),
    Place("BER", "Berlin", 52.5200, 13.4050, "EUR"),
    Place("LIS", "Lisbon", 38.7223, -9.1393, "EUR"),
    Place("LON", "London", 51.5072, -0.1276, "GBP"),
    Place("MAD", "Madrid", 40.4168, -3.7038, "EUR"),
    Place("NYC", "New York", 40.7580, -73.9855, "USD"),
    Place("PAR", "Paris", 48.8566, 2.3522, "EUR"),
    Place("ROM", "Rome", 41.9028, 12.4964, "EUR"),
    Place("SFO", "San Francisco", 37.7793, -122.4193, "USD"),
    Place("TYO", "Tokyo", 35.6812, 139.7671, "JPY"),
    Place("VIE", "Vienna", 48.2082, 16.3738, "EUR"),
)

_CHAINS = (
    "Northlight",
    "Meridian Crown",
    "Alder & Pine",
    "Casa Verde",
    "Blue Lantern",
    "Kestrel",
    "Saint Clair",
    "Union Square",
)
_DISTRICTS = ("Riverside", "Old Town", "Central Station", "Harbour", "Museum Quarter", "Opera", "Garden", "Cathedral", "Market")
_FIRST = ("Grand", "Royal", "Little", "Golden", "Silver", "White", "Château", "Belle", "Señorial", "König")
_SECOND = (
    "Palace",
    "Maison",
    "Étoile",
    "Lodge",
    "Terrace",
    "Plaza",
    "Arcade",
    "Residenz",
    "Corona",
    "Fontaine",
    "Park",
    "Bridge",
)
_ABBREVIATIONS = {"Saint": "St", "Central": "Central", "Station": "Stn", "Square": "Sq", "Harbour": "Harbour"}


class TrueHotel(NamedTuple):
    """A hotel as it really is; `night_cents` is one night for two in US cents, `rooms` what it sells."""

    id: str
    place: str
    name: str
    latitude: float
    longitude: float
    night_cents: int
    rooms: tuple[str, ...]


class ListedHotel(NamedTuple):
    """A true hotel as one supplier lists it; `rates` pairs a room's index with whether the rate is refundable."""

    hotel_id: str
    name: str
    latitude: float
    longitude: float
    price_permille: int
    rates: tuple[tuple[int, bool], ...]
    true: TrueHotel


class Inventory:
    """The world of one seed. `listed(supplier, place)` maps the supplier's hotel id -> hotel."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._true = {place.code: _true_hotels(seed, place) for place in PLACES}
        self._listed = {
            (supplier, place.code): self._list(supplier, wire_format, place)
            for supplier, wire_format in SUPPLIERS.items()
            for place in PLACES
        }
        self._by_id = {
            supplier: {id_: hotel for place in PLACES for id_, hotel in self._listed[supplier, place.code].items()}
            for supplier in SUPPLIERS
        }

    def listed(self, supplier: str, place: str) -> Mapping[str, ListedHotel]:
        return self._listed[supplier, place]

    def by_id(self, supplier: str) -> Mapping[str, ListedHotel]:
        return self._by_id[supplier]

    def truth(self) -> dict[tuple[str, str], str]:
        """(supplier, supplier's hotel id) -> id of the true hotel."""
        return {(supplier, id_): hotel.true.id for supplier, hotels in self._by_id.items() for id_, hotel in hotels.items()}

    def content(self) -> dict[str, object]:
        """The content index of `app/suppliers/content.py`."""
        return {
            "places": {place.code: place.name for place in PLACES},
            "hotels": {
                supplier: {
                    place.code: [
                        [h.hotel_id, h.name, h.latitude, h.longitude] for h in self._listed[supplier, place.code].values()
                    ]
                    for place in PLACES
                }
                for supplier in SUPPLIERS
            },
        }

    def _list(self, supplier: str, wire_format: str, place: Place) -> dict[str, ListedHotel]:
        listed = {}
        for hotel in self._true[place.code]:
            rng = random.Random(f"{self.seed}:{supplier}:{hotel.id}")
            if rng.random() >= CARRIED:
                continue
            latitude, longitude = _moved(hotel, rng)
            rooms = rng.sample(range(len(hotel.rooms)), k=min(len(hotel.rooms), rng.choice((1, 1, 2))))
            entry = ListedHotel(
                _supplier_id(wire_format, f"{self.seed}:{supplier}:{hotel.id}"),
                _spelled(hotel.name, place.name, rng),
                latitude,
                longitude,
                rng.randint(900, 1150),
                tuple((room, rng.random() < 0.6) for room in sorted(rooms)),
                hotel,
            )
            listed[entry.hotel_id] = entry
        return listed


@lru_cache(maxsize=2)
def inventory(seed: int) -> Inventory:
    return Inventory(seed)


def _true_hotels(seed: int, place: Place) -> tuple[TrueHotel, ...]:
    """A place's hotels; every fifth has a sister of the same chain a street away, as traps for consolidation."""
    rng = random.Random(f"{seed}:{place.code}")
    hotels: list[TrueHotel] = []
    names: set[str] = set()
    while len(hotels) < HOTELS_PER_PLACE:
        number = len(hotels)
        chain, district = rng.choice(_CHAINS), rng.choice(_DISTRICTS)
        name = f"{chain} {place.name} {district}" if rng.random() < 0.5 else f"Hotel {rng.choice(_FIRST)} {rng.choice(_SECOND)}"
        at = (place.latitude + rng.uniform(-0.03, 0.03), place.longitude + rng.uniform(-0.04, 0.04))
        sister = hotels[-1] if hotels and number % 5 == 4 else None
        if sister is not None and sister.name.startswith(_CHAINS):
            chain = next(chain for chain in _CHAINS if sister.name.startswith(chain))
            name, at = f"{chain} {place.name} {district}", (sister.latitude + 0.0012, sister.longitude + 0.0012)
        if name in names:
            continue
        names.add(name)
        rooms = tuple(
            rng.sample(("Standard Double Room", "Superior King Room", "Twin Room", "Junior Suite", "Family Room"), k=3)
        )
        hotels.append(
            TrueHotel(
                f"{place.code}{number:03}",
                place.code,
                name,
                round(at[0], 6),
                round(at[1], 6),
                rng.randint(6_000, 42_000),
                rooms,
            )
        )
    return tuple(hotels)


def _moved(hotel: TrueHotel, rng: random.Random) -> tuple[float, float]:
    """The position as a supplier has it: mostly within 80 m of the truth, never beyond 300 m."""
    distance = min(MAX_OFFSET_M, abs(rng.gauss(0, 45)) if rng.random() < 0.93 else rng.uniform(100, MAX_OFFSET_M))
    angle = rng.uniform(0, 2 * math.pi)
    latitude = hotel.latitude + distance * math.cos(angle) / 111_320
    longitude = hotel.longitude + distance * math.sin(angle) / (111_320 * math.cos(math.radians(hotel.latitude)))
    return round(latitude, 6), round(longitude, 6)


def _spelled(name: str, place: str, rng: random.Random) -> str:
    """The name as a supplier spells it: without accents, shouted, abbreviated, reordered, or with and without `Hotel`."""
    bare = name.removeprefix("Hotel ")
    if rng.random() < 0.3:
        bare = " ".join(_ABBREVIATIONS.get(word, word) for word in bare.split())
    if rng.random() < 0.25:
        bare = unicodedata.normalize("NFKD", bare).encode("ascii", "ignore").decode()
    if place in bare and rng.random() < 0.2:
        bare = f"{place} {bare.replace(f' {place}', '')}"
    style = rng.random()
    if style < 0.25:
        return f"{bare} Hotel"
    if style < 0.4:
        return f"The {bare}"
    if style < 0.5:
        return bare.upper()
    return name if style < 0.8 else bare


def _supplier_id(wire_format: str, key: str) -> str:
    """An id of the shape each vendor uses."""
    number = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=5).digest(), "big")
    if wire_format == "amadeus":
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        return "".join(letters[number // 26**place % 26] for place in range(8))
    if wire_format == "liteapi":
        return f"lp{number:x}"
    return str(number % 90_000_000 + 10_000_000)
