"""The inputs of one example: each field is asked for by its name, in whatever unit it is given (`spelling`), and what nobody
asked for is refused, never overlooked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from infra.cost.exact import EXACT
from infra.cost.worked_examples.spelling import Spelled, amount, canonical, spelled
from infra.errors import InputError

MOST = Decimal("1e18")
"""More bytes, requests or dollars than anybody's month has; products of a few such numbers still fit the arithmetic."""
LEAST = Decimal("1e-18")
ARCHITECTURES = {
    **dict.fromkeys(("x86", "x8664", "x64", "amd64", "intel"), "x86_64"),
    **dict.fromkeys(("arm", "arm64", "aarch64", "graviton", "graviton2", "graviton3", "graviton4"), "arm64"),
}
FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Inputs:
    """`where` names file and example in errors. A field may have several names; the first that is there counts."""

    def __init__(self, where: str, fields: Mapping[str, object]) -> None:
        self._where = where
        self._fields: dict[str, object] = {}
        self._given: dict[str, str] = {}
        for given, value in fields.items():
            name = canonical(given)
            if value is not None and name in self._fields:
                raise InputError(f"{where}: {self._given[name]}, {given}: are one input; give one of them")
            if value is not None:
                self._fields[name], self._given[name] = value, given
        self._spelled = {name: spelled(name) for name in self._fields}
        self._known: set[str] = set()
        self._used: set[str] = set()
        self._inner: list[Inputs] = []

    def has(self, *names: str) -> bool:
        self._known.update(names)
        return any(canonical(name) in self._fields for name in names) or self._number(names) is not None

    def number(self, *names: str, default: Decimal | int | None = None) -> Decimal:
        """A number from `LEAST` to `MOST`, or 0; `InputError` where there is none, and no default."""
        self._known.update(names)
        found = self._number(names)
        if found is None:
            if default is None:
                raise InputError(f"{self._where}: {names[0]}: is missing; give a number")
            return Decimal(default)
        name, number = found
        self._used.add(name)
        if not number.is_finite() or number < 0:
            raise self._no_number(name)
        if number > MOST or 0 < number < LEAST:
            raise InputError(f"{self._where}: {self._given[name]}: {number:.3g} must be {LEAST:.0e} to {MOST:.0e}, or 0")
        return number

    def share(self, *names: str, default: int = 0) -> Decimal:
        """A number from 0 to 1; 72% and a name in percent are shares too."""
        value = self.number(*names, default=default)
        if value > 1:
            raise InputError(f"{self._where}: {names[0]}: {value:g} must be a share of 0 to 1, or 0% to 100%")
        return value

    def text(self, *names: str, default: str | None = None) -> str:
        value = self._ask(names)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value:
            raise InputError(f"{self._where}: {names[0]}: must be text, not {value!r}")
        return value

    def flag(self, *names: str) -> bool:
        """False where it is not there."""
        value = self._ask(names)
        if isinstance(value, str):
            value = FLAGS.get(value.lower(), value)
        if value is not None and not isinstance(value, bool):
            raise InputError(f"{self._where}: {names[0]}: {value!r} must be true or false")
        return value is True

    def architecture(self) -> str:
        """x86_64 where the publication names none, as AWS's pages do."""
        name = self.text("arch", "architecture", "processor", default="x86")
        try:
            return ARCHITECTURES[re.sub(r"[^a-z0-9]", "", name.lower())]
        except KeyError:
            raise InputError(f"{self._where}: arch: {name!r} must be x86 or arm") from None

    def seconds(self, *, month_hours: Decimal | None = None) -> Decimal:
        """How long: `seconds`, `hours`, `days`, or `seconds_per_day` on so many `days`; the whole month where nothing says."""
        if self.has("seconds_per_day", "hours_per_day"):
            return self.number("seconds_per_day") * self.number("days")
        if self.has("seconds", "hours", "days"):
            return self.number("seconds")
        if month_hours is not None:
            return 3600 * month_hours
        raise InputError(f"{self._where}: seconds, hours, days, or seconds_per_day and days: is missing")

    def inner(self, name: str) -> Inputs:
        """A table within; empty where it is not there."""
        value = self._ask((name,))
        if value is not None and not isinstance(value, dict):
            raise InputError(f"{self._where}: {name}: must be a table, not {value!r}")
        found = Inputs(f"{self._where}: {name}", value or {})
        self._inner.append(found)
        return found

    def sizes(self, name: str) -> list[tuple[Decimal, Decimal]]:
        """Pairs of a count and a size, as [2000000, "100 KB"]: counts and MB, of 1,024 KB."""
        value = self._ask((name,))
        units = {"KB": Decimal(1024), "MB": Decimal(1), "GB": EXACT.divide(Decimal(1), Decimal(1024))}
        found = []
        for pair in value if isinstance(value, list) else [None]:
            count, size = pair if isinstance(pair, list) and len(pair) == 2 else (None, "")
            number, _, unit = str(size).partition(" ")
            try:
                found.append((Decimal(str(count)), EXACT.divide(Decimal(number), units[unit])))
                if not all(0 <= each <= MOST for each in found[-1]):  # of what is no number too
                    raise InvalidOperation
            except (InvalidOperation, KeyError):
                raise InputError(f"{self._where}: {name}: {pair!r} must be a count and a size, as [1000, '100 KB']") from None
        return found

    def refuse_unasked(self) -> None:
        """What the kind does not know would change nothing in its price."""
        unasked = sorted(self._given[name] for name in self._fields if name not in self._used)
        if unasked:
            known = ", ".join(sorted(self._known))
            raise InputError(f"{self._where}: {', '.join(unasked)}: unknown to this kind of example, which has: {known}")
        for each in self._inner:
            each.refuse_unasked()

    def refuse(self, reason: str) -> InputError:
        return InputError(f"{self._where}: {reason}")

    def _ask(self, names: tuple[str, ...]) -> object:
        self._known.update(names)
        found = next((name for name in map(canonical, names) if name in self._fields), None)
        if found is None:
            return None
        self._used.add(found)
        return self._fields[found]

    def _number(self, names: tuple[str, ...]) -> tuple[str, Decimal] | None:
        """The field, and its number in what the first of the names that it fits says; the names' own fields come first."""
        for asked in names:
            for name in sorted(self._fields, key=lambda each: each != canonical(asked)):
                try:
                    number = amount(self._fields[name], self._spelled[name], spelled(asked))
                    if number is not None:
                        return name, EXACT.multiply(number, self._periods(self._spelled[name], spelled(asked)))
                except ArithmeticError:
                    raise self._no_number(name) from None
        return None

    def _periods(self, given: Spelled, asked: Spelled) -> Decimal:
        """How often a period by which something is counted is in the time that the example is about."""
        if given.per is None or asked.per is not None:
            return Decimal(1)
        return EXACT.divide(self.seconds(), given.per)

    def _no_number(self, name: str) -> InputError:
        return InputError(f"{self._where}: {self._given[name]}: {self._fields[name]!r} must be a number of 0 or more")
