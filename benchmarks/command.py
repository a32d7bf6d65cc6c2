"""What the benchmarks' command lines do alike: say how far they are, count rounds, write their JSON, end at an interrupt."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

OUT = Path(__file__).resolve().parent / "out"
INTERRUPTED = 130


def say(line: str) -> None:
    """Progress and remarks; standard output is the tables'."""
    print(line, file=sys.stderr, flush=True)


def rounds_of(
    parser: argparse.ArgumentParser, options: argparse.Namespace, *, default: int, quick: int, low: int, high: int
) -> int:
    """How many rounds were asked for, else `default` or `quick`; ends with a usage error outside `low` to `high`."""
    rounds: int = (quick if options.quick else default) if options.rounds is None else options.rounds
    if not low <= rounds <= high:
        parser.error(f"--rounds: must be {low} to {high}, got {rounds}")
    return rounds


def write(document: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")
    say(f"wrote {path}")


def run(main: Callable[[], int]) -> NoReturn:
    """Run a benchmark as a program."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("interrupted: nothing was written")
        sys.exit(INTERRUPTED)
