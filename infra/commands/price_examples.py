"""`crossover prices examples`: published worked examples, priced by the engine, beside what their publications state."""

from __future__ import annotations

from pathlib import Path

import click
from rich import box
from rich.markup import escape
from rich.table import Table

from infra.commands.printing import print_json, wide_console
from infra.cost.prices.file import load_price_book
from infra.cost.worked_examples.checking import DIFFERS, WITHIN, Checked, Refused, check_file
from infra.errors import InputError, KitError


@click.command("examples")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--region", default="us-east-1", show_default=True, help="Region whose prices count.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, every line of every example, instead of a table.")
def command(file: Path, region: str, as_json: bool) -> None:
    """Price the worked examples of FILE (JSON; docs/cost.md has its form) and say which agree to the cent.

    Each is priced by itself: one that cannot be is said in a line, with what its kind knows.

    \b
    Examples:
      crossover prices examples published.json
      crossover prices examples published.json --json

    Exit codes: 0 all agree, 1 one differs, 2 the file is wrong, or an example in it cannot be priced.
    """
    book = load_price_book(region)
    found = check_file(file, book)
    refused = [each for each in found if isinstance(each, Refused)]
    if as_json:
        print_json({"schema": 1, "prices": book.as_of.isoformat(), "examples": [_document(each) for each in found]})
    elif len(refused) < len(found):
        _print([each for each in found if isinstance(each, Checked)])
    if len(refused) == 1:
        raise InputError(refused[0].reason)
    if refused:
        for each in refused:
            click.echo(each.reason, err=True)
        raise InputError(f"{file}: {len(refused)} of {len(found)} examples cannot be priced; why stands above")
    different = [each.example.id for each in found if isinstance(each, Checked) and not each.agrees]
    if different:
        raise KitError(f"{file}: {len(different)} of {len(found)} differ: {', '.join(different)}")


def _document(each: Checked | Refused) -> dict[str, object]:
    if isinstance(each, Refused):
        return {"id": each.id, "verdict": "cannot be priced", "reason": each.reason}
    return {
        "id": each.example.id,
        "kind": each.example.kind,
        "published_usd": f"{each.example.published:f}",
        "ours_usd": f"{each.ours:f}",
        "verdict": each.verdict,
        "source": each.example.source,
        "note": each.example.note,
        "lines": [
            {
                "name": line.name,
                "quantity": f"{line.quantity:f}",
                "unit": line.unit,
                "unit_price": f"{line.unit_price:f}",
                "usd": f"{line.usd:f}",
            }
            for line in each.lines
        ],
    }


def _print(checked: list[Checked]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in ("Example", "kind", "$ published", "$ ours", "agrees"):
        table.add_column(name, justify="right" if name.startswith("$") else "left", overflow="fold")
    for each in checked:
        table.add_row(
            escape(each.example.id),
            each.example.kind,
            f"{each.example.published:,.2f}",
            f"{each.ours:,.4f}",
            each.verdict,
            style="red" if each.verdict == DIFFERS else "",
        )
    wide_console().print(table)
    for note, ids in _notes(checked).items():
        click.echo(f"{WITHIN}, {', '.join(ids)}: {note}")


def _notes(checked: list[Checked]) -> dict[str, list[str]]:
    """What the publications of those that agree within their rounding say of it."""
    notes: dict[str, list[str]] = {}
    for each in checked:
        if each.verdict == WITHIN and each.example.note:
            notes.setdefault(each.example.note, []).append(each.example.id)
    return notes
