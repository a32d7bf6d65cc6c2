"""What a command prints on standard output: documents for programs, tables for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from infra.documents import json_bytes

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 160
"""Columns of what is printed where there is no terminal."""


def print_json(document: object) -> None:
    sys.stdout.buffer.write(json_bytes(document))


def wide_console() -> Console:
    """A terminal is as wide as it is; into a file or a pipe, figures and names are never cut off."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
