"""The wire formats by the name a catalogue uses."""

from __future__ import annotations

from typing import Protocol

from app.core.models import SearchQuery, SupplierHotel
from app.suppliers.formats.account import Account
from app.suppliers.formats.amadeus import Amadeus
from app.suppliers.formats.hotelbeds import Hotelbeds
from app.suppliers.formats.liteapi import LiteApi
from app.suppliers.formats.rapid import Rapid
from app.suppliers.wire import Transport


class Format(Protocol):
    """Speaks one wire format for one supplier."""

    def __init__(self, account: Account) -> None: ...
    async def search(self, query: SearchQuery, transport: Transport) -> tuple[SupplierHotel, ...]: ...


FORMATS: dict[str, type[Format]] = {"amadeus": Amadeus, "hotelbeds": Hotelbeds, "liteapi": LiteApi, "rapid": Rapid}

NUMERIC_IDS = frozenset({"hotelbeds", "rapid"})
"""Formats in which a hotel's id is decimal digits."""
