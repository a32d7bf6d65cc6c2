"""`crossover demo`: the main job, end to end.

bundle -> simulator and both lanes -> parity -> load -> profile -> prices -> report
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from infra.bundle import ensure_bundle, local_target
from infra.commands.measure import checked_plan
from infra.commands.own_service import service_option
from infra.commands.printing import wide_console
from infra.commands.progress import Steps
from infra.config import DEFAULT_STAGE
from infra.cost.compare import compare
from infra.cost.lane import CostOptions
from infra.cost.likely import likely
from infra.cost.prices.file import load_price_book
from infra.cost.profile import WorkloadProfile, write_profile
from infra.cost.reports.report import write_report
from infra.cost.reports.terminal import render_terminal
from infra.cost.traffic.file import load_traffic
from infra.cost.traffic.profile import TrafficProfile
from infra.cost.traffic.shape import generate_bursty_fortnight, load_shape
from infra.errors import KitError
from infra.lab.cloud import CloudOptions, LocalCloud
from infra.lab.load_balancer import LANE_HEADER
from infra.lab.measure import Plan, measure, request_paths
from infra.lab.parity import Parity, check_parity
from infra.lab.supplier_counts import set_latency
from infra.own_service import OwnService

STILL = "fixed:5"
"""The suppliers' latency while answers are compared: held still, so that no lane sees a time-out the other does not."""

PARITY_QUERIES = 200
PEAK_RPS = 1000.0


@dataclass(frozen=True, slots=True)
class Outcome:
    parity: Parity
    profile: WorkloadProfile


@click.command("demo")
@click.option("--traffic", type=click.Path(path_type=Path), help="Your own series (timestamp,value) or access log.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out/demo"), show_default=True)
@click.option("--rps", default=Plan().rps, show_default=True, help="Searches a second offered to one lane at a time.")
@click.option("--searches", default=Plan().searches, show_default=True, help="Searches measured on each lane.")
@click.option("--queries", default=PARITY_QUERIES, show_default=True, help="Searches compared between the lanes.")
@service_option
def command(traffic: Path | None, out: Path, rps: float, searches: int, queries: int, service: OwnService | None) -> None:
    """Bundle, run, compare, load, measure and price both lanes on this machine. Takes under three minutes.

    Without --traffic the bill is for a shipped fortnight of bursty day and night traffic with a peak of 1000 searches/s.

    \b
    Examples:
      crossover demo
      crossover demo --traffic requests.csv --out out/mine
    """
    plan = checked_plan(rps, searches)
    if not 1 <= queries <= 10_000:
        raise click.UsageError("--queries must be 1 to 10000")
    series = _traffic(traffic)  # a malformed file ends here, before minutes of measuring
    prices = load_price_book(DEFAULT_STAGE.region)
    with Steps("demo") as steps:
        outcome = asyncio.run(_run(plan, queries, service, steps))
        steps("pricing and writing the report")
        write_profile(outcome.profile, out / "profile.json")
        options = CostOptions(report_date=datetime.now(UTC).date())
        comparison = compare(outcome.profile, series, prices, DEFAULT_STAGE, options=options)
        comparison = replace(comparison, likely=likely(comparison.world, comparison.lanes, comparison.split))
        parity = {"queries": outcome.parity.queries, "identical": outcome.parity.identical}
        html, json_file = write_report(comparison, parity, out)
        steps("done")
    render_terminal(comparison, wide_console())
    assert outcome.profile.bundle is not None
    click.echo(f"\nBoth lanes ran bundle {outcome.profile.bundle.sha256[:12]}… and answered {parity['identical']} of "
               f"{parity['queries']} searches identically.")  # fmt: skip
    click.echo(f"Report: {html}\nJSON:   {json_file}")
    _refuse_disparity(outcome.parity)


async def _run(plan: Plan, queries: int, service: OwnService | None, steps: Steps) -> Outcome:
    bundle = ensure_bundle(local_target(), service=service, progress=steps)
    steps(f"bundle {bundle.target}, {bundle.unzipped_bytes / 2**20:.1f} MB, sha256 {bundle.sha256[:12]}…")
    measured = CloudOptions()
    async with LocalCloud(bundle, measured, steps) as cloud:
        steps(f"asking both lanes the same {queries} searches")
        if service is None:
            await set_latency(cloud, STILL)
        parity = await _parity(cloud, queries, steps)
        if service is None:
            await set_latency(cloud, measured.latency)
        profile = await measure(cloud, plan, step=steps, searched=steps.count(2 * plan.searches, "searches"))
        steps("stopping everything")
    return Outcome(parity, profile)


async def _parity(cloud: LocalCloud, queries: int, steps: Steps) -> Parity:
    await cloud.lambda_lane.prewarm(4)
    paths = request_paths(cloud, seed=3)
    return await check_parity(
        cloud.balancer.url,
        cloud.balancer.url,
        list(itertools.islice(paths, queries)),
        lambda_headers={LANE_HEADER: "lambda"},
        container_headers={LANE_HEADER: "container"},
        concurrency=2,
        progress=steps.count(queries, "compared"),
    )


def _traffic(path: Path | None) -> TrafficProfile:
    if path is not None:
        return load_traffic(path)
    return generate_bursty_fortnight(load_shape("fortnight"), peak_rps=PEAK_RPS)


def _refuse_disparity(parity: Parity) -> None:
    if parity.differences:
        first = parity.differences[0]
        raise KitError(
            f"the lanes answered {len(parity.differences)} of {parity.queries} searches differently; the first: {first.path} "
            f"at {first.where}: {first.lambda_value} on Lambda, {first.container_value} on the container lane"
        )
