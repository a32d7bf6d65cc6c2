"""Stand-ins for what the core needs from outside, and builders for its data."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from app.core.models import Money, Occupancy, SearchQuery, SupplierHotel, SupplierOffer

QUERY = SearchQuery("LON", date(2027, 3, 1), date(2027, 3, 4), Occupancy(2), "USD")


def offer(offer_id: str = "o1", amount: str = "100.00", currency: str = "USD", **more: Any) -> SupplierOffer:
    return SupplierOffer(offer_id, "Double room", "room only", Money(Decimal(amount), currency), **more)


def hotel(
    supplier: str = "s1",
    hotel_id: str = "h1",
    name: str = "Hotel Alba",
    at: tuple[float, float] | None = (51.5, -0.12),
    offers: tuple[SupplierOffer, ...] | None = None,
) -> SupplierHotel:
    latitude, longitude = at or (None, None)
    return SupplierHotel(supplier, hotel_id, name, latitude, longitude, (offer(),) if offers is None else offers)


def future_search(place: str = "LON", **fields: str) -> str:
    """A `/search` path for a stay 30 days ahead."""
    check_in = datetime.now(UTC).date() + timedelta(days=30)
    dates = {"check_in": check_in.isoformat(), "check_out": (check_in + timedelta(days=2)).isoformat()}
    return "/search?" + urlencode({"place": place, **dates, **fields})


class FakeClock:
    """A clock that stands still until `now` is set."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeSupplier:
    """Answers `hotels` after `delay_s`, or raises `error`; counts how often it was asked and cancelled."""

    def __init__(
        self,
        supplier_id: str,
        hotels: tuple[SupplierHotel, ...] = (),
        *,
        delay_s: float = 0.0,
        error: BaseException | None = None,
        timeout_ms: int = 1_000,
    ) -> None:
        self.id = supplier_id
        self.timeout_ms = timeout_ms
        self.vetted = False
        self._hotels = hotels
        self._delay_s = delay_s
        self._error = error
        self.asked = 0
        self.cancelled = 0

    async def search(self, query: SearchQuery) -> tuple[SupplierHotel, ...]:
        self.asked += 1
        try:
            await asyncio.sleep(self._delay_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self._error is not None:
            raise self._error
        return self._hotels


class FakeRates:
    """Exchange rates from a mapping of currency -> units for one USD."""

    def __init__(self, per_usd: Mapping[str, str] | None = None) -> None:
        self._per_usd = {name: Decimal(value) for name, value in (per_usd or {"USD": "1", "EUR": "0.8", "JPY": "150"}).items()}

    def rate(self, source: str, target: str) -> Decimal:
        return self._per_usd[target] / self._per_usd[source]
