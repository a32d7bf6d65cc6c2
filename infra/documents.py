"""Documents as every command writes them: the same document, the same bytes, and on disk whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


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
