"""Opens the catalogue's suppliers: each a wire format over its own HTTP transport, as the core's `Supplier`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from app.core.errors import SupplierSkipped, SupplierThrottled
from app.core.models import SearchQuery, SupplierHotel
from app.suppliers.address_policy import AddressPolicy
from app.suppliers.catalogue import Catalogue
from app.suppliers.confidential import Confidential
from app.suppliers.formats.account import Account
from app.suppliers.formats.known import FORMATS, Format
from app.suppliers.guard import Guard
from app.suppliers.hedging import Hedger
from app.suppliers.retries import RetryBudget
from app.suppliers.transport import HttpTransport, pool_samples, supplier_client
from app.suppliers.wire import Transport
from app.telemetry.metrics import Metrics


class HttpSupplier:
    """One configured supplier. Implements `app.core.ports.Supplier`; its format decodes into typed structs and makes every
    amount with `price` or `charge`, so an answer needs no second check. What it raises holds nothing of `confidential`."""

    __slots__ = ("_confidential", "_format", "_transport", "guard", "id", "timeout_ms")
    vetted = True

    def __init__(
        self,
        supplier_id: str,
        timeout_ms: int,
        wire_format: Format,
        transport: Transport,
        guard: Guard | None = None,
        confidential: Confidential | None = None,
    ) -> None:
        self.id = supplier_id
        self.timeout_ms = timeout_ms
        self.guard = guard or Guard(supplier_id, time.monotonic)
        self._format = wire_format
        self._transport = transport
        self._confidential = confidential or Confidential(())

    async def search(self, query: SearchQuery) -> tuple[SupplierHotel, ...]:
        guard = self.guard
        since = guard.admit()
        try:
            hotels = await self._format.search(query, self._transport)
        except (SupplierSkipped, SupplierThrottled):
            guard.ended(since)
            raise
        except asyncio.CancelledError:
            guard.cancelled(since, self.timeout_ms / 1000)
            raise
        except BaseException as error:
            guard.failed(since)
            self._confidential.blot_error(error)
            raise
        guard.succeeded(since)
        return hotels


@asynccontextmanager
async def open_suppliers(
    catalogue: Catalogue,
    metrics: Metrics | None = None,
    policy: AddressPolicy | None = None,
    *,
    hedging: bool = True,
) -> AsyncIterator[tuple[HttpSupplier, ...]]:
    """The suppliers in catalogue order; their connections close when the context ends. `metrics` is given their state;
    `policy` says where connections may go, by default to the catalogue's hosts at public addresses; `hedging` whether
    slow calls are sent once more."""
    policy = policy or AddressPolicy([entry.url for entry in catalogue.suppliers])
    async with supplier_client(resolve=policy) as client:
        hedger = Hedger()
        suppliers, budgets = [], []
        for entry in catalogue.suppliers:
            guard = Guard(entry.id, time.monotonic)
            budget = RetryBudget(entry.id)
            budgets.append(budget)
            transport = HttpTransport(client, hedger.of(entry.id) if hedging else None, guard, budget)
            account = Account(
                supplier=entry.id,
                url=entry.url,
                key=entry.key,
                secret=entry.secret,
                hotels=catalogue.content.hotels.get(entry.id, {}),
            )
            wire_format = FORMATS[entry.format](account)
            suppliers.append(HttpSupplier(entry.id, entry.timeout_ms, wire_format, transport, guard, account.confidential))
        if metrics is not None:
            metrics.add(hedger.samples)
            metrics.add(partial(pool_samples, client))
            for supplier, budget in zip(suppliers, budgets, strict=True):
                metrics.add(supplier.guard.samples)
                metrics.add(budget.samples)
        try:
            yield tuple(suppliers)
        finally:
            hedger.close()
