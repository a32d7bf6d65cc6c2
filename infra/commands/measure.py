"""`crossover measure`: measure what the bundle needs on each lane."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from infra.bundle import ensure_bundle, local_target
from infra.commands.own_service import service_option
from infra.commands.progress import Steps
from infra.cost.live_logs import read_logs
from infra.cost.live_profile import live_profile
from infra.cost.profile import WorkloadProfile, read_profile, write_profile
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
@click.option(
    "--profile", type=click.Path(path_type=Path), help="With --from-logs: the lab's profile, for what logs do not tell."
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
    profile: Path | None,
    service: OwnService | None,
) -> None:
    """Run the bundle on both lanes here, load them alike, and write what a search needs on each to one file.

    \b
    Examples:
      crossover measure
      crossover measure --rps 3 --searches 300 --out profile.json
      crossover measure --from-logs report.json --from-logs access-logs/ --profile profile.json --out live.json
      crossover cost --profile profile.json --rps 100
    """
    if from_logs or profile is not None:
        _from_logs(from_logs, profile, out)
        return
    plan = checked_plan(rps, searches)
    options = CloudOptions(latency=latency, workers=workers, concurrency=concurrency)
    with Steps("measure") as steps:
        measured = asyncio.run(_measure(options, plan, service, steps))
    write_profile(measured, out)
    click.echo(out)


def _from_logs(paths: tuple[Path, ...], profile: Path | None, out: Path) -> None:
    if not paths or profile is None:
        raise InputError("--from-logs and --profile: give both or neither; logs tell no CPU time, which the lab's profile has")
    live = live_profile(read_profile(profile), read_logs(paths), source=", ".join(map(str, paths)))
    write_profile(live, out)
    for lane, figures in (live.live or {}).items():
        for name, each in figures.items():
            click.echo(
                f"{lane} {name}: mean {each.mean:,.1f}, p50 {each.p50:,.1f}, p99 {each.p99:,.1f} of {each.samples:,} samples",
                err=True,
            )
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
