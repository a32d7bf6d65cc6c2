"""Documents as every command writes them: the same document, the same bytes, and on disk whole or not at all; and as every
command reads what a person may have written: UTF-8, with or without the byte order mark of Windows' editors and Excel, and one
line that names the file where it cannot be read."""

from __future__ import annotations

import codecs
import json
import os
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from infra.errors import InputError


def read_bytes(path: Path, *, besides: str = "") -> bytes:
    """What stands in a file, without a byte order mark; `besides` ends the `InputError` of what cannot be read."""
    try:
        return path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}){besides}") from None


def read_text(path: Path, *, besides: str = "") -> str:
    try:
        return read_bytes(path, besides=besides).decode()
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None


def read_json(path: Path, *, besides: str = "", **options: Any) -> Any:
    """`options` as `json.loads` has them; `InputError` with line and column."""
    try:
        return json.loads(read_text(path, besides=besides), **options)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: line {error.lineno}, column {error.colno}: not JSON: {error.msg}{besides}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not JSON that can be read: nested too deep, or a number of thousands of digits") from None


def read_toml(path: Path, *, besides: str = "") -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path, besides=besides))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: is no TOML: {error}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: is no TOML: nested too deep, or a number of thousands of digits") from None


def json_bytes(document: object) -> bytes:
    """Two spaces deep, keys in the order given, a line's end at the end; msgspec's own types may stand in it."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in its place at once: a reader, or a command that is killed, never finds half of it. What is no plain file
    (a pipe, /dev/stdout) is written to as it is. `OSError` where it cannot be written; then the file of before is untouched."""
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    place = path.resolve()  # a link stays a link
    mode = place.stat().st_mode & 0o777 if place.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:40]}.")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        beside.chmod(mode)
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's; only setting it tells it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
