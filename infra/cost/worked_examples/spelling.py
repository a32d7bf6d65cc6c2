"""How publications spell an input: `memory_gb` for `memory_mb`, `requests_million`, `requestsPerDay`, "1.5 GB", "3 million"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from infra.cost.exact import EXACT

MAGNITUDES = {
    **dict.fromkeys(("thousand", "thousands"), Decimal(1_000)),
    **dict.fromkeys(("million", "millions"), Decimal(1_000_000)),
    **dict.fromkeys(("billion", "billions"), Decimal(1_000_000_000)),
    **dict.fromkeys(("percent", "pct", "%"), Decimal("0.01")),
}
LETTERS = {"k": Decimal(1_000), "m": Decimal(1_000_000), "b": Decimal(1_000_000_000)}
"""Behind a number of something that has no unit: "3M" requests."""
SECONDS = {
    "ms": Decimal("0.001"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), Decimal(1)),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), Decimal(60)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), Decimal(3_600)),
    **dict.fromkeys(("day", "days"), Decimal(86_400)),
}
POWERS = {"byte": 0, "bytes": 0, "kb": 1, "kib": 1, "mb": 2, "mib": 2, "gb": 3, "gib": 3, "tb": 4, "tib": 4}
FILLING = {"avg", "average", "monthly"}
SAME = {
    "rps": "requests_per_s",
    "req_s": "requests_per_s",
    "new_conn_s": "new_conn_per_s",
    "bytes_per_s_kb": "kb_per_s",
    "lambda_bytes_per_s_kb": "lambda_kb_per_s",
}
"""Names whose words say something else than they mean."""


@dataclass(frozen=True, slots=True)
class Spelled:
    """A name taken apart: its words in any order, a magnitude, a unit of time or data, and a period that it is counted by
    (`s`, `day`; None is all of the month)."""

    words: tuple[str, ...]
    unit: str | None
    per: Decimal | None
    times: Decimal = Decimal(1)

    def factor(self, asked: Spelled, unit: str | None, times: Decimal) -> Decimal | None:
        """What a number of this, given in `unit`, is multiplied by to be what was asked, but for the period of one where only
        the other has one; None where the two are not the same thing."""
        if self.words != asked.words or (asked.per and not self.per) or (self.per and not asked.per and unit in SECONDS):
            return None
        units = Decimal(1) if unit == asked.unit else _between(unit, asked.unit, 1_000 if asked.per else 1_024)
        if units is None:
            return None
        periods = EXACT.divide(asked.per, self.per) if asked.per and self.per else Decimal(1)
        return EXACT.divide(units * periods * self.times * times, asked.times)


def _between(unit: str | None, asked: str | None, base: int) -> Decimal | None:
    """Data in powers of 1,024 as AWS counts memory and its monthly tiers, of 1,000 where it is bytes a second."""
    if unit in SECONDS and asked in SECONDS:
        return EXACT.divide(SECONDS[str(unit)], SECONDS[str(asked)])
    if unit in POWERS and asked in POWERS:
        return EXACT.power(Decimal(base), POWERS[str(unit)] - POWERS[str(asked)])
    return None


def canonical(name: str) -> str:
    """`memorySizeMb`, `Memory-Size MB`: memory_size_mb."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    flat = re.sub(r"[^a-z0-9%]+", "_", apart.lower()).strip("_")
    return SAME.get(flat, flat)


def spelled(name: str) -> Spelled:
    flat, _, period = canonical(name).partition("_per_")
    words = [word for word in flat.split("_") if word not in FILLING]
    per = None if period in ("", "month") else SECONDS.get(period)
    if period not in ("", "month") and per is None:
        words += ["per", *period.split("_")]
    times = Decimal(1)
    for word in [word for word in words if word in MAGNITUDES]:
        times *= MAGNITUDES[word]
        words.remove(word)
    units = [word for word in words if word in SECONDS or word in POWERS]
    unit = units[0] if len(units) == 1 and "price" not in words else None  # gb_seconds is a unit of its own
    if unit is not None:
        words.remove(unit)
    return Spelled(tuple(sorted(words)), unit, per, times)


def amount(value: object, name: Spelled, asked: Spelled) -> Decimal | None:
    """The value of a field in what was asked, per the field's own period; None where the field is another thing.
    `ArithmeticError` where it is the same thing and no number."""
    number, unit, times = value, name.unit, Decimal(1)
    if isinstance(value, str):
        found = re.fullmatch(r"\$?\s*([0-9][0-9,]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z%]*)", value.strip())
        if found is not None:
            number, word = found[1], found[2].lower()
            if word in MAGNITUDES:
                times = MAGNITUDES[word]
            elif word in SECONDS or word in POWERS:
                unit = word
            elif word in LETTERS and asked.unit is None:
                times = LETTERS[word]
            elif word:
                number = value
    factor = name.factor(asked, unit, times)
    if factor is None:
        return None
    if isinstance(number, bool):
        raise InvalidOperation
    return EXACT.multiply(Decimal(_plain(str(number))), factor)


def _plain(text: str) -> str:
    """3,000,000 without its commas; other commas stay, and are no number."""
    return text.replace(",", "") if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", text) else text
