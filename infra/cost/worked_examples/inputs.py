"""The inputs of one example: each field is asked for by its name, and what nobody asked for is refused, never overlooked."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from infra.cost.lines.line import EXACT
from infra.errors import InputError

MOST = Decimal("1e18")
"""More bytes, requests or dollars than anybody's month has; products of a few such numbers still fit the arithmetic."""
ARCHITECTURES = {"x86": "x86_64", "x86_64": "x86_64", "arm": "arm64", "arm64": "arm64"}


class Inputs:
    """`where` names file and example in errors. A field may have several names; the first that is there counts."""

    def __init__(self, where: str, fields: Mapping[str, object]) -> None:
        self._where, self._fields = where, fields
        self._asked: set[str] = set()
        self._inner: list[Inputs] = []

    def has(self, *names: str) -> bool:
        return any(self._fields.get(name) is not None for name in names)

    def number(self, *names: str, default: Decimal | int | None = None) -> Decimal:
        """A number from 0 to `MOST`; `InputError` where there is none, and no default."""
        value = self._ask(names)
        if value is None:
            if default is None:
                raise InputError(f"{self._where}: {' or '.join(names)}: is missing; give a number")
            return Decimal(default)
        try:
            number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number < 0:
            raise InputError(f"{self._where}: {names[0]}: {value!r} must be a number of 0 or more")
        if number > MOST:
            raise InputError(f"{self._where}: {names[0]}: {number:.3g} must be at most {MOST:.0e}")
        return number

    def text(self, *names: str, default: str | None = None) -> str:
        value = self._ask(names)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value:
            raise InputError(f"{self._where}: {' or '.join(names)}: must be text, not {value!r}")
        return value

    def flag(self, *names: str) -> bool:
        """False where it is not there."""
        value = self._ask(names)
        if value is not None and not isinstance(value, bool):
            raise InputError(f"{self._where}: {names[0]}: {value!r} must be true or false")
        return value is True

    def architecture(self) -> str:
        """x86_64 where the publication names none, as AWS's pages do."""
        name = self.text("arch", "architecture", default="x86")
        if name not in ARCHITECTURES:
            raise InputError(f"{self._where}: arch: {name!r} must be x86 or arm")
        return ARCHITECTURES[name]

    def seconds(self, *, month_hours: Decimal | None = None) -> Decimal:
        """How long: `seconds`, `hours`, `days`, or `seconds_per_day` on so many `days`; the whole month where nothing says."""
        if self.has("seconds_per_day", "hours_per_day"):
            a_day = self.number("seconds_per_day") if self.has("seconds_per_day") else 3600 * self.number("hours_per_day")
            return a_day * self.number("days")
        for name, factor in (("seconds", 1), ("hours", 3600), ("days", 86_400)):
            if self.has(name):
                return factor * self.number(name)
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
            except (InvalidOperation, KeyError):
                raise InputError(f"{self._where}: {name}: {pair!r} must be a count and a size, as [1000, '100 KB']") from None
        return found

    def refuse_unasked(self) -> None:
        """What the kind does not know would change nothing in its price."""
        unasked = sorted(name for name, value in self._fields.items() if name not in self._asked and value is not None)
        if unasked:
            known = ", ".join(sorted(self._asked))
            raise InputError(f"{self._where}: {', '.join(unasked)}: unknown to this kind of example, which has: {known}")
        for each in self._inner:
            each.refuse_unasked()

    def _ask(self, names: tuple[str, ...]) -> object:
        self._asked.update(names)
        return next((self._fields[name] for name in names if self._fields.get(name) is not None), None)
