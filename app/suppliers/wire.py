"""One exchange with a supplier as plain data, and the checks that every format shares."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Sequence
from decimal import Decimal
from typing import Annotated, NamedTuple, Protocol, TypeVar

import msgspec

from app.core.errors import SupplierMalformed, SupplierThrottled, SupplierUnavailable
from app.core.models import Money

Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
T = TypeVar("T")

LEAST, MOST = Decimal("0.001"), Decimal(10**12)
"""Amounts beyond these are no hotel's price in any currency: from the smallest minor unit to a thousand thousand millions
(an IDR or VND stay reaches 10^9). Within them, converting and rounding are exact in the default 28 digits."""


class WireRequest(NamedTuple):
    """A request to send: absolute URL (already encoded), header fields, and body bytes.

    `idempotent`: sending it twice does what sending it once does, so it may be hedged or sent again; a search is, by POST too.
    `repr` shows neither header fields nor body, which hold credentials.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None
    idempotent: bool = True

    def __repr__(self) -> str:
        return f"WireRequest({self.method!r}, {self.url!r})"


class WireResponse(NamedTuple):
    """A whole answer, decoded (no content coding left); header fields as received."""

    status: int
    body: bytes
    headers: Sequence[tuple[bytes, bytes]] = ()

    def header(self, name: bytes) -> bytes | None:
        """The first field of this name (given in lower case)."""
        for field, value in self.headers:
            if len(field) == len(name) and field.lower() == name:
                return value
        return None


class Transport(Protocol):
    """How requests leave. Raises `SupplierError` for anything that is not a whole answer."""

    async def send(self, request: WireRequest) -> WireResponse: ...


def expect_success(response: WireResponse, *, throttled: tuple[int, ...] = (429,)) -> None:
    """Raise `SupplierUnavailable` unless the status is a success, `SupplierThrottled` where it asks for fewer calls."""
    status = response.status
    if 200 <= status < 300:
        return
    if status in throttled:
        raise SupplierThrottled(f"throttled with status {status}")
    raise SupplierUnavailable(f"answered with status {status}")


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode an answer; raises `SupplierMalformed` naming the field (`$.data[0].price`)."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SupplierMalformed(str(error) or type(error).__name__) from None


async def send_all(calls: Sequence[Coroutine[object, object, WireResponse]]) -> list[WireResponse]:
    """The answers to a search's batches, in order; when one fails the others are cancelled, so that none outlives it."""
    if len(calls) == 1:
        return [await calls[0]]
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


Where = tuple[object, ...]
"""The words that say where in an answer a value stands: put together only when something is wrong with it."""


def price(amount: Decimal, currency: str, where: Where) -> Money:
    """A price that can be charged; raises `SupplierMalformed` for one that cannot: zero, negative, not a number, or far
    beyond any price (`1E+999`), which would break the arithmetic of every other supplier's offers too."""
    if amount.is_finite() and LEAST <= amount <= MOST and (currency in _codes_seen or _is_code(currency)):
        return Money(amount, currency)
    raise SupplierMalformed(f"{said(where)}: price {shown(amount)} {currency[:40]}")


_codes_seen: set[str] = set()
"""Currency codes found well formed: a pattern in the decoder would be matched for every single amount."""


def _is_code(currency: str) -> bool:
    """Whether it has the form of an ISO 4217 code; at most 17,576 are remembered."""
    if re.fullmatch("[A-Z]{3}", currency):
        _codes_seen.add(currency)
        return True
    return False


def said(where: Where) -> str:
    return " ".join(map(str, where))


def charge(amount: Decimal, currency: str, where: Where) -> Money:
    """An amount beside the price (due at the property, a price floor): as `price`, but zero is an amount."""
    return Money(amount, currency) if amount.is_zero() and _is_code(currency) else price(amount, currency, where)


def shown(amount: Decimal) -> str:
    """An amount in a message, cut: a lying one may have a million digits."""
    return str(amount)[:40]
