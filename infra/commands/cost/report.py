"""`crossover cost report`: a measured profile and a traffic profile in, both lanes' bills out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click
from click.core import ParameterSource

from infra.commands.cost.deployed import compare_assembly, refuse_beside_assembly
from infra.commands.cost.outputs import STANDARD_OUTPUT, WRITERS, output_options, write_outputs
from infra.commands.cost.traffic import Given, scenario_options
from infra.commands.printing import print_json, wide_console
from infra.config import Stage
from infra.cost.actuals.calibration import Said, calibrated
from infra.cost.actuals.file import read_actuals
from infra.cost.compare import compare
from infra.cost.lane import CostOptions
from infra.cost.likely import likely
from infra.cost.prices.file import load_price_book
from infra.cost.profile import read_profile
from infra.cost.reports.report import report_document
from infra.cost.reports.terminal import render_terminal
from infra.cost.scenario import load_scenario
from infra.cost.sensitivity import sensitivity
from infra.cost.split import read_split
from infra.errors import InputError
from infra.overrides import override
from infra.stage_file import DEFAULT_FILE, load_stage


@click.command("report")
@scenario_options
@click.option("--assembly", type=click.Path(path_type=Path), help="A folder of synthesized templates (cdk.out): price them.")
@click.option("--calibration", type=click.Path(path_type=Path), help="Written by `crossover cost actuals`.")
@click.option(
    "--stages", "file", type=click.Path(path_type=Path), default=DEFAULT_FILE, show_default=True, help="The file of stages."
)
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Another value of a setting; may be repeated.")
@click.option("--region", help="Region to price.  [default: the stage's]")
@click.option("--memory-mb", type=int, help="Memory of the Lambda function.  [default: the stage's]")
@click.option("--month-hours", default="730", show_default=True, help="Hours in a month; AWS's own pages use 720.")
@click.option("--cpu-scale", type=float, default=1.0, show_default=True, help="CPU time in AWS over CPU time measured.")
@click.option("--free-tier", is_flag=True, help="Take off the monthly free tiers.")
@click.option("--actuals", type=click.Path(path_type=Path), help="What `crossover cost actuals --json` printed, for the page.")
@click.option("--split", help="Also price both lanes behind one load balancer, percent to Lambda first, as 70/30.")
@click.option("--savings-plan", help="Commit to a plan of the price book as far as it pays, as compute-1y.")
@click.option("--sensitivity", "tornado", is_flag=True, help="Vary each input by a fifth, for --json and --html.")
@click.option("--carbon", is_flag=True, help="Add the carbon of each lane's compute.")
@click.option("--date", "day", help="Day of the report, as 2026-11-26: the same day, the same bytes.  [default: today, UTC]")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON instead of tables.")
@output_options
def command(
    given: Given,
    assembly: Path | None,
    calibration: Path | None,
    file: Path,
    changes: tuple[str, ...],
    region: str | None,
    memory_mb: int | None,
    month_hours: str,
    cpu_scale: float,
    free_tier: bool,
    actuals: Path | None,
    split: str | None,
    savings_plan: str | None,
    tornado: bool,
    carbon: bool,
    day: str | None,
    as_json: bool,
    **files: Path | None,
) -> None:
    """Price both lanes for a traffic profile and compare them.

    \b
    Traffic is one of:
      --rps 100              a steady rate
      --traffic FILE         timestamp,value (counts a period) or timestamp,rate; hour,value
                             for a typical day; or an access log of a load balancer
      --traffic cloudwatch:prod:14   what a stage was asked in 14 days (1 to 455)
      --shape fortnight      two weeks of bursty day and night traffic

    \b
    Examples:
      crossover cost report --profile out/demo/profile.json --rps 100
      crossover cost report --profile out/demo/profile.json --traffic requests.csv --html cost.html
      crossover cost report --profile out/demo/profile.json --shape fortnight --peak-rps 200 --json
      crossover cost report --profile out/demo/profile.json --rps 100 --stage prod --set network.egress=nat_gateway
      crossover cost report --scenario examples/article.toml
      crossover cost report --profile out/demo/profile.json --rps 100 --split 70/30 --savings-plan compute-1y
      crossover cost report --profile out/demo/profile.json --rps 100 --assembly cdk.out
      crossover cost report --scenario examples/article.toml --xlsx bill.xlsx --pdf bill.pdf
      crossover cost report --scenario production.toml --actuals last-month.json --html bill.html
      crossover cost report --scenario examples/article.toml --focus estimate.parquet
      crossover cost report --scenario examples/article.toml --markdown - >> comment.md
    """
    if as_json and files["markdown"] == STANDARD_OUTPUT:
        raise InputError("--markdown -: not together with --json; both print to standard output")
    today = datetime.now(tz=UTC).date() if day is None else _day(day)
    percent = None if split is None else read_split(split)
    if given.scenario is not None:
        _refuse_beside_scenario()
        read = load_scenario(given.scenario, report_date=today, profile=given.profile)
        measured, searches, stage, options = read.profile, read.traffic, read.stage, read.options
        options = replace(options, savings_plan=savings_plan, carbon=carbon)
    else:
        profile = given.measured()
        if assembly is not None:
            refuse_beside_assembly()
        stage = _stage(given.stage_name, file, {**_pairs(changes), **_given(region, memory_mb)})
        measured, searches = read_profile(profile), given.read_traffic()
        options = CostOptions(
            report_date=today,
            month_hours=_hours(month_hours),
            cpu_scale=cpu_scale,
            free_tier=free_tier,
            savings_plan=savings_plan,
            carbon=carbon,
        )
    said: Said = ()
    if calibration is not None:
        options, said = calibrated(options, calibration)
    if assembly is not None:
        if percent is not None:
            raise InputError("--split: prices the stage's settings, not templates; leave out --assembly")
        named = given.stage_name is not None or given.scenario is not None
        comparison = compare_assembly(assembly, measured, searches, stage, options, stages=file, named=named)
    else:
        prices = load_price_book(stage.region)
        comparison = compare(measured, searches, prices, stage, options=options, lambda_percent=percent)
    billed = None if actuals is None else read_actuals(actuals)
    comparison = replace(
        comparison,
        stated=(*said, *comparison.stated),
        likely=likely(comparison.world, comparison.lanes, comparison.split),
        billed=billed,
    )
    if tornado:
        comparison = replace(comparison, sensitivity=sensitivity(comparison.world))
    written = write_outputs(comparison, files)
    if as_json:
        print_json(report_document(comparison))
    elif files["markdown"] != STANDARD_OUTPUT:
        render_terminal(comparison, wide_console())
        for path in written:
            click.echo(f"Report: {path}")


def _refuse_beside_scenario() -> None:
    """A scenario is the whole of it: what stands beside it would be overlooked."""
    context = click.get_current_context()
    own = {"scenario", "profile", "assembly", "calibration", "actuals", "split", "savings_plan"}
    beside = {*own, "tornado", "carbon", "day", "as_json", *WRITERS}
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.name not in beside:
            raise InputError(f"{parameter.opts[0]}: stands in the scenario; give it there, or leave out --scenario")


def _stage(name: str | None, file: Path, changes: Mapping[str, object]) -> Stage:
    return override(changes) if name is None else load_stage({**changes, "stage": name}, file)


def _given(region: str | None, memory_mb: int | None) -> dict[str, object]:
    return {
        **({} if region is None else {"region": region}),
        **({} if memory_mb is None else {"lambda_lane.memory_mb": memory_mb}),
    }


def _pairs(changes: tuple[str, ...]) -> dict[str, object]:
    pairs = [change.partition("=") for change in changes]
    for key, equals, _ in pairs:
        if not equals:
            raise InputError(f"--set {key!r}: must be KEY=VALUE, as network.egress=nat_gateway")
    return {key: value for key, _, value in pairs}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--date: {text!r} must be a day, as 2026-11-26") from None


def _hours(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InputError(f"--month-hours: {text!r} is not a number") from None
