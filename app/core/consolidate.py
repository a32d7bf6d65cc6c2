"""The same hotel from many suppliers becomes one entry. Pure, deterministic, and linear by blocking on a grid.

A wrong merge shows a guest another hotel's price, a missed one only a duplicate: so two hotels merge only when they are
near *and* their names agree on every word that tells hotels apart. Two ids of one supplier never merge.

    normalise names -> block by grid cell -> score pairs in the same or a neighbouring cell -> merge best pairs first
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from app.core.models import SupplierHotel, SupplierOffer

NEAR_M = 450.0
"""Two suppliers' coordinates of one hotel lie up to about this far apart (each may be off by 300 m in any direction)."""

MATCH_SCORE = 0.72
"""Least score (0 to 1) for a merge; set on labelled pairs, where a wrong merge weighs more than a missed one."""

_CELL_DEGREES = NEAR_M / 111_320
_GENERIC = frozenset(
    {
        "a", "and", "apartments", "at", "by", "de", "del", "der", "des", "di", "du", "el", "hostel", "hotel", "hoteles",
        "hotels", "inn", "la", "le", "les", "of", "resort", "suites", "the", "und", "y",
    }
)  # fmt: skip
_SPELLINGS = {
    "apts": "apartments", "bw": "western", "ctr": "center", "centre": "center", "centrum": "center", "dwtn": "downtown",
    "gd": "grand", "htl": "hotel", "intl": "international", "mt": "mount", "rés": "residence", "res": "residence",
    "st": "saint", "ste": "saint", "sq": "square", "stn": "station",
}  # fmt: skip


class ConsolidatedHotel(NamedTuple):
    """One hotel: `id` is stable for the same members, `offers` pairs each offer with its supplier."""

    id: str
    name: str
    latitude: float | None
    longitude: float | None
    supplier_ids: dict[str, str]
    offers: list[tuple[str, SupplierOffer]]


class Name(NamedTuple):
    """A normalised name: the words that tell hotels apart, and the numbers among them."""

    words: frozenset[str]
    numbers: frozenset[str]


@lru_cache(maxsize=50_000)
def normalise(name: str) -> Name:
    """`"Hôtel Le St-Régis 2"` -> words {saint, regis, 2}: no accents, case, punctuation or generic words."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("'", "").replace("’", "")
    words = [_SPELLINGS.get(word, word) for word in re.findall(r"[^\W_]+", plain.replace("&", " and "))]
    telling = frozenset(word for word in words if word not in _GENERIC) or frozenset(words)
    return Name(telling, frozenset(word for word in telling if word.isdigit()))


@lru_cache(maxsize=200_000)
def name_similarity(one: str, two: str) -> float:
    """How alike two names are, 0 to 1: words shared over words in all; 0 when the numbers in them differ.

    One name may carry a chain or a district more than the other: containment counts too, when two words agree.
    """
    a, b = normalise(one), normalise(two)
    if a.numbers != b.numbers:
        return 0.0
    shared = len(a.words & b.words)
    if not shared:
        return 0.0
    union = len(a.words | b.words)
    containment = shared / min(len(a.words), len(b.words)) if shared >= 2 or union == 1 else 0.0
    return max(shared / union, 0.9 * containment)


def score(a: SupplierHotel, b: SupplierHotel) -> float:
    """How sure we are, 0 to 1, that these are one hotel. 0 when they lie too far apart; without a position the names must
    be the very same, and of more than one word."""
    similarity = name_similarity(a.name, b.name)
    if similarity < MATCH_SCORE:
        return 0.0
    distance = distance_m(a, b)
    if distance is None:
        return 1.0 if similarity == 1.0 and len(normalise(a.name).words) > 1 else 0.0
    if distance > NEAR_M:
        return 0.0
    return similarity * (1 - 0.25 * (distance / NEAR_M) ** 2)


def distance_m(a: SupplierHotel, b: SupplierHotel) -> float | None:
    """Metres between two hotels (equirectangular, exact enough below a kilometre); `None` when a position is unknown."""
    if a.latitude is None or a.longitude is None or b.latitude is None or b.longitude is None:
        return None
    dy = (a.latitude - b.latitude) * 111_320
    dx = (a.longitude - b.longitude) * 111_320 * math.cos(math.radians(a.latitude))
    return math.hypot(dx, dy)


def consolidate(hotels: Iterable[SupplierHotel]) -> list[ConsolidatedHotel]:
    """Merge suppliers' hotels; the result does not depend on the order of the input."""
    members = sorted(_one_per_supplier_id(hotels), key=lambda hotel: (hotel.supplier, hotel.hotel_id))
    group_of = list(range(len(members)))
    suppliers_of = [{hotel.supplier} for hotel in members]
    in_group = [[index] for index in range(len(members))]
    pairs = sorted((-value, i, j) for i, j in _candidates(members) if (value := score(members[i], members[j])) >= MATCH_SCORE)
    for _, i, j in pairs:
        into, other = sorted((group_of[i], group_of[j]))
        if into == other or suppliers_of[into] & suppliers_of[other]:
            continue
        suppliers_of[into] |= suppliers_of[other]
        in_group[into] += in_group[other]
        for index in in_group[other]:
            group_of[index] = into
        in_group[other] = []
    return [_entry([members[index] for index in sorted(group)]) for group in in_group if group]


