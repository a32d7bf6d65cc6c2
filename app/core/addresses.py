"""What identifies a house in an address as suppliers write them, and a phone line in a number."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from app.core.names import plain_words

_NO_STREETS_NAME = frozenset(
    {
        "av", "ave", "avenida", "avenue", "blv", "blvd", "boulevard", "c", "calle", "corso", "cours", "d", "da", "das", "de",
        "del", "della", "der", "des", "di", "do", "dr", "drive", "du", "e", "east", "et", "highway", "hwy", "la", "lane",
        "le", "ln", "n", "ne", "north", "nw", "piazza", "pl", "place", "placa", "plaza", "quai", "rd", "road", "route", "rte",
        "rua", "rue", "s", "se", "south", "sq", "square", "st", "str", "strasse", "street", "sw", "the", "via", "viale", "w",
        "west",
    }
)  # fmt: skip
_RESERVATION_LINES = frozenset({"800", "833", "844", "855", "866", "877", "888"})
"""North American area codes of toll-free numbers: a whole chain answers there."""


class Address(NamedTuple):
    """A house number and the first telling word of its street."""

    number: str
    street: str


@lru_cache(maxsize=50_000)
def address_key(address: str) -> Address | None:
    """`"1177 15th Street NW"` -> (1177, 15th), `"Rue de Rivoli 228"` -> (228, rivoli); `None` without both."""
    words = plain_words(address)
    number = next((word for word in words if re.fullmatch(r"\d+[a-z]?", word)), None)
    street = next((word for word in words if word != number and word not in _NO_STREETS_NAME), None)
    return Address(number, street) if number is not None and street is not None else None


@lru_cache(maxsize=50_000)
def phone_key(phone: str) -> str | None:
    """The last eight digits, which country and trunk prefixes do not touch; `None` for fewer, or a reservation line."""
    digits = re.sub(r"\D", "", phone)
    national = digits.removeprefix("1") if len(digits) == 11 else digits
    if len(digits) < 8 or (len(national) == 10 and national[:3] in _RESERVATION_LINES):
        return None
    return digits[-8:]
