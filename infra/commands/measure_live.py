"""`crossover measure --from-logs` and `--from-cloudwatch`: a profile from a live deployment, on top of the lab's."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from infra.commands.live_stage import clients_of
from infra.cost.profile import WorkloadProfile, read_profile, write_profile
from infra.documents import write_whole
from infra.errors import InputError, KitError


def from_logs(paths: tuple[Path, ...], profile: Path | None, out: Path) -> None:
    """Write the profile that the logs make of the lab's, and say each figure."""
    from infra.cost.live.logs import read_logs
    from infra.cost.live.profile import live_profile

    if not paths or profile is None:
        raise InputError("--from-logs and --profile: give both or neither; logs tell no CPU time, which the lab's profile has")
    live = live_profile(read_profile(profile), read_logs(paths), source=", ".join(map(str, paths)))
    _written(live, out)


def from_cloudwatch(
    stage: str | None, region: str | None, days: int, profile: Path | None, out: Path, series: Path | None
) -> None:
    """Write the profile that the stage's own figures make of the lab's, and with `series` the requests of these days."""
    from infra.cost.live.deployment import Deployment, read_deployment
    from infra.cost.live.metrics import finest_period
    from infra.cost.live.profile import live_profile
    from infra.cost.live.stage import find_stage
    from infra.cost.live.traffic import read_counts, series_csv
    from infra.cost.prices.file import load_price_book

    if stage is None or profile is None:
        raise InputError(
            "--from-cloudwatch: needs --stage, and --profile with the lab's figures; CloudWatch tells no CPU time of a search"
        )
    finest_period(days)  # refuses days that CloudWatch does not keep
    lab = read_profile(profile)
    shapes = load_price_book("us-east-1").instances  # a type has as many vCPUs in every region

    def vcpus(name: str) -> int | None:
        return shapes[name].vcpu if name in shapes else None

    aws, now = clients_of(stage, region), time.time()
    found = find_stage(aws, stage)
    told: Deployment = read_deployment(aws, found, days=days, vcpus=vcpus, now=now)
    first, last = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}" for at in (told.of.start, told.of.end))
    live = live_profile(lab, told.lanes, source=f"CloudWatch, stage {stage}, {first} to {last} UTC", beside=told.hourly)
    for what in told.unknown:
        click.echo(f"not known: {what}", err=True)
    _say_cpu(live, lab)
    if told.scanned_bytes:
        click.echo(f"Logs Insights read {told.scanned_bytes / 1e9:,.2f} GB, which AWS bills by the GB", err=True)
    if series is not None:
        _write(series_csv(read_counts(aws, found, days=days, now=now)), series)
        click.echo(f"Traffic: {series}", err=True)
    _written(live, out)


def _say_cpu(live: WorkloadProfile, lab: WorkloadProfile) -> None:
    """What the instances say of a search's CPU is proposed, never used by itself: it holds all that runs on them."""
    measured = (live.live or {}).get("container", {}).get("instance_cpu_ms")
    own = lab.container_lane.cpu_ms_per_search
    if measured is not None and own > 0:
        click.echo(
            f"CPU of the instances a search: mean {measured.mean:,.1f} ms over {measured.samples:,} hours, all that runs there "
            f"included; the lab measured {own:,.1f} ms. `--cpu-scale {measured.mean / own:.2f}` would take it over",
            err=True,
        )


def _written(live: WorkloadProfile, out: Path) -> None:
    for place, figures in (live.live or {}).items():
        for name, each in figures.items():
            of = "hours" if place == "load_balancer" or name.startswith("instance_") else "samples"
            click.echo(
                f"{place} {name}: mean {each.mean:,.1f}, p50 {each.p50:,.1f}, p99 {each.p99:,.1f} of {each.samples:,} {of}",
                err=True,
            )
    for name, lane in (("lambda", live.lambda_lane), ("container", live.container_lane)):
        figures = (live.live or {}).get(name, {})
        if lane.searches and ("duration_ms" in figures or "target_ms" in figures):
            starts = f", {lane.cold_start_samples / lane.searches:.2%} cold starts" if "cold_start_ms" in figures else ""
            rate = lane.errors / (lane.searches + lane.errors)
            click.echo(f"{name}: {lane.searches:,} searches, {rate:.2%} errors{starts}", err=True)
    write_profile(live, out)
    click.echo(out)


def _write(text: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as error:
        raise KitError(f"--traffic-out {path}: cannot be written ({error.strerror})") from None
