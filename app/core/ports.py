"""What the core needs from outside, as small protocols; adapters live in `app.suppliers`, fakes in `tests/fakes.py`."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from app.core.models import SearchQuery, SupplierHotel, SupplierOutcome


class Supplier(Protocol):
    """One configured supplier. `timeout_ms` is its own limit, inside the search's deadline."""

    @property
    def id(self) -> str: ...
    @property
    def timeout_ms(self) -> int: ...
    @property
    def vetted(self) -> bool:
        """Whether its answers hold what `app.core.fanout.vet` checks by the way they are made."""
        ...

    async def search(self, query: SearchQuery) -> tuple[SupplierHotel, ...]:
        """Ask this supplier. Raises `SupplierError`; anything else it raises counts as that supplier's error."""
        ...


class ExchangeRates(Protocol):
    """Dated exchange rates."""

    def rate(self, source: str, target: str) -> Decimal:
        """Units of `target` for one unit of `source`. Raises `KeyError(currency)` for a currency it does not have."""
        ...


class SearchObserver(Protocol):
    """Told of every finished search; telemetry implements it. Must not raise and must not block."""

    def search_finished(self, elapsed_ms: float, outcomes: tuple[SupplierOutcome, ...]) -> None: ...


class AnswerStore(Protocol):
    """A store that many processes share, such as Redis. Neither method raises; `get` waits a bounded time."""

    async def get(self, key: bytes) -> bytes | None:
        """The value; `None` when there is none, or when the store cannot say in time."""
        ...

    def put(self, key: bytes, value: bytes, *, ttl_ms: int) -> None:
        """Store the value for this long if that is possible now; does not wait."""
        ...
