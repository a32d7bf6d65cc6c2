"""`crossover lab aws`: a stage deployed by the CDK CLI into a local AWS, to look around in."""

from __future__ import annotations

import contextlib
import signal
import tempfile
from pathlib import Path
from types import FrameType

import click

from infra.config import DEFAULT_STAGE
from infra.deploying.stacks import is_of_stage
from infra.errors import KitError
from infra.lab.aws.local_aws import ACCOUNT, LocalAws
from infra.overrides import key_values
from infra.stage_file import DEFAULT_FILE, load_stage

SHOWN = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


@click.command("aws")
@click.option("--stage", "name", default=DEFAULT_STAGE.name, show_default=True, help="A stage of the file.")
@click.option("--stages", "file", type=click.Path(path_type=Path), default=DEFAULT_FILE, show_default=True, help="The file.")
@click.option("-c", "--context", "given", multiple=True, metavar="KEY=VALUE", help="A setting that goes before the file's.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=5600, show_default=True, help="The local AWS's; 0 takes a free one."
)
@click.option(
    "--speed", type=click.FloatRange(0.1, 3_600), default=1.0, show_default=True, help="Seconds that pass there in one of ours."
)
@click.option(
    "--fail", "faults", multiple=True, metavar="TYPE", help="Let the next resource of this type fail, to rehearse it."
)
def aws(name: str, file: Path, given: tuple[str, ...], port: int, speed: float, faults: tuple[str, ...]) -> None:
    """Bootstrap and deploy a stage into a local AWS (moto), and keep it until Ctrl-C.

    The templates, the bundle and the CDK CLI are those that go to AWS; what moto does with them is an imitation: no
    request is served, no instance runs. Metrics can be published and alarms fire.

    \b
    Examples:
      crossover lab aws
      crossover lab aws --stage prod -c lanes=lambda -c lambda_lane.front=function_url
      crossover lab aws --speed 60
      crossover lab aws --fail AWS::ElasticLoadBalancingV2::ListenerRule
    """
    stage = load_stage({**key_values(given), "stage": name}, file)
    context = ["-c", f"stage={name}", "-c", f"stages={file}", *(part for each in given for part in ("-c", each))]
    signal.signal(signal.SIGTERM, leave)
    with (
        tempfile.TemporaryDirectory(prefix="crossover-cdk-") as folder,
        LocalAws(stage.region, account=stage.account or ACCOUNT, port=port, faults=faults, speed=speed) as local,
    ):
        _bring_up(local, Path(folder) / "cdk.out", context)
        _show(local, stage.name, " ".join(context))
        click.echo("Ctrl-C stops everything", err=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
        click.echo("lab: stopping", err=True)


def _bring_up(local: LocalAws, assembly: Path, context: list[str]) -> None:
    """Ends the command where the stage cannot be synthesized; a deployment that fails is left to be looked at."""
    click.echo("lab: cdk synth", err=True)
    if local.cdk("synth", "--quiet", "--output", str(assembly), *context).returncode != 0:
        raise KitError("the stage could not be synthesized, see above")
    click.echo("lab: cdk bootstrap", err=True)
    if local.bootstrap(assembly).returncode != 0:
        raise KitError("the local AWS could not be bootstrapped, see above")
    click.echo("lab: cdk deploy", err=True)
    if local.deploy(assembly).returncode != 0:
        click.echo("lab: the deployment failed, see above; the local AWS stays as it is now", err=True)


def leave(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _show(local: LocalAws, stage: str, context: str) -> None:
    """The stacks' outputs, and how to look at the rest."""
    stacks = local.client("cloudformation").describe_stacks()["Stacks"]
    for stack in sorted(stacks, key=lambda each: each["CreationTime"]):
        if is_of_stage(stack.get("Description", ""), stage):
            click.echo(f"{stack['StackName']}  {stack['StackStatus']}")
            for output in stack.get("Outputs", []):
                if not output["OutputKey"].startswith("Exports"):
                    click.echo(f"  {output['OutputKey']:24} {output['OutputValue']}")
    environment = " ".join(f"{key}={local.environment[key]}" for key in SHOWN)
    click.echo(
        f"\nLook around, in another shell:\n  export {environment}\n"
        f"  crossover deploy --stage {stage} --status\n"
        "  aws cloudformation describe-stack-resources --stack-name STACK\n"
        "  aws elbv2 describe-rules --listener-arn ARN\n"
        f"  npx cdk diff {context} --method=template\n"
        f"  npx cdk destroy --all {context}\n"
    )
