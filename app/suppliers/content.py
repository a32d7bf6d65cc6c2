"""The content index: which hotels each supplier has in which place, with name and position (WGS 84 degrees).

Suppliers sell by their own hotel ids, and some answer without names; so ids, names and positions are synchronised
beforehand into one file. JSON: {"places": {code: name}, "hotels": {supplier: {place: [[id, name, lat, lon], …]}}}.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Struct

from app.core.errors import ConfigurationError
from app.core.models import Listing
from app.suppliers.wire import Latitude, Longitude

HotelId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
"""Ids go into URLs and bodies as they are."""


class ContentHotel(NamedTuple):
    """One hotel as one supplier's content describes it."""

    hotel_id: HotelId
    name: str
    latitude: Latitude
    longitude: Longitude


class Content(Struct, frozen=True, forbid_unknown_fields=True):
    """`places` maps code -> name; `hotels` maps supplier id -> place code -> that supplier's hotels there."""

    places: dict[str, str]
    hotels: dict[str, dict[str, list[ContentHotel]]]

    def listings_at(self, place: str) -> Iterator[Listing]:
        """Every supplier's hotels in a place; an id listed twice counts once."""
        for supplier, places in self.hotels.items():
            for hotel in {hotel.hotel_id: hotel for hotel in places.get(place, ())}.values():
                yield Listing(supplier, hotel.hotel_id, hotel.name, hotel.latitude, hotel.longitude)


def load_content(path: Path) -> Content:
    """Read and check the index; raises `ConfigurationError` naming the file and the field."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Content)
    except OSError as error:
        raise ConfigurationError(f"{path}: the content index cannot be read ({error.strerror})") from None
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{path}: not a content index: {error}") from None
