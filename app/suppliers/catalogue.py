"""The supplier catalogue: which suppliers there are, what each speaks, where, and how long to wait. A TOML file users edit.

    content = "data/content.json"        # the content index, relative to this file

    [suppliers.rapid-01]
    format = "rapid"                     # amadeus, hotelbeds, liteapi or rapid
    url = "${suppliers}/rapid-01"        # ${NAME}: a variable of the environment; ${suppliers}: CROSSOVER_SUPPLIERS_URL
    timeout_ms = 1200                    # from 50 to 30000, inside the search's deadline
    fresh_s = 120                        # how long its answers may be used again; default CROSSOVER_FRESH_S, 0 is never
    key = "${RAPID_KEY}"
    secret = "${RAPID_SECRET}"

Every mistake is one line: the file, the supplier, the field, and what would be right. It repeats what the file says, never
what a variable holds.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from app.core.errors import ConfigurationError
from app.suppliers.content import Content, load_content
from app.suppliers.formats.known import FORMATS, NUMERIC_IDS

FIELDS = ("format", "url", "timeout_ms", "fresh_s", "key", "secret")
TIMEOUT_MS = (50, 30_000)
FRESH_S = (0, 86_400)
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class SupplierEntry(NamedTuple):
    """One supplier as configured, variables replaced. `repr` shows no secret."""

    id: str
    format: str
    url: str
    timeout_ms: int
    key: str
    secret: str
    fresh_s: float | None = None

    def __repr__(self) -> str:
        return f"SupplierEntry({self.id!r}, {self.format!r}, {self.url!r}, {self.timeout_ms})"


class Catalogue(NamedTuple):
    """The suppliers in the file's order, and their content."""

    suppliers: tuple[SupplierEntry, ...]
    content: Content

    @property
    def places(self) -> Mapping[str, str]:
        """Place code -> name."""
        return self.content.places


def load_catalogue(path: Path, *, variables: Mapping[str, str]) -> Catalogue:
    """Read and check a catalogue; raises `ConfigurationError`. `variables` are what `${name}` may stand for."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors of Windows write a byte order mark
    except OSError as error:
        raise ConfigurationError(f"{path}: the supplier catalogue cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not TOML: {error}") from None
    unknown = set(document) - {"content", "suppliers"}
    if unknown:
        raise ConfigurationError(f"{path}: unknown key {min(unknown)!r}; known: content, suppliers")
    content, tables = document.get("content"), document.get("suppliers")
    if not isinstance(content, str):
        raise ConfigurationError(f'{path}: content: name the content index file, such as content = "data/content.json"')
    if not isinstance(tables, dict) or not tables:
        raise ConfigurationError(f"{path}: suppliers: configure at least one, as [suppliers.<id>]")
    entries = tuple(_Entry(path, name, table, variables).read() for name, table in tables.items())
    catalogue = Catalogue(entries, load_content(path.parent / content))
    for entry in entries:
        _check_hotels(f"{path}: suppliers.{entry.id}", entry, catalogue.content, content)
    return catalogue


def _check_hotels(where: str, entry: SupplierEntry, content: Content, file: str) -> None:
    """Raises when this supplier could never be asked: it has no hotels, or ids that its format cannot carry."""
    hotels = [hotel for listed in content.hotels.get(entry.id, {}).values() for hotel in listed]
    if not hotels:
        raise ConfigurationError(f"{where}: {file} lists no hotels of it; add them there, or take this supplier out")
    if entry.format in NUMERIC_IDS:
        for hotel in hotels:
            if not hotel.hotel_id.isdecimal():
                raise ConfigurationError(f"{where}: {file}: hotel id {hotel.hotel_id!r}: in {entry.format} ids are numbers")


class _Entry:
    """Reads one `[suppliers.<id>]` table."""

    def __init__(self, path: Path, name: str, table: object, variables: Mapping[str, str]) -> None:
        self._where = f"{path}: suppliers.{name}"
        self._name = name
        if not isinstance(table, dict):
            raise ConfigurationError(f"{self._where}: must be a table, as [suppliers.{name}]")
        self._table: dict[str, Any] = table
        self._variables = variables

    def read(self) -> SupplierEntry:
        if not _ID.fullmatch(self._name):
            raise ConfigurationError(f"{self._where}: an id has lower-case letters, digits and dashes, at most 63")
        for field in self._table:
            if field not in FIELDS:
                near = difflib.get_close_matches(field, FIELDS, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(FIELDS)}"
                raise ConfigurationError(f"{self._where}.{field}: unknown field; {hint}")
        wire_format = self._text("format")
        if wire_format not in FORMATS:
            raise self._wrong("format", f"unknown format {self._table['format']!r}; known: {', '.join(FORMATS)}")
        return SupplierEntry(
            self._name,
            wire_format,
            self._url(),
            self._timeout(),
            self._text("key"),
            self._text("secret", default=""),
            self._fresh(),
        )

    def _url(self) -> str:
        url = self._text("url").rstrip("/")
        try:
            parts = urlsplit(url)
            right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            right = False
        if not right or parts.query or parts.fragment or parts.username:
            stated = self._table["url"]
            raise self._wrong("url", f"{stated!r} must be http(s)://host[:port][/path], without query or credentials")
        return url

    def _timeout(self) -> int:
        low, high = TIMEOUT_MS
        value = self._table.get("timeout_ms")
        if type(value) is not int or not low <= value <= high:
            raise self._wrong("timeout_ms", f"must be a whole number from {low} to {high}, got {value!r}")
        return value

    def _fresh(self) -> float | None:
        low, high = FRESH_S
        value = self._table.get("fresh_s")
        if value is None:
            return None
        if type(value) not in (int, float) or not low <= value <= high:
            raise self._wrong("fresh_s", f"must be a number of seconds from {low} to {high}, got {value!r}")
        return float(value)

    def _text(self, field: str, *, default: str | None = None) -> str:
        value = self._table.get(field, default)
        if not isinstance(value, str):
            raise self._wrong(field, "is required, a string" if value is None else f"must be a string, got {value!r}")
        return _VARIABLE.sub(lambda match: self._variable(field, match[1]), value)

    def _variable(self, field: str, name: str) -> str:
        if name not in self._variables:
            raise self._wrong(field, f"${{{name}}}: no such environment variable is set")
        return self._variables[name]

    def _wrong(self, field: str, reason: str) -> ConfigurationError:
        return ConfigurationError(f"{self._where}.{field}: {reason}")
