"""Files of any size: unpacked while they are read, and logs line by line, refused where a line cannot be one of a log."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, cast

from infra.errors import InputError

LONGEST = 1 << 20
"""Characters in a line: far more than a load balancer writes, so that a file without line ends is not held in memory."""


def log_lines(file: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line. What is not UTF-8 is replaced: a caller's agent may be anything, what is read is ASCII."""
    with open_text(file, errors="replace") as stream:
        for number, line in enumerate(iter(partial(stream.readline, LONGEST), ""), start=1):
            if len(line) >= LONGEST:
                raise InputError(f"{file}: line {number}: {LONGEST:,} characters or more; a log has an entry on each line")
            yield number, line


@contextmanager
def open_text(path: Path, *, errors: str = "strict") -> Iterator[io.TextIOBase]:
    """Open a text file, unpacking .gz while reading; what cannot be read becomes an `InputError`. `errors` as in `open`."""
    with open_bytes(path) as unpacked:
        yield io.TextIOWrapper(unpacked, encoding="utf-8-sig", errors=errors, newline="")


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, unpacking .gz while reading; what cannot be read, while it is read too, becomes an `InputError`."""
    try:
        with path.open("rb") as raw:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file in UTF-8") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip file ({error})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
