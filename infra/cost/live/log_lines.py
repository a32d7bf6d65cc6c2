"""Logs line by line, however large, packed or odd: numbered, and refused where a line cannot be one of a log."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from infra.cost.traffic.profile import open_text
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
