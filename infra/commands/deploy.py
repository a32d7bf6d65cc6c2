"""`crossover deploy`: `cdk deploy` with the checks before it, and one screen of what is left when it fails."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from infra.config import Stage
from infra.deploying.account import Account, AwsAccount
from infra.deploying.assembly import read_assembly
from infra.deploying.cdk_cli import run_cli
from infra.deploying.preflight import preflight
from infra.deploying.stacks import StackState, screen, way_on
from infra.errors import InputError, KitError, RolledBack, UnknownState
from infra.overrides import key_values
from infra.stage_file import DEFAULT_FILE, load_stage


@click.command("deploy")
@click.option("--stage", "name", required=True, help="A stage of the file.")
@click.option("--stages", "file", type=click.Path(path_type=Path), default=DEFAULT_FILE, show_default=True, help="The file.")
@click.option("-c", "--context", "given", multiple=True, metavar="KEY=VALUE", help="A setting that goes before the file's.")
@click.option("--app", "assembly", type=click.Path(path_type=Path, file_okay=False), help="Deploy this synthesized assembly.")
@click.option("--check", "only_check", is_flag=True, help="Check what a deployment needs, and deploy nothing.")
@click.option("--status", "only_status", is_flag=True, help="Show the stage's stacks and the first thing that failed.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def command(
    name: str,
    file: Path,
    given: tuple[str, ...],
    assembly: Path | None,
    only_check: bool,
    only_status: bool,
    options: tuple[str, ...],
) -> None:
    """Check, run the pinned CDK CLI's deploy, and say what is left and how to go on when it fails.

    What stands after -- goes to the CDK CLI. `npx cdk deploy --all -c stage=…` does the same without the checks.

    \b
    Examples:
      crossover deploy --stage prod
      crossover deploy --stage prod -c lambda_lane.memory_mb=2048 -- --require-approval=never --concurrency 4
      crossover deploy --stage prod --check
      crossover deploy --stage prod --status

    Exit codes: 0 deployed, 1 refused before anything was changed, 2 wrong input, 3 failed and taken back,
    4 failed and left in a state that needs a person.
    """
    stage = load_stage({**key_values(given), "stage": name}, file)
    account: Account = AwsAccount(stage.region)
    if only_status:
        _say_status(stage, account)
        return
    _require_ready(stage, account, assembly, say_all=only_check)
    if only_check:
        return
    context = ["-c", f"stage={name}", "-c", f"stages={file}", *(part for each in given for part in ("-c", each))]
    source = ["--app", str(assembly.resolve())] if assembly else context
    if run_cli(["deploy", "--all", *source, *options]) != 0:
        settings = shlex.join(part for each in given for part in ("-c", each))
        _explain(stage, account, assembly or Path("cdk.out"), f"--stage {name} {settings}".strip(), shlex.join(source))


def _require_ready(stage: Stage, account: Account, assembly: Path | None, *, say_all: bool) -> None:
    problems = 0
    for check in preflight(stage, account, assembly):
        problems += check.problem is not None
        if check.problem is not None or say_all:
            click.echo(
                f"{'no' if check.problem else 'ok'}  {check.about}{': ' + check.problem if check.problem else ''}", err=True
            )
    if problems:
        raise KitError(f"stage {stage.name} cannot be deployed: {problems} of the checks above say why; nothing was changed")


def _say_status(stage: Stage, account: Account) -> None:
    states = account.stacks(stage.name)
    if not states:
        raise KitError(f"stage {stage.name} has no stacks in {stage.region}")
    click.echo("\n".join(screen(states)))


def _explain(stage: Stage, account: Account, assembly: Path, again: str, source: str) -> None:
    """What the CLI printed stands above; this is what is left of it. Always raises."""
    try:
        expected = read_assembly(assembly).stacks_of(stage.name)
    except InputError:
        expected = []  # it could not be synthesized
    states = account.stacks(stage.name, expected)
    if all(state.status is None for state in states):
        raise KitError(f"stage {stage.name} was not deployed, and has no stack in {stage.region}: the CDK CLI says why above")
    click.echo(f"\ncrossover: stage {stage.name} was not deployed. Its stacks in {stage.region}:\n", err=True)
    lines = [*screen(states), "", *way_on(states, f"crossover deploy {again}", f"npx cdk destroy --all {source}")]
    click.echo("\n".join(lines) + "\n", err=True)
    raise _failed(stage, states)


def _failed(stage: Stage, states: Sequence[StackState]) -> KitError:
    if any(state.blocked for state in states):
        return UnknownState(f"stage {stage.name}: failed, and a stack waits for a person")
    if any(state.status is not None and not state.complete for state in states):
        return RolledBack(f"stage {stage.name}: failed, and what failed was taken back")
    return KitError(f"stage {stage.name}: failed with every stack that is there complete: the CDK CLI says why above")
