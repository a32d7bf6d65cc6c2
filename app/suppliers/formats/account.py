"""What a format is given to speak for one supplier."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.core.errors import SupplierSkipped
from app.suppliers.confidential import Confidential
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
    confidential: Confidential = field(init=False, repr=False, compare=False)
    _by_id: dict[str, Mapping[str, ContentHotel]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "confidential", Confidential((self.key, self.secret)))

    def hotels_at(self, place: str) -> Mapping[str, ContentHotel]:
        """This supplier's hotels in a place by id; raises `SupplierSkipped` when it has none there."""
        try:
            return self._by_id[place]
        except KeyError:
            hotels = self.hotels.get(place)
            if not hotels:
                raise SupplierSkipped(f"has no hotels in {place}") from None
            return self._by_id.setdefault(place, {hotel.hotel_id: hotel for hotel in hotels})


class SecondsSignature:
    """The hash of key, secret and Unix seconds that an account signs with. It holds for the second it names, so searches
    within one share it."""

    def __init__(self, account: Account, algorithm: Literal["sha256", "sha512"]) -> None:
        self._account = account
        self._algorithm = algorithm
        self._made = 0, ""

    def now(self) -> tuple[int, str]:
        """The second, and the signature in hexadecimal digits."""
        account, stamp = self._account, int(self._account.now())
        if stamp != self._made[0]:
            signed = f"{account.key}{account.secret}{stamp}".encode()
            self._made = stamp, hashlib.new(self._algorithm, signed).hexdigest()
        return self._made
