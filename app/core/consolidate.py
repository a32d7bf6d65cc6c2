"""The same hotel from many suppliers becomes one entry: the listings matched (`matching.py`), their offers under one id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.core.matching import match
from app.core.models import Listing, SupplierHotel, SupplierOffer


class ConsolidatedHotel(NamedTuple):
    """One hotel: `id` is stable for the same members, which are sorted by supplier; `supplier_ids` has theirs."""

    id: str
    name: str
    latitude: float | None
    longitude: float | None
    supplier_ids: dict[str, str]
    members: Sequence[SupplierHotel]

    @property
    def offers(self) -> list[tuple[str, SupplierOffer]]:
        """Every offer with its supplier."""
        return [(member.supplier, offer) for member in self.members for offer in member.offers]


def consolidate(hotels: Iterable[SupplierHotel]) -> list[ConsolidatedHotel]:
    """Merge suppliers' hotels; the result does not depend on the order of the input."""
    members = one_per_supplier_id(hotels)
    groups = match([as_listing(hotel) for hotel in members])
    return [_entry([members[index] for index in group.members]) for group in groups]


def one_per_supplier_id(hotels: Iterable[SupplierHotel]) -> list[SupplierHotel]:
    """Sorted by supplier and id. A supplier that lists one id twice (a page boundary, two rooms' batches) means one hotel:
    offers are joined."""
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
    return [seen[key] for key in sorted(seen)]


def as_listing(hotel: SupplierHotel) -> Listing:
    return Listing(hotel.supplier, hotel.hotel_id, hotel.name, hotel.latitude, hotel.longitude)


def entry_id(*identity: str) -> str:
    """Of an entry, from its first member's supplier and id."""
    return hashlib.blake2b("\0".join(identity).encode(), digest_size=6).hexdigest()


def shown_as(members: Sequence[Listing | SupplierHotel]) -> Listing | SupplierHotel:
    """The member whose name and position are shown: one with a position and the longest name."""
    return max(members, key=lambda member: (member.latitude is not None, len(member.name), member.name))


def _entry(members: Sequence[SupplierHotel]) -> ConsolidatedHotel:
    """One entry of the members, first by (supplier, id): it gives the id."""
    shown = shown_as(members)
    return ConsolidatedHotel(
        entry_id(members[0].supplier, members[0].hotel_id),
        shown.name,
        shown.latitude,
        shown.longitude,
        {member.supplier: member.hotel_id for member in members},
        members,
    )
