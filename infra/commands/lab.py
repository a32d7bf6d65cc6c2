"""`crossover lab`: run both lanes behind a load balancer on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

import click

from infra.bundle import ensure_bundle, local_target
from infra.commands.lab_aws import aws
from infra.commands.lab_drill import drill
from infra.commands.lab_live import fault, keep_up, repair, show
from infra.commands.lab_operator import operator
from infra.commands.own_service import service_option
from infra.lab.cloud import CloudOptions, LocalCloud
from infra.own_service import OwnService
from infra.stage_file import DEFAULT_FILE


@click.group("lab")
def command() -> None:
    """Run both lanes behind a load balancer on this machine."""


for _each in (aws, show, fault, repair, drill, operator):
    command.add_command(_each)


def parse_weights(text: str) -> tuple[int, int]:
    """`lambda=30,container=70` -> (30, 70)."""
    try:
        named = dict(part.split("=") for part in text.split(","))
        weights = int(named.pop("lambda", 0)), int(named.pop("container", 0))
    except ValueError:
        named, weights = {"?": ""}, (0, 0)
    if named or not all(0 <= weight <= 999 for weight in weights) or weights == (0, 0):
        raise click.BadParameter(f"{text!r} must be like lambda=30,container=70, each 0 to 999 and not both 0")
    return weights


@command.command("up")
@click.option("--stage", help="Bring this stage to life, deployed into a local AWS.  [default: both lanes alone, without AWS]")
@click.option("--stages", type=click.Path(path_type=Path), default=DEFAULT_FILE, show_default=True, help="The stages' file.")
@click.option("-c", "--context", multiple=True, metavar="KEY=VALUE", help="With --stage: a setting before the file's.")
@click.option(
    "--speed", type=click.FloatRange(0.1, 600), default=1.0, show_default=True, help="With --stage: lab seconds in one of ours."
)
@click.option(
    "--aws-port", type=click.IntRange(0, 65_535), default=5600, show_default=True, help="With --stage: the local AWS's."
)
@click.option(
    "--logs", type=click.Path(path_type=Path), help="With --stage: folder for all logs.  [default: goes with the lab]"
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="The load balancer's; 0 takes a free one."
)
@click.option(
    "--simulator-port",
    type=click.IntRange(0, 65_535),
    default=8900,
    show_default=True,
    help="The suppliers' simulator's; 0 takes a free one.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="uvicorn workers of the container lane."
)
@click.option(
    "--concurrency", type=click.IntRange(1, 200), default=10, show_default=True, help="Most Lambda environments at once."
)
@click.option("--weights", default="lambda=50,container=50", show_default=True)
@click.option("--latency", default="lognormal", show_default=True, help="Of the suppliers: lognormal or fixed:MS.")
@click.option("--seed", default=7, show_default=True, help="Of the suppliers.")
@service_option
def up(
    stage: str | None,
    stages: Path,
    context: tuple[str, ...],
    speed: float,
    aws_port: int,
    logs: Path | None,
    port: int,
    simulator_port: int,
    workers: int,
    concurrency: int,
    weights: str,
    latency: str,
    seed: int,
    service: OwnService | None,
) -> None:
    """Bring everything up and keep it until Ctrl-C.

    With --stage it is a whole cloud in a box: the CDK CLI deploys the stage into a local AWS; instances boot the deployed
    user data, the load balancer and the function follow what the local AWS holds, metrics are published and alarms fire.
    `crossover switch` moves its traffic, `crossover lab fault` breaks it.

    \b
    Examples:
      crossover lab up
      crossover lab up --stage dev
      crossover lab up --stage prod --speed 30 -c container_lane.min_instances=2
      crossover lab up --port 0 --weights lambda=100,container=0
      curl -H 'x-crossover-lane: lambda' http://127.0.0.1:8080/version
    """
    if stage is not None:
        _refuse_options_of_the_plain_lab()
        keep_up(stage, stages, context, speed=speed, port=port, aws_port=aws_port, logs=logs)
        return
    options = CloudOptions(
        latency=latency,
        seed=seed,
        workers=workers,
        concurrency=concurrency,
        weights=parse_weights(weights),
        port=port,
        simulator_port=simulator_port,
    )
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_keep_up(options, service))


def _refuse_options_of_the_plain_lab() -> None:
    """What a stage's settings say is not said a second time."""
    context = click.get_current_context()
    for name in ("simulator_port", "workers", "concurrency", "weights", "latency", "seed", "service"):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with --stage: the stage's settings say it (-c)")


async def _keep_up(options: CloudOptions, service: OwnService | None) -> None:
    def say(step: str) -> None:
        click.echo(f"lab: {step}", err=True)

    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGINT, signal.SIGTERM):  # also while things start
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    bundle = ensure_bundle(local_target(), service=service, progress=say)
    async with LocalCloud(bundle, options, say) as cloud:
        click.echo(f"load balancer  {cloud.balancer.url}")
        click.echo(f"container lane {cloud.container_lane.url}")
        if cloud.simulator_url is not None:
            click.echo(f"suppliers      {cloud.simulator_url}")
        click.echo(f"bundle         {bundle.sha256}")
        click.echo("Ctrl-C stops everything", err=True)
        try:
            await asyncio.Event().wait()
        finally:
            say("stopping")
