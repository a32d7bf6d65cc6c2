"""`crossover audit`: known vulnerabilities of every locked package, and of the CDK CLI."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict

import click

from infra.audit import OSV_URL, Audited, NotAsked, audit_cdk_cli, audit_group

VULNERABLE = 1


@click.command("audit")
@click.option("--accept", multiple=True, metavar="ID", help="A vulnerability that does not count; say why where you run this.")
@click.option("--osv-url", default=OSV_URL, show_default=True, help="Where a mirror of the OSV database answers.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(accept: tuple[str, ...], osv_url: str, as_json: bool) -> None:
    """Ask for known vulnerabilities of what the bundle ships, of all that the kit runs with, and of the CDK CLI.

    Needs the network: OSV is asked by pip-audit, npm's registry by npm. Nothing is installed or changed.
    Exit codes: 0 none known, 1 some are, 4 none found but something could not be asked.

    \b
    Examples:
      crossover audit
      crossover audit --accept GHSA-xxxx-xxxx-xxxx
      crossover audit --osv-url https://osv.mirror.example.com/v1/query --json
    """
    parts: dict[str, Callable[[], Audited]] = {
        "bundle": lambda: audit_group("service", osv_url=osv_url, accepted=accept),
        "kit": lambda: audit_group(None, osv_url=osv_url, accepted=accept),
        "cdk cli": lambda: audit_cdk_cli(accepted=accept),
    }
    results = {name: _asked(ask) for name, ask in parts.items()}
    if as_json:
        document = {name: asdict(each) if isinstance(each, Audited) else {"not_asked": each} for name, each in results.items()}
        click.echo(json.dumps(document, indent=2))
    else:
        for name, each in results.items():
            click.echo(_told(name, each))
    if any(isinstance(each, Audited) and each.vulnerabilities for each in results.values()):
        sys.exit(VULNERABLE)
    if not all(isinstance(each, Audited) for each in results.values()):
        sys.exit(NotAsked.exit_code)


def _asked(ask: Callable[[], Audited]) -> Audited | str:
    try:
        return ask()
    except NotAsked as error:
        return str(error)


def _told(name: str, result: Audited | str) -> str:
    if isinstance(result, str):
        return f"{name}: not known: {result}"
    lines = [f"{name}: {result.packages} package{'s' if result.packages != 1 else ''} asked for, "]
    lines[0] += f"{len(result.vulnerabilities) or 'no'} known vulnerabilit{'y' if len(result.vulnerabilities) == 1 else 'ies'}"
    for each in result.vulnerabilities:
        fixed = f"fixed in {', '.join(each.fixed_in)}" if each.fixed_in else "no fixed version known"
        lines.append(f"  {each.package} {each.version}: {each.id}, {fixed}")
    return "\n".join(lines)
