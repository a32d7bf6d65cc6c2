"""Which known listings are one hotel, decided once a place over all of them, so that a search only looks ids up.

Suppliers sell by ids that are known beforehand with names and positions. The first search of a place matches all its
listings; from then on an answer's hotels are grouped by what was decided. An entry is the same, with the same id, name and
position, whichever suppliers happened to answer. Hotels that are not listed, or answer as something else than listed, are
matched with the place's hotels search by search; they never make two of those one.

Memory: one slot per listing of the places searched, which the content index holds already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from app.core.consolidate import ConsolidatedHotel, as_listing, consolidate, entry_id, one_per_supplier_id, shown_as
from app.core.matching import MATCH_SCORE, SPREAD_M, Blocks, Group, distance_m, match
from app.core.models import Listing, SupplierHotel
from app.core.names import name_similarity, normalise

ListingsAt = Callable[[str], Iterable[Listing]]
"""The known listings of a place, each (supplier, id) once."""

_supplier = attrgetter("supplier")


class _Hotel(NamedTuple):
    """One hotel of a place; hotels are numbered in the order of their first listings."""

    number: int
    id: str
    name: str
    latitude: float | None
    longitude: float | None


class _Place:
    """A place's listings and what was decided about them; the index for strangers is made when the first one comes."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.groups = match(listings)
        self.hotels: list[_Hotel] = []
        self.of: dict[tuple[str, str], tuple[str, float | None, float | None, int]] = {}
        for number, group in enumerate(self.groups):
            members = [listings[index] for index in group.members]
            shown = shown_as(members)
            identity = entry_id(members[0].supplier, members[0].hotel_id)
            self.hotels.append(_Hotel(number, identity, shown.name, shown.latitude, shown.longitude))
            for member in members:
                self.of[member.supplier, member.hotel_id] = member.name, member.latitude, member.longitude, number
        self._blocks: Blocks | None = None

    @property
    def blocks(self) -> Blocks:
        if self._blocks is None:
            self._blocks = Blocks()
            for index, group in enumerate(self.groups):
                self._blocks.add(index, group)
        return self._blocks


class Consolidator:
    """Merges a search's hotels as `consolidate` would merge everything listed at the place. Without listings it is
    `consolidate`."""

    def __init__(self, listings_at: ListingsAt | None = None) -> None:
        self._listings_at = listings_at
        self._places: dict[str, _Place] = {}
        self.strangers = 0
        """Hotels met so far that were not listed, or answered as something else."""

    def consolidate(self, place: str, hotels: Iterable[SupplierHotel]) -> list[ConsolidatedHotel]:
        """One entry for each hotel; the result does not depend on the order of the input."""
        if self._listings_at is None:
            return consolidate(hotels)
        known = self._places.get(place) or self._learn(place)
        found: dict[int, list[SupplierHotel]] = {}
        strangers: list[SupplierHotel] = []
        look_up = known.of.get
        for hotel in hotels:
            listed = look_up((hotel.supplier, hotel.hotel_id))
            if listed is None:
                strangers.append(hotel)
                continue
            name, latitude, longitude, number = listed
            if (hotel.name != name or hotel.latitude != latitude or hotel.longitude != longitude) and not _is(hotel, listed):
                strangers.append(hotel)
            elif number in found:
                found[number].append(hotel)
            else:
                found[number] = [hotel]
        entries = [_entry(known.hotels[number], found[number]) for number in sorted(found)]
        return self._with(strangers, entries, known) if strangers else entries

    def _learn(self, place: str) -> _Place:
        assert self._listings_at is not None
        listings = sorted(self._listings_at(place), key=attrgetter("supplier", "hotel_id"))
        known = self._places[place] = _Place(listings)
        return known

    def _with(self, hotels: list[SupplierHotel], entries: list[ConsolidatedHotel], known: _Place) -> list[ConsolidatedHotel]:
        """The entries, with strangers among them or beside them."""
        strangers = one_per_supplier_id(hotels)
        self.strangers += len(strangers)
        listings = [as_listing(hotel) for hotel in strangers]
        joined, apart = _assign(match(listings), known)
        by_id = {entry.id: entry for entry in entries}
        for number, indexes in joined.items():
            hotel = known.hotels[number]
            there = by_id[hotel.id].members if hotel.id in by_id else ()
            by_id[hotel.id] = _entry(hotel, [*there, *(strangers[index] for index in indexes)])
        alone = []
        for group in apart:
            members = [strangers[index] for index in sorted(group.members)]
            shown, first = shown_as(members), members[0]
            changed = (first.name,) if (first.supplier, first.hotel_id) in known.of else ()
            identity = entry_id(first.supplier, first.hotel_id, *changed)
            alone.append(_entry(_Hotel(-1, identity, shown.name, shown.latitude, shown.longitude), members))
        place = {hotel.id: hotel.number for hotel in known.hotels}
        return sorted(by_id.values(), key=lambda entry: place[entry.id]) + alone


def _assign(strangers: Sequence[Group], known: _Place) -> tuple[dict[int, list[int]], list[Group]]:
    """Each group of strangers joins the known hotel that it matches best, or stays apart; best pairs first."""
    pairs = []
    for index, group in enumerate(strangers):
        for number in known.blocks.near(group):
            if score := known.groups[number].score(group):
                pairs.append((-score, number, index))
    grown: dict[int, Group] = {}
    joined: dict[int, list[int]] = {}
    taken = set()
    for _, number, index in sorted(pairs):
        if index in taken:
            continue
        hotel = grown.get(number) or known.groups[number].copy()
        if hotel.score(strangers[index]):
            joined.setdefault(number, []).extend(strangers[index].members)
            hotel.absorb(strangers[index])
            grown[number] = hotel
            taken.add(index)
    return joined, [group for index, group in enumerate(strangers) if index not in taken]


def _is(hotel: SupplierHotel, listed: tuple[str, float | None, float | None, int]) -> bool:
    """Whether an answer under a listed id is still the hotel listed: suppliers correct names and positions, and some give
    an id to another hotel."""
    name, latitude, longitude, _ = listed
    if hotel.name != name and name_similarity(normalise(hotel.name), normalise(name), identified=True) < MATCH_SCORE:
        return False
    if latitude is None or longitude is None or hotel.latitude is None or hotel.longitude is None:
        return True
    return distance_m(hotel.latitude, hotel.longitude, latitude, longitude) <= SPREAD_M


def _entry(hotel: _Hotel, members: list[SupplierHotel]) -> ConsolidatedHotel:
    if len(members) > 1:
        members.sort(key=_supplier)
    supplier_ids = {member.supplier: member.hotel_id for member in members}
    if len(supplier_ids) < len(members):
        members = one_per_supplier_id(members)
    return ConsolidatedHotel(hotel.id, hotel.name, hotel.latitude, hotel.longitude, supplier_ids, members)
