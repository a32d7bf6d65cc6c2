"""`crossover prices`: what the price book holds, each figure with its source and date."""

from __future__ import annotations

import sys

import click
import msgspec
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.cost.prices import Price, PriceBook, load_price_book
from infra.errors import InputError


@click.group("prices")
def command() -> None:
    """Show the price book.

    \b
    Examples:
      crossover prices show
      crossover prices show AWSLambda
      crossover prices show AmazonEC2 --json
    """


@command.command("show")
@click.argument("service", required=False)
@click.option("--region", default="us-east-1", show_default=True, help="Region whose book to show.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def show(service: str | None, region: str, as_json: bool) -> None:
    """List prices: all of them, or those of one SERVICE (AWSLambda, AWSELB, AmazonEC2, ...)."""
    book = load_price_book(region)
    prices = [price for price in book.every_price() if service is None or price.service.lower() == service.lower()]
    if not prices:
        known = ", ".join(sorted({price.service for price in book.every_price()}))
        raise InputError(f"service {service!r}: no price in the book of {region}; it has: {known}")
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(_document(book, prices)), indent=2) + b"\n")
    else:
        _print(book, prices)


def _document(book: PriceBook, prices: list[Price]) -> dict[str, object]:
    return {
        "region": book.region,
        "as_of": book.as_of.isoformat(),
        "source": book.source,
        "prices": [
            {
                "service": price.service,
                "dimension": price.dimension,
                "unit": price.unit,
                "tiers": [
                    {
                        "start": f"{tier.start:f}",
                        "end": None if tier.end is None else f"{tier.end:f}",
                        "usd": f"{tier.usd.normalize():f}",
                    }
                    for tier in price.tiers
                ],
                "source": price.source,
                "as_of": price.as_of,
                "confidence": price.confidence,
                "note": price.note,
            }
            for price in prices
        ],
    }


def _print(book: PriceBook, prices: list[Price]) -> None:
    table = Table(
        title=f"{book.region}, book of {book.as_of}: {book.source}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for name in ("Service", "Dimension", "$", "Unit", "As of", "Source"):
        table.add_column(name, justify="right" if name == "$" else "left", overflow="fold")
    for price in prices:
        for number, tier in enumerate(price.tiers):
            beyond = f" from {tier.start:,f}" if number else ""
            source = price.source + ("" if price.confidence == "high" else f" [{price.confidence} confidence]")
            table.add_row(
                price.service,
                escape(price.dimension) + beyond,
                f"{tier.usd.normalize():f}",
                price.unit,
                price.as_of or "undated",
                escape(source),
            )
    Console().print(table)
