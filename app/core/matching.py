"""Decides which listings are one hotel. Pure, deterministic, and near linear by blocking.

A wrong merge shows a guest another hotel's price, a missed one only a duplicate: so hotels merge only when they are near
*and* their names agree on every word that tells hotels apart. Two ids of one supplier never merge.

    group the same name in the same cell -> merge groups with alike names nearby, the most alike first
    -> give hotels without a position to the only group of exactly their name

An address or a phone number, where suppliers list them, lets names differ more, and another house number on the same
street forbids a merge. A merge must hold between *all* names of both groups, and the merged group must stay small: hotels
that only resemble a third one are not chained together.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache

from app.core.addresses import Address, address_key, phone_key
from app.core.models import Listing
from app.core.names import Name, name_similarity, normalise

NEAR_M = 450.0
"""Two suppliers' positions of one hotel lie up to about this far apart (each may be off by 300 m in any direction)."""

SPREAD_M = 650.0
"""Longest diagonal of the box around one hotel's positions: twice 300 m, and some."""

SAME_SPOT_M = 40.0
"""Two positions this close mean one building, mostly; next door at the least."""

MATCH_SCORE = 0.72
"""Least score (0 to 1) for a merge; set on labelled pairs, where a wrong merge weighs more than a missed one."""

_CORROBORATED_SCORE = 0.8
"""Similarity of names that share a word or a brand at one address: a merge, after the exact ones."""

_METRES_PER_DEGREE = 111_320
_CELL_DEGREES = NEAR_M / _METRES_PER_DEGREE
_SEAM = -30.0
"""Longitude where the grid begins and ends: in mid-Atlantic, where no hotel stands (the 180th meridian has some)."""

Cell = tuple[int, int]


