"""Opens files of the price list for a streaming reader, and refuses what is nested deeper than AWS writes.

A reader that builds what it reads takes ever more memory for ever deeper nesting. Following the reader's events would make it
three times slower on gigabytes, so brackets are counted in the bytes as they pass, outside of strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

import ijson

from infra.errors import InputError

DEEPEST = 16
"""Twice what an offer file has, down to a tier's `pricePerUnit`."""
STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
NOT_BRACKETS = bytes(each for each in range(256) if each not in b"[]{}")
STEPS = [(each in b"[{") - (each in b"]}") for each in range(256)]


@contextmanager
def open_shallow(path: Path) -> Iterator[Shallow]:
    """The file's bytes for `ijson`; `InputError` where it cannot be read, breaks off, or is nested more than 16 deep."""
    try:
        with path.open("rb") as file:
            yield Shallow(path, file)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ijson.JSONError as error:
        what = str(error).partition("\n")[0]  # the lines after it draw the place, of a file that is one long line
        raise InputError(f"{path}: not a whole offer file: {what}") from None


class Shallow:
    """A file that knows how deep what was read of it is nested."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._depth = 0
        self._unfinished = b""
        """The beginning of a string that goes on in the next bytes: its quote, and an escape that waits for its letter."""

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        bare, quote, string = STRING.sub(b"", self._unfinished + chunk).partition(b'"')
        escapes = len(string) - len(string.rstrip(b"\\"))
        self._unfinished = quote + b"\\" * (escapes % 2)
        depths = list(accumulate(map(STEPS.__getitem__, bare.translate(None, NOT_BRACKETS)), initial=self._depth))
        self._depth = depths[-1]
        if max(depths) > DEEPEST:
            raise InputError(f"{self._path}: nested more than {DEEPEST} deep; AWS's price list nests 8")
        return chunk
