"""One exchange with a supplier as plain data, and the checks that every format shares."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, NamedTuple, Protocol, TypeVar

import msgspec

from app.core.errors import SupplierMalformed, SupplierUnavailable
from app.core.models import Money

Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
T = TypeVar("T")


class WireRequest(NamedTuple):
    """A request to send: absolute URL (already encoded), header fields, and body bytes."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None


class WireResponse(NamedTuple):
    """A whole answer, decoded (no content coding left)."""

    status: int
    body: bytes


class Transport(Protocol):
    """How requests leave. Raises `SupplierError` for anything that is not a whole answer."""

    async def send(self, request: WireRequest) -> WireResponse: ...


def expect_success(response: WireResponse, *, throttled: tuple[int, ...] = (429,)) -> None:
    """Raise `SupplierUnavailable` unless the status is a success."""
    status = response.status
    if 200 <= status < 300:
        return
    reason = "throttled" if status in throttled else "answered"
    raise SupplierUnavailable(f"{reason} with status {status}")


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode an answer; raises `SupplierMalformed` naming the field (`$.data[0].price`)."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SupplierMalformed(str(error) or type(error).__name__) from None


def price(amount: Decimal, currency: str, where: str) -> Money:
    """A price that can be charged; raises `SupplierMalformed` for one that cannot (zero, negative, not a number)."""
    if not (amount.is_finite() and amount > 0):
        raise SupplierMalformed(f"{where}: price {amount} {currency}")
    return Money(amount, currency)