def distance_m(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Metres between two positions in degrees (equirectangular, exact enough below a kilometre)."""
    dy = (latitude - other_latitude) * _METRES_PER_DEGREE
    dx = (longitude - other_longitude) * _METRES_PER_DEGREE * math.cos(math.radians((latitude + other_latitude) / 2))
    return math.hypot(dx, dy)


class Group:
    """Listings (by index) taken to be one hotel: their suppliers and names, addresses and phones, and the box around their
    positions (longitudes counted from the seam)."""

    __slots__ = ("addresses", "cells", "east", "members", "names", "north", "phones", "south", "suppliers", "west")

    def __init__(self, name: Name) -> None:
        self.members: list[int] = []
        self.suppliers: set[str] = set()
        self.names = {name}
        self.cells: set[Cell] = set()
        self.addresses: set[Address] = set()
        self.phones: set[str] = set()
        self.south = self.west = math.inf
        self.north = self.east = -math.inf

    def add(self, index: int, listing: Listing, cell: Cell | None) -> None:
        self.members.append(index)
        self.suppliers.add(listing.supplier)
        if listing.address is not None and (address := address_key(listing.address)) is not None:
            self.addresses.add(address)
        if listing.phone is not None and (phone := phone_key(listing.phone)) is not None:
            self.phones.add(phone)
        if cell is not None and listing.latitude is not None and listing.longitude is not None:
            self.cells.add(cell)
            east = _from_seam(listing.longitude)
            self._stretch(listing.latitude, listing.latitude, east, east)

    def absorb(self, other: Group) -> None:
        self.members += other.members
        self.suppliers |= other.suppliers
        self.names |= other.names
        self.cells |= other.cells
        self.addresses |= other.addresses
        self.phones |= other.phones
        self._stretch(other.south, other.north, other.west, other.east)

    def copy(self) -> Group:
        twin = Group(next(iter(self.names)))
        twin.absorb(self)
        return twin

    def score(self, other: Group) -> float:
        """How sure it is that both are one hotel, 0 to 1: the least similar names', less up to a quarter for the distance;
        0 when it cannot be."""
        if not self.suppliers.isdisjoint(other.suppliers):
            return 0.0
        address, phone = not self.addresses.isdisjoint(other.addresses), not self.phones.isdisjoint(other.phones)
        if not address and not phone and _other_house(self.addresses, other.addresses):
            return 0.0
        distance = 0.0
        if self.cells and other.cells:
            distance = self._distance_m(other)
            if distance > NEAR_M or self._spread_m(other) > SPREAD_M:
                return 0.0
        elif not address and not phone:
            return 0.0
        identified = address or phone
        corroborated = distance <= SAME_SPOT_M
        similarity = 1.0
        for name in self.names:
            for other_name in other.names:
                alike = name_similarity(name, other_name, corroborated=corroborated, identified=identified)
                if alike and address and (phone or (name.brand and name.brand == other_name.brand)):
                    alike = max(alike, _CORROBORATED_SCORE)
                if alike < MATCH_SCORE:
                    return 0.0
                similarity = min(similarity, alike)
        score = similarity * (1 - 0.25 * (distance / NEAR_M) ** 2)
        return score if score >= MATCH_SCORE else 0.0

    def _distance_m(self, other: Group) -> float:
        """Between the middles of the boxes."""
        return distance_m(
            (self.south + self.north) / 2,
            (self.west + self.east) / 2,
            (other.south + other.north) / 2,
            (other.west + other.east) / 2,
        )

    def _spread_m(self, other: Group) -> float:
        return distance_m(
            min(self.south, other.south), min(self.west, other.west), max(self.north, other.north), max(self.east, other.east)
        )

    def _stretch(self, south: float, north: float, west: float, east: float) -> None:
        self.south, self.north = min(self.south, south), max(self.north, north)
        self.west, self.east = min(self.west, west), max(self.east, east)


def match(listings: Sequence[Listing]) -> list[Group]:
    """Groups of one hotel each, in the order of their first member. `listings` must be sorted by (supplier, id)."""
    groups = _merge(_same_name_same_cell(listings))
    groups = _give_a_place(groups)
    for group in groups:
        group.members.sort()
    groups.sort(key=lambda group: group.members[0])
    return groups


class Blocks:
    """Groups under the keys that could make two of them one hotel: a word's beginning in a cell, an address, a phone."""

    def __init__(self) -> None:
        self._indexes: dict[Hashable, list[int]] = {}

    def add(self, index: int, group: Group) -> None:
        for key in _keys(group, group.cells):
            self._indexes.setdefault(key, []).append(index)

    def near(self, group: Group) -> list[int]:
        """Indexes of the groups that share a key, a cell's neighbours included; sorted."""
        around = {near for cell in group.cells for near in _neighbourhood(cell)}
        found: set[int] = set()
        for key in _keys(group, around):
            found.update(self._indexes.get(key, ()))
        return sorted(found)


def _keys(group: Group, cells: Iterable[Cell]) -> Iterator[Hashable]:
    yield from group.addresses
    yield from group.phones
    beginnings = {word[:4] for name in group.names for word in name.words}
    for cell in cells:
        for beginning in beginnings:
            yield cell, beginning


def _same_name_same_cell(listings: Sequence[Listing]) -> list[Group]:
    """Without a position a name of one word proves nothing: such hotels begin alone."""
    buckets: dict[Hashable, list[Group]] = {}
    for index, listing in enumerate(listings):
        name = normalise(listing.name)
        cell = None
        if listing.latitude is not None and listing.longitude is not None:
            cell = _cell(listing.latitude, _from_seam(listing.longitude))
        bucket = buckets.setdefault((name, index if cell is None and len(name.words) < 2 else cell), [])
        own = Group(name)
        own.add(index, listing, cell)
        for group in bucket:
            if group.suppliers.isdisjoint(own.suppliers) and not _other_house(group.addresses, own.addresses):
                group.absorb(own)
                break
        else:
            bucket.append(own)
    return [group for bucket in buckets.values() for group in bucket]


def _merge(groups: list[Group]) -> list[Group]:
    """Merge groups whose score suffices, the best pairs first."""
    blocks = Blocks()
    pairs = []
    for index, group in enumerate(groups):
        for other in blocks.near(group):
            if score := groups[other].score(group):
                pairs.append((-score, other, index))
        blocks.add(index, group)
    became = list(range(len(groups)))
    for _, i, j in sorted(pairs):
        into, other = sorted((_root(became, i), _root(became, j)))
        if into != other and groups[into].score(groups[other]):
            groups[into].absorb(groups[other])
            became[other] = into
    return [group for index, group in enumerate(groups) if became[index] == index]


def _root(became: list[int], index: int) -> int:
    while became[index] != index:
        index = became[index]
    return index


def _give_a_place(groups: list[Group]) -> list[Group]:
    """Each group without a position joins the only one that has exactly its name; several would be a guess."""
    placed = [group for group in groups if group.cells]
    by_name: dict[Name, list[Group]] = {}
    for group in placed:
        for name in group.names:
            by_name.setdefault(name, []).append(group)
    for group in groups:
        if group.cells:
            continue
        same = by_name.get(next(iter(group.names)), []) if len(group.names) == 1 else []
        if len(same) == 1 and len(next(iter(group.names)).words) > 1 and _may_stand_there(group, same[0]):
            same[0].absorb(group)
        else:
            placed.append(group)
    return placed


def _may_stand_there(group: Group, place: Group) -> bool:
    return place.suppliers.isdisjoint(group.suppliers) and not _other_house(place.addresses, group.addresses)


def _other_house(some: set[Address], others: set[Address]) -> bool:
    """Whether two sets of addresses have a street in common, but no house on it."""
    if not some or not others or not some.isdisjoint(others):
        return False
    streets = {address.street for address in some}
    return any(address.street in streets for address in others)


def _from_seam(longitude: float) -> float:
    return longitude if longitude >= _SEAM else longitude + 360


def _cell(latitude: float, east: float) -> Cell:
    row = math.floor(latitude / _CELL_DEGREES)
    return row, math.floor(east / _cell_width(row))


@lru_cache(maxsize=50_000)
def _neighbourhood(cell: Cell) -> tuple[Cell, ...]:
    """The cells that touch a cell: rows differ in their cells' width, so each row is asked for its own columns."""
    row, column = cell
    width = _cell_width(row)
    around = []
    for near in (row - 1, row, row + 1):
        first = math.floor(column * width / _cell_width(near))
        last = math.floor((column + 1) * width / _cell_width(near))
        around += [(near, across) for across in range(first - 1, last + 2)]
    return tuple(around)


@lru_cache(maxsize=10_000)
def _cell_width(row: int) -> float:
    """Degrees of longitude that are at least `NEAR_M` everywhere in the row."""
    nearest_pole = min(89.0, max(abs(row), abs(row + 1)) * _CELL_DEGREES)
    return _CELL_DEGREES / math.cos(math.radians(nearest_pole))
