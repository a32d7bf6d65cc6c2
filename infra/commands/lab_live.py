"""`crossover lab up --stage NAME` and what may be done to it then: `lab show`, `lab fault`,
`lab repair`, `lab reset`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import click

from infra.commands.lab_aws import SHOWN, leave
from infra.errors import InputError, KitError
from infra.overrides import key_values

ENDPOINT = "AWS_ENDPOINT_URL"


def keep_up(
    stage: str, file: Path, context: tuple[str, ...], *, speed: float, port: int, aws_port: int, logs: Path | None
) -> None:
    """Bring the stage to life, say how to use it, and keep it until Ctrl-C or SIGTERM."""
    from infra.lab.live.lab import Lab

    signal.signal(signal.SIGTERM, leave)
    if logs is not None:
        logs.mkdir(parents=True, exist_ok=True)
    lab = Lab(stage, file=file, context=context, speed=speed, port=port, aws_port=aws_port, logs=logs, progress=_say)
    with contextlib.suppress(KeyboardInterrupt), lab:
        _say("waiting for instances")
        lab.await_serving(lab.stage.container_lane.min_instances)
        click.echo(f"load balancer  {lab.url}")
        click.echo(f"local AWS      {lab.aws.url}")
        click.echo(f"faults         {lab.faults_url}")
        click.echo(f"logs           {lab.logs}")
        _show_use(lab.aws.environment, stage, speed)
        click.echo("Ctrl-C stops everything", err=True)
        try:
            signal.pause()
        finally:
            _say("stopping")


def _show_use(environment: dict[str, str], stage: str, speed: float) -> None:
    export = " ".join(f"{key}={environment[key]}" for key in SHOWN)
    prefix = "crossover" if speed == 1 else "crossover lab operator --"
    click.echo(
        f"\nIn another shell:\n  export {export}\n"
        f"  {prefix} switch lambda --stage {stage} --units 2 --yes\n"
        f"  {prefix} status --stage {stage} --watch\n"
        "  crossover lab show\n"
        "  crossover lab fault kill\n"
        "  crossover lab fault api action=cloudwatch:* kind=error\n"
        "  crossover lab repair\n"
    )


def _say(text: str) -> None:
    click.echo(f"lab: {text}", err=True)


@click.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(as_json: bool) -> None:
    """Show the instances and functions of the live stage at AWS_ENDPOINT_URL."""
    from infra.lab.page_call import call

    told = call("GET", _faults_url())
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(f"{told['stage']} at {told['url']}")
    for name, instance in sorted(told["instances"].items()):
        launched = instance["lifecycle"] or {}
        kind = "spot" if launched.get("spot") else "on demand"
        click.echo(
            f"  {name}  {instance['state']:9} {launched.get('state') or '-':17} "
            f"{launched.get('type', '-')} {launched.get('zone', '-')} {kind}"
        )
    for name, function in sorted(told["functions"].items()):
        click.echo(
            f"  {name}  version {function['version']}, {function['environments']} environments, {function['at_once']} at once"
        )


@click.command("fault")
@click.argument("name", required=False)
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
def fault(name: str | None, settings: tuple[str, ...]) -> None:
    """Do something to the live stage at AWS_ENDPOINT_URL; without NAME, list what can be done.

    \b
    Examples:
      crossover lab fault                                          # the list
      crossover lab fault kill noticed=false                       # an instance fails, and EC2 does not notice
      crossover lab fault reclaim                                  # a spot pool goes
      crossover lab fault lambda limit=1                           # the function is throttled
      crossover lab fault suppliers fault=status:500
      crossover lab fault api action=elasticloadbalancing:ModifyRule kind=throttle times=3
    """
    from infra.lab.page_call import call

    if name is None:
        _list(call("GET", f"{_faults_url()}/faults"))
        return
    body = {key: _value(str(text)) for key, text in key_values(settings).items()}
    if name == "api":
        click.echo(json.dumps(call("POST", f"{_endpoint()}/_lab/faults", body)))
        return
    if name == "misconfigure":
        body = {"variables": body}
    done = call("POST", f"{_faults_url()}/faults/{name}", body)
    click.echo(f"{name}: {_words(done['of'])}")


@click.command("repair")
def repair() -> None:
    """End all faults of the live stage at AWS_ENDPOINT_URL, and of its AWS API."""
    _end_faults("repair")
    click.echo("repaired", err=True)


@click.command("reset")
def reset() -> None:
    """Bring the live stage at AWS_ENDPOINT_URL back to what was deployed.

    All faults end; the weights and the group's sizes are as they were, and the last switch is forgotten, whether it has ended
    or not. Its history stays, and so do metrics.
    """
    _end_faults("reset")
    click.echo("as deployed; instances that are missing come up", err=True)


def _end_faults(page: str) -> None:
    from infra.lab.page_call import call

    call("DELETE", f"{_endpoint()}/_lab/faults")
    call("POST", f"{_faults_url()}/{page}")


def _list(faults: dict[str, Any]) -> None:
    for name, told in faults.items():
        takes = " ".join(f"{key}={'' if value is None else value}" for key, value in told["takes"].items())
        click.echo(f"{name:13} {told['about']}\n{'':13} {takes}")
    click.echo(
        f"{'api':13} calls of the AWS API are throttled, refused, slow, fail, or are carried out and not answered\n"
        f"{'':13} action=SERVICE:ACTION kind=throttle|error|timeout|refuse|slow|after times= delay_s= key="
    )


def _value(text: str) -> Any:
    """`3`, `0.5`, `true`, `null` as JSON has them; anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _words(value: Any) -> str:
    return "done" if value is None else str(value) if not isinstance(value, list) else ", ".join(map(str, value)) or "none"


def _endpoint() -> str:
    url = os.environ.get(ENDPOINT)
    if not url:
        raise InputError(f"{ENDPOINT}: not set; `crossover lab up --stage NAME` shows what to export")
    return url.rstrip("/")


def _faults_url() -> str:
    from infra.lab.page_call import call

    told = call("GET", f"{_endpoint()}/_lab/live")
    if "faults" not in told:
        raise KitError(f"no stage is alive in the local AWS at {_endpoint()}: `crossover lab up --stage NAME` starts one")
    url: str = told["faults"]
    return url
