"""The same hotel from many suppliers becomes one entry. Pure, deterministic, and near linear by blocking on a grid.

A wrong merge shows a guest another hotel's price, a missed one only a duplicate: so hotels merge only when they are near
*and* their names agree on every word that tells hotels apart. Two ids of one supplier never merge.

    normalise names -> group the same name in the same cell -> merge near groups with alike names, the most alike first
    -> give hotels without a position to the only group of exactly their name

A merge must hold between *all* names of both groups, and the merged group must stay small: hotels that only resemble a
third one are not chained together. Groups on either side of the 180th meridian are not compared.
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
"""Two suppliers' positions of one hotel lie up to about this far apart (each may be off by 300 m in any direction)."""

SPREAD_M = 650.0
"""Longest diagonal of the box around one hotel's positions: twice 300 m, and some."""

MATCH_SCORE = 0.72
"""Least score (0 to 1) for a merge; set on labelled pairs, where a wrong merge weighs more than a missed one."""

_METRES_PER_DEGREE = 111_320
_CELL_DEGREES = NEAR_M / _METRES_PER_DEGREE
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
_SISTERS = frozenset(
    {
        "airport", "annex", "annexe", "budget", "courtyard", "dependance", "east", "est", "express", "i", "ii", "iii", "iv",
        "junior", "nord", "north", "ost", "ouest", "plus", "premium", "residence", "residences", "select", "south", "styles",
        "sud", "tower", "v", "west",
    }
)  # fmt: skip
"""Words that name a sister of a hotel (a chain's other brand, the second house, the other side of town)."""


class ConsolidatedHotel(NamedTuple):
    """One hotel: `id` is stable for the same members, `offers` pairs each offer with its supplier."""

    id: str
    name: str
    latitude: float | None
    longitude: float | None
    supplier_ids: dict[str, str]
    offers: list[tuple[str, SupplierOffer]]


class Name(NamedTuple):
    """A normalised name: the words that tell hotels apart, and those among them that veto (numbers, sisters' words)."""

    words: frozenset[str]
    vetoes: frozenset[str]


@lru_cache(maxsize=50_000)
def normalise(name: str) -> Name:
    """`"Hôtel Le St-Régis 2"` -> words {saint, regis, 2}: no accents, case, punctuation or generic words."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("'", "").replace("’", "")
    words = [_SPELLINGS.get(word, word) for word in re.findall(r"[^\W_]+", plain.replace("&", " and "))]
    telling = frozenset(word for word in words if word not in _GENERIC) or frozenset(words)
    return Name(telling, frozenset(word for word in telling if word in _SISTERS or any(map(str.isdigit, word))))


@lru_cache(maxsize=20_000)
def name_similarity(a: Name, b: Name) -> float:
    """How alike two names are, 0 to 1: words shared over words in all; 0 when a word that vetoes is in one only.

    One name may carry a chain or a district more than the other: containment counts too, when two words agree.
    """
    if a.vetoes != b.vetoes:
        return 0.0
    shared = len(a.words & b.words)
    if not shared:
        return 0.0
    union = len(a.words | b.words)
    containment = shared / min(len(a.words), len(b.words)) if shared >= 2 or union == 1 else 0.0
    return max(shared / union, 0.9 * containment)


def distance_m(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Metres between two positions in degrees (equirectangular, exact enough below a kilometre)."""
    dy = (latitude - other_latitude) * _METRES_PER_DEGREE
    dx = (longitude - other_longitude) * _METRES_PER_DEGREE * math.cos(math.radians((latitude + other_latitude) / 2))
    return math.hypot(dx, dy)


def consolidate(hotels: Iterable[SupplierHotel]) -> list[ConsolidatedHotel]:
    """Merge suppliers' hotels; the result does not depend on the order of the input."""
    members = sorted(_one_per_supplier_id(hotels), key=lambda hotel: (hotel.supplier, hotel.hotel_id))
    located, nowhere = _same_name_same_cell(members)
    groups = _merge_near(located)
    _give_a_place(nowhere, groups)
    groups.sort(key=lambda group: min(group.members))
    return [_entry([members[index] for index in sorted(group.members)]) for group in groups]


def _one_per_supplier_id(hotels: Iterable[SupplierHotel]) -> Iterable[SupplierHotel]:
    """A supplier that lists one id twice (a page boundary, two rooms' batches) means one hotel: offers are joined."""
    seen: dict[tuple[str, str], SupplierHotel] = {}
    for hotel in hotels:
        first = seen.setdefault((hotel.supplier, hotel.hotel_id), hotel)
        if first is hotel:
            continue
        known = {offer.offer_id for offer in first.offers}
        more = tuple(offer for offer in hotel.offers if offer.offer_id not in known)
        seen[hotel.supplier, hotel.hotel_id] = SupplierHotel(
            first.supplier, first.hotel_id, first.name, first.latitude, first.longitude, first.offers + more
        )
    return seen.values()


