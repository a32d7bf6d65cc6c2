"""`crossover policy`: the least-privilege IAM policies of the people around a stage, and of CloudFormation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from infra.config import Stage
from infra.errors import InputError
from infra.policies.document import MOST_CHARACTERS, Policy, Statement, pack
from infra.stage_file import DEFAULT_FILE, load_stage

ROLES = ("deployer", "cloudformation", "operator", "finance")


@click.command("policy")
@click.argument("role", type=click.Choice(ROLES))
@click.option("--stage", "name", required=True, help="The stage that the policy is for.")
@click.option(
    "--stages", "file", type=click.Path(path_type=Path), default=DEFAULT_FILE, show_default=True, help="Stages' file."
)
@click.option("--account", metavar="ID", help="AWS account.  [default: the stage's, else any]")
@click.option("--region", metavar="CODE", help="Region.  [default: the stage's]")
@click.option(
    "--assembly",
    type=click.Path(path_type=Path),
    default=Path("cdk.out"),
    show_default=True,
    help="deployer, cloudformation: what `cdk synth` wrote.",
)
@click.option("--export-bucket", metavar="NAME", help="finance: bucket with cost and usage exports.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write each policy to a file in this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print names, sizes and documents as one JSON document.")
def command(
    role: str,
    name: str,
    file: Path,
    account: str | None,
    region: str | None,
    assembly: Path,
    export_bucket: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Print the IAM policies of ROLE: deployer, cloudformation (for `cdk bootstrap`), operator or finance. Calls nothing.

    \b
    Examples:
      crossover policy operator --stage prod
      crossover policy deployer --stage prod --account 123456789012
      npx cdk synth --quiet -c stage=prod && crossover policy cloudformation --stage prod --out policies
      crossover policy finance --stage prod --export-bucket our-billing --json
    """
    given = {"stage": name, "account": account, "region": region}
    stage = load_stage({key: value for key, value in given.items() if value is not None}, file)
    statements = _statements(role, stage, assembly, export_bucket)
    policies = pack(f"{stage.resource_prefix}-{role}", statements)
    if out is not None:
        _write(policies, out)
    elif as_json:
        listed = [{"name": each.name, "characters": each.characters, "document": each.document} for each in policies]
        click.echo(json.dumps({"role": role, "stage": stage.name, "policies": listed}, indent=2))
    else:
        for each in policies:
            click.echo(f"policy: {_size(each)}", err=True)
            click.echo(json.dumps(each.document, indent=2))


def _statements(role: str, stage: Stage, assembly: Path, export_bucket: str | None) -> Sequence[Statement]:
    from infra.policies.finance import finance_statements
    from infra.policies.people import deployer_statements, operator_statements

    if role == "operator":
        return operator_statements(stage)
    if role == "finance":
        return finance_statements(stage, export_bucket)
    from infra.policies.templates import read_synthesized

    synthesized = read_synthesized(assembly, stage)
    if role == "deployer":
        return deployer_statements(synthesized, stage)
    from infra.policies.execution import execution_statements

    return execution_statements(stage, synthesized)


def _size(policy: Policy) -> str:
    return f"{policy.name}, {policy.characters} of {MOST_CHARACTERS} characters"


def _write(policies: Sequence[Policy], out: Path) -> None:
    for each in policies:
        path = out / f"{each.name}.json"
        try:
            out.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(each.document, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"--out {path}: cannot be written ({error.strerror})") from None
        click.echo(f"aws iam create-policy --policy-name {each.name} --policy-document file://{path}  # {_size(each)}")
