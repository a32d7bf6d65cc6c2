"""A query string becomes a `SearchQuery`, or every wrong field is named with what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from msgspec import Struct

from app.core.errors import CrossoverError
from app.core.models import Occupancy, SearchQuery

MAX_NIGHTS = 30
MAX_DAYS_AHEAD = 500
MAX_ADULTS = 9
MAX_CHILDREN = 6
MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_SHOWN = 60
"""Longest part of a wrong value, and most known codes, that a message repeats."""

PARAMETERS = ("place", "check_in", "check_out", "adults", "children", "currency", "limit")


class WrongField(Struct, frozen=True):
    """One query parameter that is wrong, and what would be right."""

    field: str
    reason: str


class InvalidRequest(CrossoverError):
    """A request that cannot be run, with every field that is wrong."""

    def __init__(self, fields: tuple[WrongField, ...]) -> None:
        super().__init__("; ".join(f"{wrong.field}: {wrong.reason}" for wrong in fields))
        self.fields = fields


class ParsedSearch(NamedTuple):
    query: SearchQuery
    limit: int


class QueryParser:
    """Knows what may be asked: `places` (code -> name) and the currencies that have a rate."""

    def __init__(self, places: Mapping[str, str], currencies: frozenset[str]) -> None:
        self._places = places
        self._currencies = currencies

    def parse(self, pairs: list[tuple[str, str]], *, today: date) -> ParsedSearch:
        """Parse decoded `(name, value)` pairs. Raises `InvalidRequest` naming every wrong field."""
        fields = _Fields(pairs)
        place = fields.place(self._places)
        check_in = fields.day("check_in")
        check_out = fields.day("check_out")
        adults = fields.number("adults", default=2, low=1, high=MAX_ADULTS)
        children = fields.ages("children")
        currency = fields.currency(self._currencies, default="USD")
        limit = fields.number("limit", default=DEFAULT_LIMIT, low=1, high=MAX_LIMIT)
        if check_in is not None:
            if check_in < today:
                fields.wrong("check_in", f"must not be in the past, got {check_in} (today is {today}, UTC)")
            elif check_in > today + timedelta(days=MAX_DAYS_AHEAD):
                fields.wrong("check_in", f"must be within {MAX_DAYS_AHEAD} days from today, got {check_in}")
        if check_in is not None and check_out is not None and not 1 <= (check_out - check_in).days <= MAX_NIGHTS:
            fields.wrong("check_out", f"must be 1 to {MAX_NIGHTS} nights after check_in, got {check_out}")
        if fields.wrongs:
            raise InvalidRequest(tuple(fields.wrongs))
        assert place is not None and check_in is not None
        assert check_out is not None and currency is not None
        return ParsedSearch(SearchQuery(place, check_in, check_out, Occupancy(adults, children), currency), limit)


class _Fields:
    """Reads single parameters and collects what is wrong with them."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.wrongs: list[WrongField] = []
        self._values: dict[str, str] = {}
        for name, value in pairs:
            if name not in PARAMETERS:
                near = difflib.get_close_matches(name[:MAX_SHOWN], PARAMETERS, n=1)
                self.wrong(
                    name[:MAX_SHOWN],
                    f"is not a parameter; {f'did you mean {near[0]}?' if near else 'known: ' + ', '.join(PARAMETERS)}",
                )
            elif name in self._values:
                self.wrong(name, "is given more than once")
            else:
                self._values[name] = value

    def wrong(self, field: str, reason: str) -> None:
        self.wrongs.append(WrongField(field, reason))

    def place(self, known: Mapping[str, str]) -> str | None:
        """A place's code; a name, or a code misspelled, is answered with the codes that were probably meant."""
        value = self._values.get("place")
        if value is None:
            self.wrong("place", f"is required: a place code such as {min(known, default='…')}")
            return None
        if (code := value.upper()) in known:
            return code
        spelled = {word.upper(): code for code, name in known.items() for word in (code, name)}
        near = dict.fromkeys(spelled[word] for word in difflib.get_close_matches(value[:MAX_SHOWN].upper(), spelled, n=3))
        codes = [f"{code} ({known[code]})" for code in near or sorted(known)]
        hint = f"did you mean {_listed(codes)}?" if near else f"known: {_listed(codes)}"
        self.wrong("place", f"unknown place {_shown(value)}; {hint}")
        return None

    def currency(self, known: frozenset[str], *, default: str) -> str | None:
        value = self._values.get("currency", default)
        if (code := value.upper()) in known:
            return code
        near = difflib.get_close_matches(value[:MAX_SHOWN].upper(), known, n=3, cutoff=0.6)
        hint = f"did you mean {_listed(sorted(near))}?" if near else f"known: {_listed(sorted(known))}"
        self.wrong("currency", f"unknown currency {_shown(value)}; {hint}")
        return None

    def day(self, name: str) -> date | None:
        value = self._values.get(name)
        if value is None:
            self.wrong(name, "is required: a date such as 2027-01-31")
            return None
        try:
            if len(value) != 10:
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            self.wrong(name, f"must be a date as YYYY-MM-DD, got {_shown(value)}")
            return None

    def number(self, name: str, *, default: int, low: int, high: int) -> int:
        value = self._values.get(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high):
            self.wrong(name, f"must be {low} to {high}, got {value[:MAX_SHOWN] if value.isdigit() else _shown(value)}")
            return default
        return int(value)

    def ages(self, name: str) -> tuple[int, ...]:
        value = self._values.get(name, "")
        ages = [part.strip() for part in value.split(",")] if value else []
        if len(ages) > MAX_CHILDREN or not all(
            age.isascii() and age.isdigit() and len(age) < 3 and int(age) < 18 for age in ages
        ):
            self.wrong(name, f"must be up to {MAX_CHILDREN} ages from 0 to 17, such as 4,7; got {_shown(value)}")
            return ()
        return tuple(sorted(map(int, ages)))  # one way to write it: their order says nothing


def _shown(value: str) -> str:
    return repr(value if len(value) <= MAX_SHOWN else value[: MAX_SHOWN - 1] + "…")


def _listed(codes: Sequence[str]) -> str:
    more = len(codes) - MAX_SHOWN
    return ", ".join(codes[:MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")