class _Group:
    """Members (indexes) taken to be one hotel, their suppliers and names, and the box around their positions."""

    __slots__ = ("cell", "east", "members", "names", "north", "south", "suppliers", "west")

    def __init__(self, name: Name, cell: tuple[int, int] | None) -> None:
        self.members: list[int] = []
        self.suppliers: set[str] = set()
        self.names = {name}
        self.cell = cell
        self.south = self.west = math.inf
        self.north = self.east = -math.inf

    def add(self, index: int, hotel: SupplierHotel) -> None:
        self.members.append(index)
        self.suppliers.add(hotel.supplier)
        if hotel.latitude is not None and hotel.longitude is not None:
            self._stretch(hotel.latitude, hotel.latitude, hotel.longitude, hotel.longitude)

    def absorb(self, other: _Group) -> None:
        self.members += other.members
        self.suppliers |= other.suppliers
        self.names |= other.names
        self._stretch(other.south, other.north, other.west, other.east)

    def may_absorb(self, other: _Group) -> bool:
        """No supplier twice, a box no longer than one hotel's, and every name like every other."""
        if not self.suppliers.isdisjoint(other.suppliers):
            return False
        spread = distance_m(
            min(self.south, other.south), min(self.west, other.west), max(self.north, other.north), max(self.east, other.east)
        )
        return spread <= SPREAD_M and all(name_similarity(a, b) >= MATCH_SCORE for a in self.names for b in other.names)

    def distance_m(self, other: _Group) -> float:
        """Between the middles of the boxes."""
        return distance_m(
            (self.south + self.north) / 2,
            (self.west + self.east) / 2,
            (other.south + other.north) / 2,
            (other.west + other.east) / 2,
        )

    def _stretch(self, south: float, north: float, west: float, east: float) -> None:
        self.south, self.north = min(self.south, south), max(self.north, north)
        self.west, self.east = min(self.west, west), max(self.east, east)


def _same_name_same_cell(members: Sequence[SupplierHotel]) -> tuple[list[_Group], list[_Group]]:
    """Groups of the very same name in one cell, and those of hotels without a position.

    Without a position a name of one word proves nothing: such hotels stay alone.
    """
    buckets: dict[tuple[Name, tuple[int, int] | int | None], list[_Group]] = {}
    for index, hotel in enumerate(members):
        name = normalise(hotel.name)
        cell = None if hotel.latitude is None or hotel.longitude is None else _cell(hotel.latitude, hotel.longitude)
        bucket = buckets.setdefault((name, index if cell is None and len(name.words) < 2 else cell), [])
        for group in bucket:
            if hotel.supplier not in group.suppliers:
                break
        else:
            group = _Group(name, cell)
            bucket.append(group)
        group.add(index, hotel)
    groups = [group for bucket in buckets.values() for group in bucket]
    return [group for group in groups if group.cell is not None], [group for group in groups if group.cell is None]


def _merge_near(groups: list[_Group]) -> list[_Group]:
    """Merge groups of neighbouring cells whose score suffices, the best pairs first."""
    became = list(range(len(groups)))
    for _, i, j in sorted(_scored_pairs(groups)):
        into, other = sorted((_root(became, i), _root(became, j)))
        if into != other and groups[into].may_absorb(groups[other]):
            groups[into].absorb(groups[other])
            became[other] = into
    return [group for index, group in enumerate(groups) if became[index] == index]


def _root(became: list[int], index: int) -> int:
    while became[index] != index:
        index = became[index]
    return index


def _scored_pairs(groups: Sequence[_Group]) -> Iterator[tuple[float, int, int]]:
    """(-score, i, j) of the pairs in the same or neighbouring cells that could be one hotel.

    The score is the names' similarity, less up to a quarter for the distance.
    """
    cells: dict[tuple[int, int], list[int]] = {}
    for index, group in enumerate(groups):
        assert group.cell is not None
        (name,) = group.names
        for cell in _neighbourhood(group.south, group.west):
            for other in cells.get(cell, ()):
                (other_name,) = groups[other].names
                if name.words.isdisjoint(other_name.words) or (similarity := name_similarity(name, other_name)) < MATCH_SCORE:
                    continue
                distance = group.distance_m(groups[other])
                score = similarity * (1 - 0.25 * (distance / NEAR_M) ** 2)
                if distance <= NEAR_M and score >= MATCH_SCORE:
                    yield -score, other, index
        cells.setdefault(group.cell, []).append(index)


def _give_a_place(nowhere: Iterable[_Group], groups: list[_Group]) -> None:
    """Each group without a position joins the only one that has exactly its name; several would be a guess."""
    by_name: dict[Name, list[_Group]] = {}
    for group in groups:
        for name in group.names:
            by_name.setdefault(name, []).append(group)
    for group in nowhere:
        (name,) = group.names
        same = by_name.get(name, [])
        if len(name.words) > 1 and len(same) == 1 and same[0].suppliers.isdisjoint(group.suppliers):
            same[0].absorb(group)
        else:
            groups.append(group)


def _cell(latitude: float, longitude: float) -> tuple[int, int]:
    row = math.floor(latitude / _CELL_DEGREES)
    return row, math.floor(longitude / _cell_width(row))


def _neighbourhood(latitude: float, longitude: float) -> Iterator[tuple[int, int]]:
    """The nine cells around a position: rows differ in their cells' width, so each row is asked for its own column."""
    middle = math.floor(latitude / _CELL_DEGREES)
    for row in (middle - 1, middle, middle + 1):
        column = math.floor(longitude / _cell_width(row))
        yield row, column - 1
        yield row, column
        yield row, column + 1


@lru_cache(maxsize=10_000)
def _cell_width(row: int) -> float:
    """Degrees of longitude that are at least `NEAR_M` everywhere in the row."""
    nearest_pole = min(89.0, max(abs(row), abs(row + 1)) * _CELL_DEGREES)
    return _CELL_DEGREES / math.cos(math.radians(nearest_pole))


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
