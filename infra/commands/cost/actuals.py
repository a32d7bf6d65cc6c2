"""`crossover cost actuals`: what was billed, against what was estimated, and what the month will come to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from infra.commands.printing import print_json, wide_console
from infra.cost.actuals.calibration import Calibration, write
from infra.cost.actuals.exports import read_export
from infra.cost.actuals.findings import document, render
from infra.cost.actuals.focus import billed_bytes
from infra.cost.actuals.forecast import forecast
from infra.cost.actuals.proposal import propose
from infra.cost.actuals.records import Bill, month_end
from infra.cost.actuals.variance import compare_bill, lane_shares
from infra.cost.prices.file import load_price_book
from infra.cost.reports.diff import LANES
from infra.cost.reports.file import read_report
from infra.cost.reports.focus_table import refuse_other_endings
from infra.errors import InputError, KitError


@click.command("actuals")
@click.argument("export", required=False, type=click.Path(path_type=Path))
@click.option("--cost-explorer", is_flag=True, help="Ask AWS Cost Explorer (a cent a request) instead of reading EXPORT.")
@click.option("--estimate", type=click.Path(path_type=Path), required=True, help="report.json to hold the bill against.")
@click.option("--lane", type=click.Choice(LANES), help="Lane that served the traffic.  [default: the estimate's cheaper one]")
@click.option("--lambda-percent", type=click.FloatRange(0, 100), help="Both lanes served, Lambda this share of the searches.")
@click.option("--stage", default="dev", show_default=True, help="Value of the tag crossover:stage.")
@click.option("--month", help="As 2026-11.  [default: the last in EXPORT; of Cost Explorer the running one]")
@click.option("--basis", type=click.Choice(["amortized", "cash"]), default="amortized", show_default=True)
@click.option("--searches", help="Searches that the lane served in the days billed, for the calibration.")
@click.option("--budget", help="Dollars for the month; exit code 1 where the forecast is above.")
@click.option("--write-calibration", type=click.Path(path_type=Path), help="Write the proposed calibration to a file.")
@click.option("--focus", type=click.Path(path_type=Path), help="Also write the month as FOCUS 1.2 rows, .csv or .parquet.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def command(
    export: Path | None,
    cost_explorer: bool,
    estimate: Path,
    lane: str | None,
    lambda_percent: float | None,
    stage: str,
    month: str | None,
    basis: str,
    searches: str | None,
    budget: str | None,
    write_calibration: Path | None,
    focus: Path | None,
    as_json: bool,
) -> None:
    """Hold the stage's bill against the estimate, line by line, and forecast the month.

    EXPORT is a billing export, CUR 2.0 or FOCUS 1.2: CSV, gzipped CSV or Parquet, a file or a folder.

    \b
    Examples:
      crossover cost actuals cur/ --estimate report.json --stage prod --lane container
      crossover cost actuals --cost-explorer --estimate report.json --stage prod --budget 500
      crossover cost actuals focus.parquet --estimate report.json --write-calibration calibration.json
      crossover cost actuals cur/ --estimate report.json --stage prod --focus billed.parquet
      crossover cost report --profile profile.json --rps 100 --calibration calibration.json

    Exit codes: 0 done, 1 the forecast is over the budget, 2 an argument or an input file is wrong.
    """
    limit, served = _number("--budget", budget, "dollars, as 500"), _number("--searches", searches, "a number, as 86400000")
    if month is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise InputError(f"--month: {month!r} must be a month, as 2026-11")
    if (export is None) != cost_explorer:
        raise InputError("give either EXPORT, a file or folder, or --cost-explorer")
    if focus is not None and export is None:
        raise InputError(
            f"--focus {focus}: Cost Explorer has no such rows; give EXPORT, a billing export of CUR 2.0 or FOCUS 1.2"
        )
    if focus is not None:
        from infra.commands.cost.outputs import refuse_unwritable, write_output

        refuse_unwritable("focus", focus)
        refuse_other_endings(focus)
    report = read_report(estimate)
    bill = _asked(stage, month) if export is None else read_export(export, stage).of_month(month)
    expected = forecast(bill, basis)
    hours = Decimal(24 * expected.days)
    if lane is not None and lambda_percent is not None:
        raise InputError("--lane and --lambda-percent: give one of the two")
    served_by = lane or str(report["cheaper_lane"])
    shares = served_by if lambda_percent is None else lane_shares(Decimal(str(lambda_percent)) / 100)
    book = load_price_book(_region(report, estimate))
    compared = compare_bill(bill.between(expected.first, expected.last), report, shares, hours, book, basis)
    period = f"{expected.first} to {expected.last}"
    proposed = propose(compared, report, hours=hours, searches=served, period=period, source=bill.source)
    rows = None if focus is None or export is None else billed_bytes(export, stage, bill.first, focus)
    if as_json:
        told = document(bill, compared, expected, proposed, basis=basis, budget=limit)
        print_json(told)
    else:
        render(bill, compared, expected, proposed, basis=basis, console=wide_console())
    if focus is not None and rows is not None:
        write_output("focus", focus, rows)
        click.echo(f"FOCUS rows: {focus}", err=True)
    if write_calibration is not None:
        _write(proposed, write_calibration)
    if limit is not None and expected.usd > limit:
        raise KitError(f"the month is forecast at ${expected.usd:,.2f}, the budget is ${limit:,.2f}")


def _asked(stage: str, month: str | None) -> Bill:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    from infra.cost.actuals.cost_explorer import read_cost_explorer

    yesterday = datetime.now(tz=UTC).date() - timedelta(days=1)
    first = yesterday.replace(day=1) if month is None else date.fromisoformat(f"{month}-01")
    if first > yesterday:
        raise InputError(f"--month {month}: has not begun")
    try:
        # Cost Explorer answers in one region only.
        client = boto3.Session().client("ce", region_name="us-east-1")
        return read_cost_explorer(client, stage, first, min(month_end(first), yesterday))
    except (BotoCoreError, ClientError) as error:
        raise KitError(f"Cost Explorer: {error}; it needs credentials that may call ce:GetCostAndUsage") from None


def _region(report: Mapping[str, Any], path: Path) -> str:
    try:
        return str(report["prices"]["region"])
    except (KeyError, TypeError):
        raise InputError(f"{path}: prices.region: missing; make it anew with `crossover cost report --json`") from None


def _number(option: str, text: str | None, wanted: str) -> Decimal | None:
    if text is None:
        return None
    if not re.fullmatch(r"\$?\d+(\.\d+)?", text) or not Decimal(text.removeprefix("$")):
        raise InputError(f"{option}: {text!r} must be {wanted}")
    return Decimal(text.removeprefix("$"))


def _write(proposed: Calibration | str, path: Path) -> None:
    if isinstance(proposed, str):
        raise KitError(f"--write-calibration {path}: there is none: {proposed}")
    write(proposed, path)
    click.echo(f"Calibration: {path}", err=True)
