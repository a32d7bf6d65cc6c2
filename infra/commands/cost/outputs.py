"""The files that `crossover cost report` writes beside what it prints: one option each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from infra.cost.compare import Comparison
from infra.cost.reports.report import html_bytes, report_document
from infra.documents import write_whole
from infra.errors import InputError

Command = TypeVar("Command", bound=Callable[..., Any])

STANDARD_OUTPUT = Path("-")


def _xlsx(comparison: Comparison, path: Path) -> bytes:
    from infra.cost.reports.workbook.build import workbook_bytes

    return workbook_bytes(comparison)


def _focus(comparison: Comparison, path: Path) -> bytes:
    from infra.cost.reports.focus import focus_bytes

    return focus_bytes(comparison, path)


def _markdown(comparison: Comparison, path: Path) -> bytes:
    from infra.cost.reports.markdown import render_markdown

    return render_markdown(report_document(comparison)).encode()


def _pdf(comparison: Comparison, path: Path) -> bytes:
    from infra.cost.reports.pdf import pdf_bytes

    return pdf_bytes(html_bytes(comparison))


WRITERS: Mapping[str, tuple[str, Callable[[Comparison, Path], bytes]]] = {
    "html": ("Also write the report as one HTML page.", lambda comparison, path: html_bytes(comparison)),
    "pdf": ("Also write the page as PDF, printed by Chromium.", _pdf),
    "xlsx": ("Also write a workbook whose formulas follow its inputs.", _xlsx),
    "focus": ("Also write FOCUS 1.2 rows; FILE ends in .csv or .parquet.", _focus),
    "markdown": ("Also write Markdown for a pull request; - prints it in place of the tables.", _markdown),
}


def output_options(command: Command) -> Command:
    """Adds `--html FILE` and its like to a command."""
    for name, (about, _) in reversed(list(WRITERS.items())):
        command = click.option(f"--{name}", metavar="FILE", type=click.Path(path_type=Path), help=about)(command)
    return command


def write_outputs(comparison: Comparison, wanted: Mapping[str, Path | None]) -> list[Path]:
    """Make every file that was asked for, then put each in its place whole; returns the paths. What cannot be made or written
    leaves the files of before. Markdown for `-` goes to standard output."""
    asked = {name: path for name, path in wanted.items() if path is not None}
    to_files = {name: path for name, path in asked.items() if (name, path) != ("markdown", STANDARD_OUTPUT)}
    for name, path in to_files.items():
        refuse_unwritable(name, path)
    made = {name: WRITERS[name][1](comparison, path) for name, path in asked.items()}
    for name, path in to_files.items():
        write_output(name, path, made[name])
    if len(to_files) < len(asked):
        sys.stdout.buffer.write(made["markdown"])
    return list(to_files.values())


def refuse_unwritable(option: str, path: Path) -> None:
    if path.is_dir() or not path.parent.is_dir():
        wrong = "is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise InputError(f"--{option} {path}: cannot be written ({wrong})")


def write_output(option: str, path: Path, content: bytes) -> None:
    try:
        write_whole(path, content)
    except OSError as error:
        raise InputError(f"--{option} {path}: cannot be written ({error.strerror})") from None
