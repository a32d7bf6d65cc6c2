"""`crossover cost check`: the guard for continuous integration; exit code 1 with the lines that break it."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import click

from infra.cost.reports.diff import LANES, cheapest, compare_reports, over_budget, over_increase
from infra.cost.reports.file import read_report
from infra.errors import InputError, KitError


@click.command("check")
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--budget", help="Dollars a month that a lane may cost.")
@click.option("--against", type=click.Path(path_type=Path), help="The report before the change.")
@click.option("--max-increase", help="Share by which a lane may become dearer than in --against, as 10%.")
@click.option("--lane", type=click.Choice([*LANES, "cheaper", "both"]), default="cheaper", show_default=True)
def command(report: Path, budget: str | None, against: Path | None, max_increase: str | None, lane: str) -> None:
    """Refuse a report that costs more than the budget, or more than before by more than is allowed.

    \b
    Examples:
      crossover cost check report.json --budget 500
      crossover cost check after.json --against before.json --max-increase 10% --lane both

    Exit codes: 0 within, 1 broken (the lines to blame are printed), 2 usage.
    """
    if budget is None and max_increase is None:
        raise InputError("give --budget, or --against with --max-increase")
    if (against is None) != (max_increase is None):
        raise InputError("--against and --max-increase: give both or neither")
    document = read_report(report)
    named = {"both": LANES, "cheaper": (str(document["cheaper_lane"]),)}
    lanes = named.get(lane, (lane,))
    found = over_budget(document, lanes, _dollars(budget))
    share = _share(max_increase)
    if against is not None and share is not None:
        before = read_report(against)
        # What was the cheaper lane must not become dear unseen because the other is the cheaper one now.
        rose = lanes if lane != "cheaper" or cheapest(document) <= cheapest(before) * (1 + share) else (before["cheaper_lane"],)
        found += over_increase(compare_reports(before, document), rose, share)
    for breach in found:
        click.echo(breach.said)
        for line in breach.lines:
            click.echo(f"  {line}")
    if found:
        raise KitError(
            f"{report}: {len(found)} of the rules are broken" if len(found) > 1 else f"{report}: over what is allowed"
        )
    click.echo(f"{report}: within what is allowed ({', '.join(lanes)})")


def _dollars(text: str | None) -> Decimal | None:
    if text is None:
        return None
    if not re.fullmatch(r"\$?\d+(\.\d+)?", text):
        raise InputError(f"--budget: {text!r} must be dollars a month, as 500")
    return Decimal(text.removeprefix("$"))


def _share(text: str | None) -> Decimal | None:
    if text is None:
        return None
    if not re.fullmatch(r"\d+(\.\d+)?%", text):
        raise InputError(f"--max-increase: {text!r} must be a percentage, as 10%")
    return Decimal(text.removesuffix("%")) / 100
