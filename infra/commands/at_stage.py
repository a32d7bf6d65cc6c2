"""What the commands that work on a deployed stage share: their options, and the way to the stage."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from infra.errors import InputError, KitError

if TYPE_CHECKING:
    from infra.config import Stage
    from infra.switching.aws.calls import Aws
    from infra.switching.aws.control import Control

Command = TypeVar("Command", bound=Callable[..., Any])


def stage_options(command: Command) -> Command:
    """`--stage`, `--region`, `--json`."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON: a document, or a line for each event."),
        click.option("--region", help="AWS region.  [default: the stage's in stages.toml, else as AWS's own tools have it]"),
        click.option("--stage", required=True, help="Which deployment."),
    ):
        command = option(command)
    return command


def connected(stage: str, region: str | None) -> Control:
    """The stage in AWS. Tests hand in another way to it as the context's object."""
    given = click.get_current_context().find_root().obj
    if given is not None:
        return given(stage, region)  # type: ignore[no-any-return]
    from infra.switching.aws.control import connect

    # boto3 itself reads AWS_DEFAULT_REGION and profiles, and leaves out what AWS's other tools read first.
    settings = settings_of(stage)
    return connect(stage, region or (settings.region if settings else None) or os.environ.get("AWS_REGION"))


def aws_of(stage: str, region: str | None) -> Aws:
    """AWS in the stage's region. Tests hand in another, as for `connected`."""
    given = click.get_current_context().find_root().obj
    if given is not None:
        return given(stage, region).aws  # type: ignore[no-any-return]
    from infra.switching.aws.calls import Aws

    settings = settings_of(stage)
    return Aws(region or (settings.region if settings else None) or os.environ.get("AWS_REGION"))


def settings_of(stage: str) -> Stage | None:
    """As stages.toml has them; None for a stage that is not in that file, or was deployed without it."""
    from infra.stage_file import DEFAULT_FILE, load_stage

    if not Path(DEFAULT_FILE).exists():
        return None
    try:
        return load_stage({"stage": stage})
    except InputError:
        return None


def who() -> str:
    """Who drives, each process by a name of its own."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    return f"{user}@{socket.gethostname()}:{os.getpid()}"


def confirm(stage: str, what: str, *, yes: bool) -> None:
    """Have the name of a production stage typed, or `--yes` where nobody is there to type it."""
    if yes or not stage.lower().startswith("prod"):
        return
    if not sys.stdin.isatty():
        raise KitError(f"{stage} is production and this is no terminal: say --yes")
    click.echo(what, err=True)
    if click.prompt("Type the stage's name to go on", err=True, default="", show_default=False).strip() != stage:
        raise KitError(f"that is not {stage!r}: nothing was changed")
