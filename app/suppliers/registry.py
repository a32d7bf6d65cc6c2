"""Opens the catalogue's suppliers: each a wire format over its own HTTP transport, as the core's `Supplier`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.models import SearchQuery, SupplierHotel
from app.suppliers.catalogue import Catalogue
from app.suppliers.formats.account import Account
from app.suppliers.formats.known import FORMATS, Format
from app.suppliers.hedging import Hedger
from app.suppliers.transport import HttpTransport, supplier_client
from app.suppliers.wire import Transport


class HttpSupplier:
    """One configured supplier. Implements `app.core.ports.Supplier`; its format decodes into typed structs and makes every
    amount with `price` or `charge`, so an answer needs no second check."""

    __slots__ = ("_format", "_transport", "id", "timeout_ms")
    vetted = True

    def __init__(self, supplier_id: str, timeout_ms: int, wire_format: Format, transport: Transport) -> None:
        self.id = supplier_id
        self.timeout_ms = timeout_ms
        self._format = wire_format
        self._transport = transport

    async def search(self, query: SearchQuery) -> tuple[SupplierHotel, ...]:
        return await self._format.search(query, self._transport)


@asynccontextmanager
async def open_suppliers(catalogue: Catalogue) -> AsyncIterator[tuple[HttpSupplier, ...]]:
    """The suppliers in catalogue order; their connections close when the context ends."""
    async with supplier_client() as client:
        hedger = Hedger(client.send_copy)
        suppliers = []
        for entry in catalogue.suppliers:
            transport = HttpTransport(client, entry.id, hedger)
            account = Account(
                supplier=entry.id,
                url=entry.url,
                key=entry.key,
                secret=entry.secret,
                hotels=catalogue.content.hotels.get(entry.id, {}),
            )
            suppliers.append(HttpSupplier(entry.id, entry.timeout_ms, FORMATS[entry.format](account), transport))
        try:
            yield tuple(suppliers)
        finally:
            hedger.close()
