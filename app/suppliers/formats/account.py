"""What a format is given to speak for one supplier."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.core.errors import SupplierSkipped
from app.suppliers.content import ContentHotel


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One supplier's access: base URL without a trailing slash, key and secret, and its hotels by place."""

    supplier: str
    url: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    hotels: Mapping[str, Sequence[ContentHotel]]
    now: Callable[[], float] = time.time
    _by_id: dict[str, Mapping[str, ContentHotel]] = field(default_factory=dict, repr=False, compare=False)

    def hotels_at(self, place: str) -> Mapping[str, ContentHotel]:
        """This supplier's hotels in a place by id; raises `SupplierSkipped` when it has none there."""
        try:
            return self._by_id[place]
        except KeyError:
            hotels = self.hotels.get(place)
            if not hotels:
                raise SupplierSkipped(f"has no hotels in {place}") from None
            return self._by_id.setdefault(place, {hotel.hotel_id: hotel for hotel in hotels})
