"""What the commands that work on a deployed stage share: their options, and the way to the stage."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from infra.errors import InputError, KitError
from infra.operating.stage import is_production, is_stage_name, must_be_named, settings_of

if TYPE_CHECKING:
    from infra.switching.aws.calls import Aws
    from infra.switching.aws.control import Control

Command = TypeVar("Command", bound=Callable[..., Any])


def stage_options(command: Command) -> Command:
    """`--stage`, `--region`, `--json`."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON: a document, or a line for each event."),
        click.option("--region", help="AWS region.  [default: the stage's in stages.toml, else as AWS's own tools have it]"),
        click.option("--stage", required=True, callback=_named, help="Which deployment."),
    ):
        command = option(command)
    return command


def _named(context: click.Context, parameter: click.Parameter, stage: str) -> str:
    if not is_stage_name(stage):
        raise InputError(f"--stage {stage[:40]!r}: must be 1 to 32 letters, digits and underscores, a letter first")
    return stage


def connected(stage: str, region: str | None) -> Control:
    """The stage in AWS. Tests hand in another way to it as the context's object."""
    return way_to(stage, region)()


def way_to(stage: str, region: str | None) -> Callable[[], Control]:
    """How to connect, now and again, from any thread."""
    given = click.get_current_context().find_root().obj
    if given is not None:
        return lambda: given(stage, region)
    from infra.switching.aws.control import connect

    where = _region(stage, region)
    return lambda: connect(stage, where)


def aws_of(stage: str, region: str | None) -> Aws:
    """AWS in the stage's region. Tests hand in another, as for `connected`."""
    given = click.get_current_context().find_root().obj
    if given is not None:
        return given(stage, region).aws  # type: ignore[no-any-return]
    from infra.switching.aws.calls import Aws

    return Aws(_region(stage, region))


def _region(stage: str, region: str | None) -> str | None:
    """boto3 itself reads AWS_DEFAULT_REGION and profiles, and leaves out what AWS's other tools read first."""
    settings = settings_of(stage)
    return region or (settings.region if settings else None) or os.environ.get("AWS_REGION")


def confirm(stage: str, what: str, *, yes: bool) -> None:
    """Have the name of a production stage typed, or `--yes` where nobody is there to type it."""
    if yes or not is_production(stage):
        return
    if not sys.stdin.isatty():
        raise KitError(f"{stage} is production and this is no terminal: say --yes")
    click.echo(what, err=True)
    must_be_named(stage, click.prompt("Type the stage's name to go on", err=True, default="", show_default=False))
