"""`crossover prices`: what the price book holds, each figure with its source and date; a new one from AWS's own list."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from infra.commands.price_examples import command as examples_command
from infra.commands.printing import print_json, wide_console
from infra.cost.model import price_container, price_lambda
from infra.cost.prices.book import Price, PriceBook
from infra.cost.prices.diff import Change, PlanChange, changes, plan_changes
from infra.cost.prices.downloads import PRICE_LIST_URL, Downloads
from infra.cost.prices.file import SHIPPED, load_price_book
from infra.cost.prices.query import Queries, clients_for
from infra.cost.prices.refresh import refresh
from infra.cost.prices.spot_history import DAYS, read_history, summarize
from infra.cost.scenario import load_scenario
from infra.documents import read_json
from infra.errors import InputError


@click.group("prices")
def command() -> None:
    """Show the price book, refresh it from AWS's list, and see what changed.

    \b
    Examples:
      crossover prices show AWSLambda
      crossover prices refresh --region eu-west-1
      crossover prices diff old.json new.json --scenario examples/article.toml
      crossover prices examples published.json
    """


command.add_command(examples_command)


@command.command("show")
@click.argument("service", required=False)
@click.option("--region", default="us-east-1", show_default=True, help="Region whose book to show.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def show(service: str | None, region: str, as_json: bool) -> None:
    """List prices: all of them, or those of one SERVICE (AWSLambda, AWSELB, AmazonEC2, SavingsPlans, ...)."""
    book = load_price_book(region)
    every = [*book.every_price(), *book.plan_prices()]
    prices = [price for price in every if service is None or price.service.lower() == service.lower()]
    if not prices:
        known = ", ".join(sorted({price.service for price in every}))
        raise InputError(f"service {service!r}: no price in the book of {region}; it has: {known}")
    if as_json:
        print_json(_document(book, prices))
    else:
        _print(book, prices)


@command.command("refresh")
@click.option("--region", default="us-east-1", show_default=True, help="Region whose book to make anew.")
@click.option(
    "--from", "source", default=PRICE_LIST_URL, show_default=True, help="The price list, or a folder laid out like it."
)
@click.option(
    "--query", is_flag=True, help="Ask the query API (credentials needed) in place of the files, of which EC2's is gigabytes."
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to.  [default: the kit's own book]")
@click.option(
    "--spot/--no-spot", default=True, show_default=True, help="Ask EC2 for 30 days of spot prices (credentials needed)."
)
def refresh_command(region: str, source: str, query: bool, out: Path | None, spot: bool) -> None:
    """Make a region's price book anew from the AWS Price List (no account needed) and EC2's spot price history.

    What the list does not have keeps the old figure with its own date, which is said with the reason. The old book is replaced
    when the new one is whole.

    \b
    Examples:
      crossover prices refresh --no-spot
      crossover prices refresh --region eu-west-1 --out eu-west-1.json
      crossover prices refresh --query
    """
    if query and source != PRICE_LIST_URL:
        raise InputError("--query asks AWS's query API, --from names bulk files: give one of them")
    target = out or SHIPPED / f"{region}.json"
    own = SHIPPED / f"{region}.json"
    old = read_json(own if own.exists() else SHIPPED / "us-east-1.json")
    with _offers(region, source, query, old["instances"]["types"]) as offers:
        fresh = refresh(region, old, offers.open, today=datetime.now(UTC).date(), origin=offers.origin)
    if spot:
        _add_spot(fresh.document, region)
    with tempfile.TemporaryDirectory(dir=_folder(target)) as folder:
        whole = Path(folder) / target.name
        whole.write_bytes(msgspec.json.format(msgspec.json.encode(fresh.document), indent=1) + b"\n")
        load_price_book(region, whole)  # what cannot be read back is not kept
        whole.replace(target)
    click.echo(f"{fresh.found} prices of {region} from the list: {target}")
    for each in fresh.left:
        click.echo(str(each))


def _offers(region: str, source: str, query: bool, types: Collection[str]) -> Downloads | Queries:
    def say(text: str) -> None:
        click.echo(text, err=True)

    return Queries(clients_for(region), types, say) if query else Downloads(source, say)


def _folder(target: Path) -> Path:
    if not target.parent.is_dir():
        raise InputError(f"--out {target}: there is no folder {target.parent}")
    return target.parent


def _add_spot(document: dict[str, Any], region: str) -> None:
    import boto3

    now = datetime.now(UTC)
    types = document["instances"]["types"]
    history = read_history(boto3.Session().client("ec2", region_name=region), sorted(types), now=now)
    for name, spot in summarize(history, now=now).items():
        if name in types:
            types[name] |= {
                "spot_usd_per_hour": f"{spot.mean:f}",
                "spot_current": f"{spot.current:f}",
                "spot_highest": f"{spot.highest:f}",
                "spot_days": DAYS,
                "spot_read_on": now.date().isoformat(),
            }


@command.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--scenario", type=click.Path(path_type=Path), help="Also say what the change does to this scenario's bill.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def diff_command(before: Path, after: Path, scenario: Path | None, as_json: bool) -> None:
    """Say which prices differ between two books of one region, and what that does to a bill.

    \b
    Examples:
      crossover prices diff old.json new.json
      crossover prices diff old.json infra/cost/prices/books/us-east-1.json --scenario examples/article.toml
    """
    old, new = (load_price_book(_region_of(path), path) for path in (before, after))
    if old.region != new.region:
        raise InputError(f"{before} is of {old.region}, {after} of {new.region}: compare books of one region")
    found, plans = changes(old, new), plan_changes(old, new)
    bills = None if scenario is None else [_bill(scenario, book) for book in (old, new)]
    if as_json:
        document = {
            "region": old.region,
            "before": old.as_of.isoformat(),
            "after": new.as_of.isoformat(),
            "changes": [
                {
                    "service": each.service,
                    "dimension": each.dimension,
                    "unit": each.unit,
                    "before_usd": None if each.before is None else f"{each.before.usd.normalize():f}",
                    "after_usd": None if each.after is None else f"{each.after.usd.normalize():f}",
                    "share": None if each.share is None else round(float(each.share), 6),
                }
                for each in found
            ],
            "savings_plans": [
                {
                    "plan": each.plan,
                    "changed": each.changed,
                    "new": each.new,
                    "gone": each.gone,
                    "least": round(float(each.least), 6),
                    "greatest": round(float(each.greatest), 6),
                }
                for each in plans
            ],
            "usd_per_month": None if bills is None else {"before": bills[0], "after": bills[1]},
        }
        print_json(document)
        return
    _print_changes(old, new, found)
    _print_plans(plans)
    if bills is not None:
        for lane in bills[0]:
            click.echo(f"{lane} lane: ${bills[0][lane]:,.2f} a month before, ${bills[1][lane]:,.2f} after")


def _print_plans(plans: list[PlanChange]) -> None:
    for each in plans:
        by = f", by {each.least:+.2%} to {each.greatest:+.2%} of the list price" if each.changed else ""
        click.echo(f"savings plan {each.plan}: {each.changed} rates changed{by}; {each.new} new, {each.gone} gone")


def _region_of(path: Path) -> str:
    try:
        return str(read_json(path)["region"])
    except (KeyError, TypeError, IndexError):
        raise InputError(f"{path}: not a price book: it names no region") from None


def _bill(scenario: Path, book: PriceBook) -> dict[str, float]:
    read = load_scenario(scenario, report_date=book.as_of)
    if read.stage.region != book.region:
        raise InputError(f"{scenario}: is of {read.stage.region}, the books are of {book.region}")
    months = [price(read.profile, read.traffic, book, read.stage, read.options) for price in (price_lambda, price_container)]
    return {month.lane: round(float(month.usd_per_month), 2) for month in months}


def _print_changes(old: PriceBook, new: PriceBook, found: list[Change]) -> None:
    title = f"{old.region}: book of {old.as_of} and book of {new.as_of}"
    if not found:
        click.echo(f"{title}: no price differs")
        return
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("Service", "Dimension", "$ before", "$ after", "change", "Unit"):
        table.add_column(name, justify="right" if name.startswith(("$", "c")) else "left", overflow="fold")
    for each in found:
        was, now = (None if price is None else f"{price.usd.normalize():f}" for price in (each.before, each.after))
        share = "tiers" if was == now else "" if each.share is None else f"{each.share:+.1%}"
        table.add_row(each.service, escape(each.dimension), was or "none", now or "none", share, each.unit)
    wide_console().print(table)


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
        collapse_padding=True,
    )
    for name in ("Service", "Dimension", "$", "Unit", "As of", "Source"):
        table.add_column(name, justify="right" if name in ("$", "Source") else "left", overflow="fold")
    sources: dict[str, int] = {}  # each has a number, below the table: one of them is longer than the other columns together
    for price in prices:
        told = price.source + ("" if price.confidence == "high" else f" [{price.confidence} confidence]")
        source = sources.setdefault(told, len(sources) + 1)
        for number, tier in enumerate(price.tiers):
            beyond = f" from {tier.start:,f}" if number else ""
            dimension = escape(price.dimension) + beyond
            usd = f"{tier.usd.normalize():f}"
            table.add_row(price.service, dimension, usd, price.unit, price.as_of or "undated", str(source))
    console = wide_console()
    console.print(table)
    for text, number in sources.items():
        console.print(f"{number}  {escape(text)}")
