"""What the benchmarks' command lines do alike: say how far they are, count rounds, write their JSON, end at an interrupt."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

OUT = Path(__file__).resolve().parent / "out"
INTERRUPTED = 130
T = TypeVar("T")


def say(line: str) -> None:
    """Progress and remarks; standard output is the tables'."""
    print(line, file=sys.stderr, flush=True)


def parse(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    *,
    quick: str,
    out: Path,
    rounds: int,
    quick_rounds: int = 1,
    low: int = 1,
    high: int = 20,
    counted: str = "rounds",
) -> argparse.Namespace:
    """What every benchmark with rounds takes besides its own: `--quick` (its help is `quick`), `--rounds` (by default `rounds`,
    or `quick_rounds` with `--quick`; ends with a usage error outside `low` to `high`) and `--json` (by default `out`)."""
    parser.add_argument("--quick", action="store_true", help=quick)
    about = f"{counted}, {low} to {high} (default {rounds}; {quick_rounds} with --quick)"
    parser.add_argument("--rounds", type=int, help=about)
    parser.add_argument("--json", type=Path, default=out, help="where to write the figures (default %(default)s)")
    options = parser.parse_args(arguments)
    if options.rounds is None:
        options.rounds = quick_rounds if options.quick else rounds
    if not low <= options.rounds <= high:
        parser.error(f"--rounds: must be {low} to {high}, got {options.rounds}")
    return options


def in_turn(names: Sequence[T], number: int) -> list[T]:
    """All of them in the order of this round, beginning with the next one each round, so that no one has every noisy minute."""
    turn = number % len(names)
    return [*names[turn:], *names[:turn]]


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
