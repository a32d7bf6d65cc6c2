"""`crossover measure`: measure what the bundle needs on each lane."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from infra.bundle import ensure_bundle, local_target
from infra.commands.measure_live import from_cloudwatch as read_cloudwatch
from infra.commands.measure_live import from_logs as read_logs
from infra.commands.own_service import service_option
from infra.commands.progress import Steps
from infra.cost.profile import WorkloadProfile, write_profile
from infra.errors import InputError
from infra.lab.cloud import CloudOptions, LocalCloud
from infra.lab.measure import Plan, measure
from infra.own_service import OwnService

DEFAULT_PROFILE = Path("out/profile.json")


@click.command("measure")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT_PROFILE, show_default=True)
@click.option("--rps", default=Plan().rps, show_default=True, help="Searches a second offered to one lane at a time.")
@click.option("--searches", default=Plan().searches, show_default=True, help="Searches measured on each lane.")
@click.option("--latency", default="lognormal", show_default=True, help="Of the suppliers: lognormal or fixed:MS.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="uvicorn workers of the container lane."
)
@click.option("--concurrency", type=click.IntRange(1, 200), default=10, show_default=True, help="Lambda environments.")
@click.option(
    "--from-logs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Logs of a live deployment instead: Lambda REPORT lines, access logs; a file or a folder, may be repeated.",
)
@click.option("--from-cloudwatch", is_flag=True, help="Metrics and Lambda's REPORT records of a deployed stage instead.")
@click.option("--stage", help="With --from-cloudwatch: which deployment.")
@click.option("--region", help="With --from-cloudwatch: its region.  [default: as for `crossover status`]")
@click.option("--days", type=int, default=7, show_default=True, help="With --from-cloudwatch: how far back.")
@click.option("--traffic-out", type=click.Path(path_type=Path), help="With --from-cloudwatch: also write the requests as CSV.")
@click.option(
    "--profile", type=click.Path(path_type=Path), help="With --from-…: the lab's profile, for what a deployment does not tell."
)
@service_option
def command(
    out: Path,
    rps: float,
    searches: int,
    latency: str,
    workers: int,
    concurrency: int,
    from_logs: tuple[Path, ...],
    from_cloudwatch: bool,
    stage: str | None,
    region: str | None,
    days: int,
    traffic_out: Path | None,
    profile: Path | None,
    service: OwnService | None,
) -> None:
    """Run the bundle on both lanes here, load them alike, and write what a search needs on each to one file.

    \b
    Examples:
      crossover measure
      crossover measure --rps 3 --searches 300 --out profile.json
      crossover measure --from-logs report.json --from-logs access-logs/ --profile profile.json --out live.json
      crossover measure --from-cloudwatch --stage prod --days 14 --profile profile.json --traffic-out requests.csv
      crossover cost report --profile profile.json --rps 100
    """
    if from_cloudwatch:
        if from_logs:
            raise InputError("--from-logs and --from-cloudwatch: give one of the two")
        read_cloudwatch(stage, region, days, profile, out, traffic_out)
        return
    if stage is not None or region is not None or traffic_out is not None:
        raise InputError("--stage, --region, --traffic-out: go with --from-cloudwatch")
    if from_logs or profile is not None:
        read_logs(from_logs, profile, out)
        return
    plan = checked_plan(rps, searches)
    options = CloudOptions(latency=latency, workers=workers, concurrency=concurrency)
    with Steps("measure") as steps:
        measured = asyncio.run(_measure(options, plan, service, steps))
    write_profile(measured, out)
    click.echo(out)


def checked_plan(rps: float, searches: int) -> Plan:
    """The plan that `--rps` and `--searches` ask for; a `UsageError` when they are out of bounds."""
    if not 0 < rps <= 1000 or not 1 <= searches <= 100_000:
        raise click.UsageError("--rps must be above 0 and up to 1000, --searches 1 to 100000")
    return Plan(rps=rps, searches=searches)


async def _measure(options: CloudOptions, plan: Plan, service: OwnService | None, steps: Steps) -> WorkloadProfile:
    bundle = ensure_bundle(local_target(), service=service, progress=steps)
    async with LocalCloud(bundle, options, steps) as cloud:
        return await measure(cloud, plan, step=steps, searched=steps.count(2 * plan.searches, "searches"))