def _one_per_supplier_id(hotels: Iterable[SupplierHotel]) -> Iterator[SupplierHotel]:
    """A supplier that lists one id twice (a page boundary, two rooms' batches) means one hotel: offers are joined."""
    seen: dict[tuple[str, str], SupplierHotel] = {}
    for hotel in hotels:
        key = (hotel.supplier, hotel.hotel_id)
        if key not in seen:
            seen[key] = hotel
            continue
        first = seen[key]
        known = {offer.offer_id for offer in first.offers}
        more = tuple(offer for offer in hotel.offers if offer.offer_id not in known)
        seen[key] = SupplierHotel(
            first.supplier, first.hotel_id, first.name, first.latitude, first.longitude, first.offers + more
        )
    yield from seen.values()


def _candidates(members: Sequence[SupplierHotel]) -> Iterator[tuple[int, int]]:
    """Pairs (i < j) worth scoring: of different suppliers, in the same or a neighbouring cell, or without a position."""
    cells: dict[tuple[int, int], list[int]] = {}
    nowhere: list[int] = []
    for index, hotel in enumerate(members):
        for other in nowhere:
            yield other, index
        if hotel.latitude is None or hotel.longitude is None:
            yield from ((other, index) for other in range(index) if other not in nowhere)
            nowhere.append(index)
            continue
        width = _CELL_DEGREES / max(0.05, math.cos(math.radians(hotel.latitude)))
        row, column = math.floor(hotel.latitude / _CELL_DEGREES), math.floor(hotel.longitude / width)
        for y in (row - 1, row, row + 1):
            for x in (column - 1, column, column + 1):
                for other in cells.get((y, x), ()):
                    if members[other].supplier != hotel.supplier:
                        yield other, index
        cells.setdefault((row, column), []).append(index)


def _entry(group: Sequence[SupplierHotel]) -> ConsolidatedHotel:
    """One entry of the members, first by (supplier, id): it gives the id; the longest name and its position are shown."""
    first = group[0]
    shown = max(group, key=lambda hotel: (hotel.latitude is not None, len(hotel.name), hotel.name))
    digest = hashlib.blake2b(f"{first.supplier}\0{first.hotel_id}".encode(), digest_size=6).hexdigest()
    return ConsolidatedHotel(
        digest,
        shown.name,
        shown.latitude,
        shown.longitude,
        {hotel.supplier: hotel.hotel_id for hotel in group},
        [(hotel.supplier, offer) for hotel in group for offer in hotel.offers],
    )
